package terminal

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/assay-hil/assay/fixtures/terminals"
)

// The net package keeps the deadline with a timer of its own, which may go off before the context's.
func TestDialThatRunsOutBeforeItsContext(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		want error
	}{
		{"its own timer", &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, errDialTimeout},
		{"the kernel's tries", &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ETIMEDOUT)}, errDialTimeout},
		{"refused", &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, syscall.ECONNREFUSED},
	} {
		a := &app{Terminal: &Terminal{profile: &terminals.Profile{Timers: terminals.Timers{Connect: time.Hour}}}}
		a.hw.Dial = func(context.Context, string) (net.Conn, error) { return nil, test.err }
		if _, err := a.dialOver(t.Context(), "primary"); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
}
