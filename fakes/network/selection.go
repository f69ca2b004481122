package network

import (
	"encoding/binary"
	"hash/fnv"

	"github.com/assay-hil/assay/fakes/network/client"
)

// picks says if the fault's selection, but for its occurrence and STAN, is true of a message.
func (p *plan) picks(e *entry, m *seen, payload []byte) bool {
	want := &e.spec.Message
	switch {
	case want.Direction != "" && want.Direction != m.direction(),
		!e.on(m.connection.uplink.Name),
		!like(want.MTI, m.MTI()):
		return false
	}
	for path, pattern := range want.Fields {
		value, ok := p.server.config.Messages.Read(payload, path)
		if !ok || !like(pattern, value) {
			return false
		}
	}
	return true
}

// like matches a value against a pattern: "?" is any character, "*" any rest.
func like(pattern, value string) bool {
	for i := range len(pattern) {
		if pattern[i] == '*' {
			return true
		}
		if i >= len(value) || (pattern[i] != '?' && pattern[i] != value[i]) {
			return false
		}
	}
	return len(pattern) == len(value)
}

// seeded says that chance decides whether the fault acts.
func (e *entry) seeded() bool { return e.spec.Probability > 0 && e.spec.Probability < 1 }

// chance decides by the plan's seed whether a fault acts on the nth of what it picks of a direction and MTI:
// the same seed and the same conversation give the same faults, whatever the timing.
func (p *plan) chance(f client.Fault, direction, mti string, nth int64) bool {
	h := fnv.New64a()
	var number [16]byte
	binary.BigEndian.PutUint64(number[:8], uint64(p.seed))
	binary.BigEndian.PutUint64(number[8:], uint64(nth))
	_, _ = h.Write(number[:])
	for _, word := range []string{f.ID, direction, mti} {
		_, _ = h.Write([]byte(word))
		_, _ = h.Write([]byte{0})
	}
	return fraction(h.Sum64()) < f.Probability
}

// fraction spreads a hash evenly over 0 to 1, 1 excluded (finaliser of splitmix64, Steele, Lea and
// Flood 2014: FNV alone leaves the upper bits alike for inputs that are).
func fraction(h uint64) float64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	h ^= h >> 31
	return float64(h>>11) / (1 << 53)
}
