package packet

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
)

// Limits of what is remembered of a conversation.
const (
	// maxFlows connections are known to a fault; the oldest is forgotten for a new one.
	maxFlows = 4096
	// maxSights packets of a connection are remembered, so that repeats are known as such; then
	// the count of repeats begins anew.
	maxSights = 16384
)

// TCP flags (RFC 9293, 3.1).
const (
	flagFIN = 1 << iota
	flagSYN
	flagRST
	flagPSH
	flagACK
)

// chance gives every packet of a conversation its roll of the dice: the same packet of the same
// conversation gets the same one, whatever passes between and however the kernel chose port
// and sequence numbers.
type chance struct {
	seed  uint64
	salt  string // tells faults with one seed apart
	flows map[connection]*flow
	order []connection // oldest first
	made  map[netip.AddrPort]uint32
}

// flow is one connection.
type flow struct {
	number uint32 // among those to its host's port, from 1
	first  [2]sequence
	seen   map[sight]uint32
}

// sequence is the number that a side began with, once it is known.
type sequence struct {
	number uint32
	known  bool
}

// sight is what stays the same when a packet is repeated. A repeat may carry more or less.
type sight struct {
	fromTerminal bool
	kind         byte   // SYN, FIN and RST flags; flagPSH for data, flagACK for nothing but that
	place        uint32 // from the side's first sequence number
	of           uint32 // what a bare acknowledgement is of
}

func newChance(seed uint64, salt string) *chance {
	return &chance{seed: seed, salt: salt, flows: map[connection]*flow{}, made: map[netip.AddrPort]uint32{}}
}

// roll is in [0, 1).
func (c *chance) roll(s segment) float64 {
	f := c.flow(s)
	at := f.sight(s)
	if len(f.seen) >= maxSights {
		clear(f.seen)
	}
	f.seen[at]++
	var b []byte
	b = binary.BigEndian.AppendUint64(b, c.seed)
	b = binary.BigEndian.AppendUint16(b, s.host.Port())
	for _, n := range []uint32{f.number, side(at.fromTerminal), uint32(at.kind), at.place, at.of, f.seen[at]} {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	sum := sha256.Sum256(append(b, c.salt...))
	return float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
}

// flow finds a packet's connection. A terminal's SYN with another first number than before is
// a new one between the same ports.
func (c *chance) flow(s segment) *flow {
	f := c.flows[s.connection]
	begins := s.fromTerminal && s.flags&(flagSYN|flagACK) == flagSYN
	if f != nil && (!begins || f.first[side(true)] == sequence{s.seq, true}) {
		return f
	}
	if f == nil {
		if len(c.order) >= maxFlows {
			delete(c.flows, c.order[0])
			c.order = c.order[1:]
		}
		c.order = append(c.order, s.connection)
	}
	c.made[s.host]++
	f = &flow{number: c.made[s.host], seen: map[sight]uint32{}}
	c.flows[s.connection] = f
	return f
}

// sight places a packet in its connection.
func (f *flow) sight(s segment) sight {
	mine, other := &f.first[side(s.fromTerminal)], f.first[side(!s.fromTerminal)]
	if !mine.known {
		*mine = sequence{s.seq, true}
	}
	at := sight{fromTerminal: s.fromTerminal, place: s.seq - mine.number, kind: s.flags & (flagSYN | flagFIN | flagRST)}
	switch {
	case s.data > 0:
		at.kind |= flagPSH
	case at.kind == 0:
		at.kind = flagACK
		if other.known {
			at.of = s.ack - other.number
		}
	}
	return at
}

// side is the index of a side's things.
func side(terminal bool) uint32 {
	if terminal {
		return 0
	}
	return 1
}
