package relay_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creack/pty"

	"github.com/assay-hil/assay/fakes/bench/cardslot"
	"github.com/assay-hil/assay/protocol/memnet"
	"github.com/assay-hil/assay/rigs/card/relay"
	"github.com/assay-hil/assay/rigs/serial"
)

// echo is a chip that answers each command with its instruction byte.
type echo struct{}

func (echo) ATR() []byte                    { return []byte{0x3B, 0x00} }
func (echo) Reset()                         {}
func (echo) Transmit(command []byte) []byte { return []byte{command[1], 0x90, 0x00} }

// use is a card session with a simulator that shares no parser with the driver.
func use(ctx context.Context, t *testing.T, line *serial.Line, port io.ReadWriteCloser, faults cardslot.Faults) error {
	t.Helper()
	slot := cardslot.New(port, cardslot.Config{Faults: faults})
	defer slot.Close()
	d, err := relay.Open(ctx, line, relay.Config{})
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Insert(ctx, echo{}); err != nil {
		return err
	}
	if _, err := slot.PowerOn(ctx); err != nil {
		return err
	}
	answer, err := slot.Transmit(ctx, []byte{0x00, 0xB0, 0x00, 0x00, 0x00})
	if sound := faults == (cardslot.Faults{}); sound && (err != nil || len(answer) != 3 || answer[0] != 0xB0) {
		t.Errorf("answer %X, %v", answer, err)
	}
	return d.Remove(ctx)
}

func TestAgainstTheSimulator(t *testing.T) {
	for name, c := range map[string]struct {
		faults cardslot.Faults
		want   error
	}{
		"sound": {cardslot.Faults{}, nil}, "always stale": {cardslot.Faults{Stale: true}, relay.ErrStale}, "never lets go": {cardslot.Faults{Holds: true}, relay.ErrHeld},
	} {
		synctest.Test(t, func(t *testing.T) {
			near, far := memnet.Pipe()
			if err := use(t.Context(), t, serial.New("card", near), far, c.faults); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
		})
	}
}

// The same on a real pseudo-terminal, in real time.
func TestOnAPseudoTerminal(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	line, err := serial.Open(slave.Name(), serial.Mode{}) // makes it raw
	slave.Close()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := use(ctx, t, line, master, cardslot.Faults{}); err != nil {
		t.Error(err)
	}
}
