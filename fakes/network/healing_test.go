package network_test

import (
	"errors"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/assay-hil/assay/fakes/network"
	"github.com/assay-hil/assay/fakes/network/client"
)

// A connection of which a fault has ended one side ends when the fault is healed.
func TestHealingEndsWhatIsHalf(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.arm(t, client.Fault{ID: "it", Kind: "close", Message: onRequest, When: "after", Towards: client.Terminal})
		terminal, host := w.connect(t)
		ask(t, terminal, host)
		mustFail(t, "terminal", terminal, io.EOF)
		w.heal(t)
		mustFail(t, "host", host, io.EOF)
		w.events.wait(t, "closed 1")
	})
}

// Healing sends the rest of a dribbled message at once.
func TestHealingEndsADribble(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.arm(t, client.Fault{ID: "it", Kind: "dribble", Message: onRequest, Bytes: 1, Pause: time.Minute})
		terminal, host := w.connect(t)
		begin := time.Now()
		send(t, terminal, request)
		w.events.wait(t, "fired it")
		w.heal(t)
		receive(t, host, request)
		if took := time.Since(begin); took >= time.Minute {
			t.Errorf("the rest came after %v", took)
		}
	})
}

// "both" reads from neither side; healing loses nothing.
func TestStopReadingFromBoth(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.arm(t, client.Fault{ID: "it", Kind: "stop-reading", Message: onRequest, Towards: "both"})
		terminal, host := w.connect(t)
		send(t, terminal, request)
		w.events.wait(t, "fired it")
		send(t, host, response) // what is being read when the fault acts may still pass
		send(t, terminal, next)
		seesNothing(t, host)
		w.heal(t)
		receive(t, host, request)
		receive(t, host, next)
		receive(t, terminal, response)
	})
}

// Without a name "refuse" closes every uplink.
func TestRefuseOnEveryUplink(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		*w = *newWorld(t, w.wires, func(c *network.Config) {
			c.Uplinks = append(c.Uplinks, w.uplink("backup", w.host))
		})
		w.arm(t, client.Fault{ID: "it", Kind: "refuse"})
		for _, uplink := range []string{"primary", "backup"} {
			if _, err := w.dial(t.Context(), w.server.Addr(uplink).String()); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("%s: %v, want ECONNREFUSED", uplink, err)
			}
		}
		w.heal(t)
		for _, uplink := range []string{"primary", "backup"} {
			c, err := w.dial(t.Context(), w.server.Addr(uplink).String())
			if err != nil {
				t.Errorf("%s after healing: %v", uplink, err)
				continue
			}
			_ = c.Close()
		}
	})
}
