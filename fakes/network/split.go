package network

import (
	"cmp"
	"time"

	"github.com/assay-hil/assay/fakes/network/client"
)

// split sends a message in two parts with a pause between them.
type split struct {
	at    place
	pause time.Duration
}

func newSplit(spec client.Fault) split {
	at, _ := parsePlace(cmp.Or(spec.At, "1")) // checked
	return split{at, cmp.Or(spec.Pause, splitPause)}
}

func (s split) deliver(m *passage) error {
	n, ok := s.at.offset(m)
	if !ok || n >= len(m.image.raw) {
		m.unproven(errOutside)
		return m.out()
	}
	return m.stall(n, s.pause)
}
