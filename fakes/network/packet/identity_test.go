package packet

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// conversation is what a terminal and a host say in two connections, with ports and first
// sequence numbers as a kernel happens to choose them; every third data packet comes again.
func conversation(r *rand.Rand) []segment {
	var all []segment
	for range 2 {
		between := between(uint16(32768 + r.UintN(28000)))
		mine, other := r.Uint32(), r.Uint32()
		say := func(fromTerminal bool, flags byte, data int) {
			s := segment{connection: between, fromTerminal: fromTerminal, seq: mine, ack: other, flags: flags, data: data}
			next := uint32(data)
			if flags&(flagSYN|flagFIN) != 0 {
				next++
			}
			if fromTerminal {
				mine += next
			} else {
				s.seq, s.ack = other, mine
				other += next
			}
			all = append(all, s)
			if len(all)%3 == 0 {
				all = append(all, s)
			}
		}
		say(true, flagSYN, 0)
		say(false, flagSYN|flagACK, 0)
		say(true, flagACK, 0)
		for range 20 {
			say(true, flagPSH|flagACK, 120)
			say(false, flagACK, 0)
			say(false, flagPSH|flagACK, 90)
		}
		say(true, flagFIN|flagACK, 0)
	}
	return all
}

// rolls gives the dice of a conversation.
func rolls(seed uint64, salt string, said []segment) []float64 {
	c := newChance(seed, salt)
	var all []float64
	for _, s := range said {
		all = append(all, c.roll(s))
	}
	return all
}

// TestSameConversationSameFate: 100 runs of 100 give the same dice, whatever the kernel chose.
func TestSameConversationSameFate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	want := rolls(42, "loss", conversation(r))
	for run := range 100 {
		if got := rolls(42, "loss", conversation(r)); !slices.Equal(got, want) {
			t.Fatalf("run %d differs:\n%v\n%v", run, got, want)
		}
	}
	for i, v := range want {
		if v < 0 || v >= 1 || slices.Contains(want[:i], v) {
			t.Errorf("roll %d is %v: out of range or rolled before", i, v)
		}
	}
}

// TestStrangersChangeNothing: packets of other connections to another port between them do not
// shift the dice, as a packet counter would.
func TestStrangersChangeNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	said := conversation(r)
	want := rolls(42, "loss", said)
	c := newChance(42, "loss")
	var got []float64
	for i, s := range said {
		stranger := segment{connection: between(uint16(i + 1)), seq: r.Uint32(), fromTerminal: true, flags: flagSYN}
		stranger.host = stranger.terminal
		c.roll(stranger)
		got = append(got, c.roll(s))
	}
	if !slices.Equal(got, want) {
		t.Error("packets of others changed the dice")
	}
}

// TestSeedAndSaltCount: another seed or another fault rolls other dice.
func TestSeedAndSaltCount(t *testing.T) {
	said := conversation(rand.New(rand.NewPCG(5, 6)))
	base := rolls(42, "loss", said)
	for _, other := range [][]float64{rolls(43, "loss", said), rolls(42, "loss 2", said)} {
		for i := range base {
			if base[i] == other[i] {
				t.Errorf("roll %d is the same", i)
			}
		}
	}
}

// TestDiceAreFair: a fifth of the packets is below 0.2, near enough.
func TestDiceAreFair(t *testing.T) {
	c := newChance(7, "")
	low := 0
	for i := range uint32(10_000) {
		if c.roll(segment{connection: between(1), fromTerminal: true, seq: i, data: 1}) < 0.2 {
			low++
		}
	}
	if low < 1_800 || low > 2_200 { // five times the deviation
		t.Errorf("%d of 10000 below 0.2", low)
	}
}

// TestChanceForgets: what is remembered is bounded, and an old connection known again is a
// new one.
func TestChanceForgets(t *testing.T) {
	c := newChance(1, "")
	for i := range maxFlows + 10 {
		c.roll(segment{connection: between(uint16(i + 1)), fromTerminal: true, flags: flagSYN})
	}
	if len(c.flows) != maxFlows || len(c.order) != maxFlows {
		t.Errorf("%d flows, %d in order", len(c.flows), len(c.order))
	}
	for i := range uint32(maxSights + 10) {
		c.roll(segment{connection: between(60000), fromTerminal: true, seq: i, data: 1})
	}
	if n := len(c.flows[between(60000)].seen); n > maxSights {
		t.Errorf("%d packets remembered", n)
	}
}
