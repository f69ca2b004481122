package network_test

import (
	"context"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/network"
	"github.com/assay-hil/assay/fakes/network/client"
)

func TestReset(t *testing.T) {
	for _, mti := range []string{"0200", "0210"} { // by either direction's message
		onBoth(t, func(t *testing.T, w *world) {
			other, otherHost := w.connect(t)
			terminal, host := w.connect(t)
			w.arm(t, client.Fault{ID: "cut", Kind: "reset", Message: client.Select{MTI: mti}})
			send(t, terminal, "0200000001")
			if mti == "0210" {
				receive(t, host, "0200000001")
				send(t, host, "0210000001")
			}
			mustFail(t, "terminal", terminal, syscall.ECONNRESET) // an RST, not an end, and no message before it
			mustFail(t, "host", host, syscall.ECONNRESET)
			w.events.wait(t, "fired cut 2")
			w.events.wait(t, "closed 2 fault cut")
			if n := w.fired(t, "cut"); n != 1 {
				t.Errorf("fired %d times", n)
			}
			send(t, other, "0800000001") // only that connection
			receive(t, otherHost, "0800000001")
		})
	}
}

// plainConn can neither be half-closed nor reset.
type plainConn struct{ net.Conn }

func TestResetThatCannotBeShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory(), func(c *network.Config) {
			dial := c.Uplinks[0].Dial
			c.Uplinks[0].Dial = func(ctx context.Context) (net.Conn, error) {
				conn, err := dial(ctx)
				return plainConn{conn}, err
			}
		})
		terminal, _ := w.connect(t)
		w.arm(t, client.Fault{ID: "cut", Kind: "reset", Message: client.Select{MTI: "0200"}})
		send(t, terminal, "0200000001")
		w.events.wait(t, "unproven cut")
		if n := w.fired(t, "cut"); n != 0 {
			t.Errorf("fired %d times", n)
		}
	})
}

func TestResetOnlyOnceForRacingMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory(), nil)
		terminal, host := w.connect(t)
		w.arm(t, client.Fault{ID: "cut", Kind: "reset", Message: client.Select{MTI: "0200"}})
		send(t, terminal, "0200000001")
		send(t, terminal, "0200000002")
		mustFail(t, "host", host, syscall.ECONNRESET)
		synctest.Wait()
		if n := w.fired(t, "cut"); n != 1 {
			t.Errorf("fired %d times for one connection", n)
		}
		_ = host.SetDeadline(time.Time{})
	})
}
