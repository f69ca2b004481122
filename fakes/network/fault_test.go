package network_test

import (
	"testing"

	"github.com/assay-hil/assay/fakes/network/client"
)

func TestPass(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		terminal, host := w.connect(t)
		send(t, terminal, "0200000001request")
		receive(t, host, "0200000001request")
		send(t, host, "0210000001response")
		receive(t, terminal, "0210000001response")
		_ = terminal.Close()
		_ = host.Close()
		w.events.wait(t, "closed 1 both sides closed")
		for _, line := range []string{
			"opened 1",
			"message 1 terminal>host 0200 000001 passed", "delivered 1 terminal>host 0200 000001",
			"message 1 host>terminal 0210 000001 passed", "delivered 1 host>terminal 0210 000001",
		} {
			w.events.wait(t, line)
		}
	})
}

// A plan's selection is of its faults, not of the kinds; drop is the simplest to see it with.
func TestSelection(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		terminal, host := w.connect(t)
		send(t, terminal, "0200000001 before arming: not counted")
		receive(t, host, "0200000001 before arming: not counted")
		w.arm(t, client.Fault{ID: "second", Kind: "drop", Message: client.Select{MTI: "0200", Nth: 2}},
			client.Fault{ID: "every", Kind: "drop", Message: client.Select{MTI: "0400"}})
		terminal2, host2 := w.connect(t) // counts are the plan's, not a connection's
		send(t, terminal, "0200000002")
		receive(t, host, "0200000002")
		send(t, terminal2, "0200000003")
		send(t, terminal2, "0200000004")
		receive(t, host2, "0200000004")
		send(t, terminal2, "0400000003")
		send(t, terminal2, "0400000003")
		send(t, terminal2, "0800000005")
		receive(t, host2, "0800000005")
		if w.fired(t, "second") != 1 || w.fired(t, "every") != 2 {
			t.Errorf("fired: %+v", w.server.Status())
		}
		w.events.wait(t, "fired second 2 terminal>host 0200 000003")

		w.arm(t, client.Fault{ID: "first", Kind: "drop", Message: client.Select{MTI: "0200", Nth: 1}}) // counts anew
		send(t, terminal2, "0400000003")
		receive(t, host2, "0400000003")
		send(t, terminal2, "0200000006")
		send(t, terminal2, "0800000007")
		receive(t, host2, "0800000007")
		w.events.wait(t, "healed second")
		w.events.wait(t, "fired first 2 terminal>host 0200 000006")
	})
}
