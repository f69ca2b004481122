package network

import (
	"cmp"
	"time"

	"github.com/assay-hil/assay/fakes/network/client"
)

// duplicate delivers a message, and copies of it behind: at once, or each a time after the one before,
// then while the direction goes on.
type duplicate struct {
	times int
	by    time.Duration
}

func newDuplicate(spec client.Fault) duplicate { return duplicate{cmp.Or(spec.Times, 1), spec.By} }

func (d duplicate) deliver(m *passage) error {
	if err := m.out(); err != nil {
		return err
	}
	if d.by > 0 {
		if !m.later(d.by, d.times) {
			m.unproven(errTooManyLate)
			return nil
		}
		m.fire()
		return nil
	}
	for range d.times {
		if err := m.out(); err != nil {
			return err
		}
	}
	m.fire()
	return nil
}
