package packet

import (
	"io"
	"testing"
	"time"
)

// TestHealedTunnelIsLeft: packets go through the device while a fault needs it, and no longer.
func TestHealedTunnelIsLeft(t *testing.T) {
	b := inner(t)
	through := func() uint64 {
		t.Helper()
		link, err := b.router.links.LinkByName(tunName)
		if err != nil {
			t.Fatal(err)
		}
		return link.Attrs().Statistics.TxPackets
	}
	arm := func(s Spec) {
		t.Helper()
		s.Mechanism = TUN
		ExcusedFault(t, b.Arm(s), s)
	}
	arm(Spec{ID: "a", Kind: Delay, By: time.Millisecond})
	arm(Spec{ID: "b", Kind: Duplicate})
	exchange(t, b)
	if err := b.HealOne("a"); err != nil {
		t.Fatal(err)
	}
	before := through()
	exchange(t, b)
	if through() == before {
		t.Error("one fault is left, but no packet went through the device")
	}
	if err := b.Heal(); err != nil {
		t.Fatal(err)
	}
	exchange(t, b) // while the last packets come out of the device
	before = through()
	exchange(t, b)
	if n := through() - before; n != 0 {
		t.Errorf("%d packets through the device after healing", n)
	}
	arm(Spec{ID: "c", Kind: Loss, Percent: 1, Port: 9})
	exchange(t, b)
	if through() == before {
		t.Error("armed again, but no packet went through the device")
	}
}

// exchange makes a connection over the bench, passes a message and closes it.
func exchange(t *testing.T, b *Bench) {
	t.Helper()
	listener, err := b.Listen(t.Context(), Host, b.Addr(Host).String()+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conn, err := b.Dial(t.Context(), Terminal, listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	host, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	if _, err := conn.Write([]byte("message")); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(host); err != nil || string(got) != "message" {
		t.Errorf("%q, %v", got, err)
	}
}
