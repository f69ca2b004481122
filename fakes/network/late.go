package network

import (
	"errors"
	"time"
)

// late takes a message out of its direction and delivers it after a time; what follows overtakes
// it. Healing delivers it at once; with its connection it is lost. The direction ends after it.
type late struct{ by time.Duration }

// errTooManyLate: see maxLate.
var errTooManyLate = errors.New("too many messages are late already")

func (l late) deliver(m *passage) error {
	if !m.later(l.by, 1) {
		m.unproven(errTooManyLate)
		return m.out()
	}
	m.fire()
	return nil
}

// later delivers the message after a time, so often, while the direction goes on; it is false when too
// many wait already.
func (m *passage) later(by time.Duration, times int) bool {
	f := m.flow
	select {
	case f.late <- struct{}{}:
	default:
		return false
	}
	own := m.own()
	f.waiting.Add(1)
	started := f.connection.server.spawn(func() {
		defer f.waiting.Done()
		defer func() { <-f.late }()
		for range times {
			again := *own.seen // the one before belongs to an event now
			own.seen = &again
			if !own.hold(by) || own.out() != nil {
				return
			}
		}
	})
	if !started {
		f.waiting.Done()
		<-f.late
	}
	return started
}
