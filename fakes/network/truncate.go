package network

import (
	"time"

	"github.com/assay-hil/assay/fakes/network/client"
)

// truncate delivers only the first part of a message. Then the direction stalls, until healing sends the
// rest; or both sides end in order, or are reset, the receiver of the part when it has arrived there.
type truncate struct {
	at   place
	then string
}

func newTruncate(spec client.Fault) truncate {
	at, _ := parsePlace(spec.At) // checked
	return truncate{at, spec.Then}
}

func (t truncate) deliver(m *passage) error {
	n, ok := t.at.offset(m)
	if !ok || n >= len(m.image.raw) {
		m.unproven(errOutside)
		return m.out()
	}
	if t.then == "stall" {
		return m.stall(n, forever)
	}
	if err := m.flow.send(m.image.part(0, n)); err != nil {
		return err
	}
	c := m.flow.connection
	if t.then == "close" {
		return m.acted(c.finish(m.entry.spec.ID, ""))
	}
	drained(m.flow.to.conn)
	if err := m.acted(c.end("fault "+m.entry.spec.ID, true)); err != nil {
		return err
	}
	return errOver
}

// stall sends n bytes of the message, and the rest after a time or when healed. Nothing comes between.
func (m *passage) stall(n int, d time.Duration) error {
	to := m.flow.to
	to.writing.Lock()
	defer to.writing.Unlock()
	if err := m.flow.wrote(to.put(m.image.part(0, n))); err != nil {
		return err
	}
	m.fire()
	if !m.hold(d) {
		return errOver
	}
	return m.put(m.image.part(n, len(m.image.raw)))
}

// acted tells whether the fault acted.
func (m *passage) acted(err error) error {
	if err != nil {
		m.unproven(err)
		_ = m.flow.connection.end("fault "+m.entry.spec.ID, false)
		return errOver
	}
	m.fire()
	return nil
}
