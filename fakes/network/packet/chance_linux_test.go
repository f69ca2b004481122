package packet_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/assay-hil/assay/fakes/network/packet"
)

// TestLossEvery: of a conversation in which each side waits for the other, every third data
// packet of the terminal is lost, and the kernel's repeat counts as the next.
func TestLossEvery(t *testing.T) {
	t.Parallel()
	w := echoing(t)
	conn := w.connect()
	w.arm(packet.Spec{Kind: packet.Loss, Every: 3, Direction: packet.FromTerminal})
	for n := 1; n <= 9; n++ {
		// Lost are 3, 5, 7 and 9: the repeat of 3 is the fourth packet, so 5 is the sixth.
		const repeat = 100 * time.Millisecond // no kernel repeats sooner
		if took := ping(t, conn, 10); n > 2 && n%2 == 1 && took < repeat {
			t.Errorf("ping %d took %v: not lost", n, took)
		}
	}
	if got := w.healed(); got.Packets != 4 || got.Mechanism != packet.NFT {
		t.Errorf("%d packets lost by %s, want 4", got.Packets, got.Mechanism)
	}
}

// TestLossPercent: by each mechanism all arrives in spite of it, and some was lost.
func TestLossPercent(t *testing.T) {
	t.Parallel()
	for _, mechanism := range []string{packet.TUN, packet.Netem, packet.NFT} {
		t.Run(mechanism, func(t *testing.T) {
			w := echoing(t)
			conn := w.connect()
			spec := packet.Spec{Kind: packet.Loss, Percent: 30, Mechanism: mechanism}
			if mechanism == packet.TUN {
				spec.Seed = 1
			}
			w.arm(spec)
			for range 10 {
				ping(t, conn, 10)
			}
			if got := w.healed(); got.Seed != spec.Seed || got.Mechanism != mechanism {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestSameSeedSameLosses: with one seed the same messages are lost, in connections whose ports and
// sequence numbers differ; with another seed others are. A message lost takes as long as the
// kernel's repeat.
func TestSameSeedSameLosses(t *testing.T) {
	t.Parallel()
	const repeat = 100 * time.Millisecond // no kernel repeats sooner
	lost := func(seed uint64) string {
		w := echoing(t)
		w.arm(packet.Spec{Kind: packet.Loss, Percent: 15, Seed: seed, Port: port, Direction: packet.FromTerminal})
		conn := w.connect()
		var pattern strings.Builder
		for range 20 {
			if ping(t, conn, 10) < repeat {
				pattern.WriteByte('.')
			} else {
				pattern.WriteByte('x')
			}
		}
		w.healed()
		return pattern.String()
	}
	first := lost(4)
	if again := lost(4); again != first || !strings.Contains(first, "x") {
		t.Errorf("seed 4: lost %s, then %s", first, again)
	}
	if other := lost(5); other == first {
		t.Errorf("seeds 4 and 5: both lost %s", first)
	}
}

// TestSeedIsChosen: without a seed one is chosen and told.
func TestSeedIsChosen(t *testing.T) {
	t.Parallel()
	w := echoing(t)
	w.arm(packet.Spec{Kind: packet.Duplicate})
	if w.last().Seed == 0 {
		t.Error("no seed told")
	}
}

// TestDuplicate: the host's kernel gets segments twice, its application once.
func TestDuplicate(t *testing.T) {
	t.Parallel()
	w := echoing(t)
	conn := w.connect()
	w.arm(packet.Spec{Kind: packet.Duplicate, Port: port, Direction: packet.FromTerminal})
	before := w.counter(packet.Host, "TCPDSACKOldSent")
	for range 5 {
		ping(t, conn, 10)
	}
	w.healed()
	if n := w.counter(packet.Host, "TCPDSACKOldSent") - before; n < 5 {
		t.Errorf("the host's kernel saw %d duplicates, want 5", n)
	}
	silent(t, conn)
}

// TestReorder: the host's kernel gets segments out of order, its application in order.
func TestReorder(t *testing.T) {
	t.Parallel()
	w := listening(t)
	conn, host := w.connect(), w.accepted()
	w.arm(packet.Spec{Kind: packet.Reorder, Port: port, Direction: packet.FromTerminal, By: 5 * time.Second})
	before := w.counter(packet.Host, "TCPOFOQueue")
	if _, err := conn.Write([]byte("first")); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("second")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len("firstsecond"))
	if err := host.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(host, got); err != nil || string(got) != "firstsecond" {
		t.Errorf("%q, %v", got, err)
	}
	w.healed()
	if n := w.counter(packet.Host, "TCPOFOQueue") - before; n < 1 {
		t.Error("the host's kernel saw everything in order")
	}
}

// TestDelay: both ways, by each mechanism; a connection's making is late as well.
func TestDelay(t *testing.T) {
	t.Parallel()
	const by = 100 * time.Millisecond
	for _, mechanism := range []string{packet.TUN, packet.Netem} {
		t.Run(mechanism, func(t *testing.T) {
			w := echoing(t)
			w.arm(packet.Spec{Kind: packet.Delay, By: by, Mechanism: mechanism})
			begin := time.Now()
			conn := w.connect()
			if took := time.Since(begin); took < 2*by || took > patience {
				t.Errorf("connect took %v, want %v", took, 2*by)
			}
			took := ping(t, conn, 200)
			if took < 2*by {
				t.Errorf("ping took %v, want %v", took, 2*by)
			}
			t.Logf("ping at 2 x %v: %v", by, took)
			w.healed()
			t.Logf("ping without: %v", ping(t, conn, 200))
		})
	}
}

// TestHealLetsGoWhatIsHeld: a packet held for a minute comes when the fault is healed.
func TestHealLetsGoWhatIsHeld(t *testing.T) {
	t.Parallel()
	w := listening(t)
	conn, host := w.connect(), w.accepted()
	w.arm(packet.Spec{Kind: packet.Delay, By: time.Minute, Mechanism: packet.TUN})
	if err := send(conn, 100); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Wait(t.Context(), packet.Delay); err != nil {
		t.Fatal(err)
	}
	w.healed()
	if err := expect(host, 100, patience); err != nil {
		t.Error(err)
	}
}
