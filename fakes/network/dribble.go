package network

import (
	"cmp"
	"time"

	"github.com/assay-hil/assay/fakes/network/client"
)

// dribble sends a message a few bytes at a time. Healing sends the rest at once.
type dribble struct {
	bytes int
	pause time.Duration
}

func newDribble(spec client.Fault) dribble {
	return dribble{cmp.Or(spec.Bytes, 1), cmp.Or(spec.Pause, dribblePause)}
}

func (d dribble) deliver(m *passage) error {
	to, left := m.flow.to, m.image
	to.writing.Lock()
	defer to.writing.Unlock()
	m.fire()
	for len(left.raw) > d.bytes && !m.released {
		if err := m.flow.wrote(to.put(left.part(0, d.bytes))); err != nil {
			return err
		}
		left = left.part(d.bytes, len(left.raw))
		if !m.hold(d.pause) {
			return errOver
		}
	}
	return m.put(left)
}
