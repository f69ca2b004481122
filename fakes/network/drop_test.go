package network_test

import (
	"os"
	"testing"
	"time"

	"github.com/assay-hil/assay/fakes/network/client"
)

func TestDrop(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		terminal, host := w.connect(t)
		w.arm(t, client.Fault{ID: "lost", Kind: "drop", Message: client.Select{MTI: "0210"}})
		send(t, terminal, "0200000001")
		receive(t, host, "0200000001")
		send(t, host, "0210000001")
		w.events.wait(t, "message 1 host>terminal 0210 000001 dropped")
		w.events.wait(t, "fired lost 1 host>terminal 0210 000001")
		_ = terminal.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		mustFail(t, "terminal", terminal, os.ErrDeadlineExceeded) // silence, not an end
		_ = terminal.SetReadDeadline(time.Now().Add(patience))
		w.heal(t)
		send(t, host, "0210000001 again")
		receive(t, terminal, "0210000001 again")
		if n := w.fired(t, "lost"); n != 1 {
			t.Errorf("fired %d times", n)
		}
	})
}
