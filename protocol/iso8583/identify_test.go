package iso8583

import (
	"math/rand/v2"
	"testing"
)

// Whatever fields a message has before its STAN, and wherever it is cut, the quick way sees what the way field by
// field does. Some of the dialects have fields before it whose lengths vary, or do not know some.
func TestQuickWayToTheSTAN(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	codecs := fuzzCodecs(t)
	odd := dialect()
	odd.Fields[6] = Field{Name: "odd", Type: "an", Length: 12, Var: 2}
	delete(odd.Fields, 9)
	codecs = append(codecs, codec(t, odd))
	for i, c := range codecs {
		known := 0
		for set := range c.leaps {
			if c.leaps[set] >= 0 {
				known++
			}
		}
		if known < 2 || i == len(codecs)-1 && known == len(c.leaps) {
			t.Errorf("dialect %d: over %d sets of fields the way is known", i, known)
		}
		for range 2000 {
			wire := make([]byte, random.IntN(120))
			for at := range wire {
				wire[at] = byte('0' + random.IntN(10))
			}
			if c.headerBytes+c.mtiBytes() < len(wire) && random.IntN(2) == 0 { // a bitmap of which fields there are before 11
				copy(wire[c.headerBytes+c.mtiBytes():], c.appendBitmap(nil, fieldSet{random.Uint64() &^ continued}))
			}
			checkQuick(t, c, wire)
		}
	}
}
