package network_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/network"
	"github.com/assay-hil/assay/fakes/network/client"
)

var down = client.Fault{ID: "down", Kind: "refuse"}

func TestRefuse(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		terminal, host := w.connect(t)
		for range 3 {
			w.arm(t, down)
			if n := w.fired(t, "down"); n != 1 {
				t.Errorf("fired %d times when armed", n)
			}
			if c, err := w.dial(t.Context(), w.server.Addr("").String()); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("dial: %v, %v; want ECONNREFUSED", c, err)
			}
			send(t, terminal, "0200000001") // what is open lives on
			receive(t, host, "0200000001")
			w.heal(t)
			again, hostAgain := w.connect(t)
			send(t, again, "0200000002")
			receive(t, hostAgain, "0200000002")
		}
		w.events.wait(t, "fired down")
		w.events.wait(t, "healed down")
		w.events.wait(t, "opened 4")
		for _, line := range w.events.lines() {
			if strings.HasPrefix(line, "opened 5") {
				t.Error("a proof was told as a connection")
			}
		}
	})
}

func TestRefuseThatCannotBeShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory(), func(c *network.Config) { c.Uplinks[0].SelfDial = c.Uplinks[0].Dial }) // somebody answers
		go func() {
			for {
				if _, err := w.host.Accept(); err != nil {
					return
				}
			}
		}()
		w.arm(t, down)
		if n := w.fired(t, "down"); n != 0 {
			t.Errorf("fired %d times", n)
		}
		w.events.wait(t, "unproven down port not seen to refuse")
		w.heal(t)
	})
}

func TestHealDuringProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory(), func(c *network.Config) {
			c.Uplinks[0].SelfDial = func(ctx context.Context) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
		})
		armed := make(chan error, 1)
		go func() { armed <- w.server.Arm(t.Context(), client.Plan{Faults: []client.Fault{down}}) }()
		synctest.Wait()
		begin := time.Now()
		w.heal(t)
		if took := time.Since(begin); took != 0 {
			t.Errorf("Heal took %v", took)
		}
		if err := <-armed; err != nil {
			t.Error(err)
		}
		w.connect(t)
		if lines := w.events.lines(); slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "fired") }) {
			t.Errorf("fired without a proof: %v", lines)
		}
	})
}

// When somebody else took the port, healing says so, and can be tried again.
func TestHealThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		via := memory()
		w := newWorld(t, via, nil)
		w.arm(t, down)
		thief, err := via.listen(w.server.Addr("").String())
		if err != nil {
			t.Fatal(err)
		}
		if err := w.server.Heal(t.Context()); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("Heal: %v, want EADDRINUSE", err)
		}
		if w.server.Status()[0].Healed {
			t.Error("told as healed")
		}
		if err := w.server.Arm(t.Context(), client.Plan{}); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("Arm: %v, want EADDRINUSE", err)
		}
		_ = thief.Close()
		w.heal(t)
		if !w.server.Status()[0].Healed {
			t.Error("not told as healed")
		}
		w.connect(t)
	})
}

func TestAnotherAddressIsNoHealing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		via := memory()
		w := newWorld(t, via, func(c *network.Config) {
			c.Uplinks[0].Listen = func() (net.Listener, error) { return via.listen("") }
		})
		w.arm(t, down)
		if err := w.server.Heal(t.Context()); err == nil || !strings.Contains(err.Error(), "again") {
			t.Errorf("Heal: %v", err)
		}
	})
}
