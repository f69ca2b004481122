package network

import "time"

// delay holds a message for a time from when its last byte was read. What follows it in the
// same direction waits behind it, so order is kept; the other direction goes on. Healing
// delivers a held message at once; with its connection it is lost.
type delay struct{ by time.Duration }

func (d delay) deliver(m *passage) error {
	m.fire()
	if !m.hold(d.by) {
		return errOver
	}
	return m.out()
}
