package network

import (
	"time"

	"github.com/assay-hil/assay/fakes/network/client"
)

// active says if a schedule's faults act at a time since arming.
func active(s *client.Schedule, at time.Duration) bool {
	switch {
	case s == nil:
		return true
	case at < s.From, s.Until > 0 && at >= s.Until:
		return false
	case s.Every == 0:
		return true
	}
	return (at-s.From)%s.Every < s.For
}

// change gives the next time after at when the schedule's faults begin or cease to act; ok is false
// when they go on as they are.
func change(s *client.Schedule, at time.Duration) (next time.Duration, ok bool) {
	switch {
	case s == nil, s.Until > 0 && at >= s.Until:
		return 0, false
	case at < s.From:
		return s.From, true
	case s.Every == 0:
		return s.Until, s.Until > 0
	}
	begin := s.From + (at-s.From)/s.Every*s.Every
	next = begin + s.Every
	if at < begin+s.For {
		next = begin + s.For
	}
	if s.Until > 0 {
		next = min(next, s.Until)
	}
	return next, true
}

// schedule lets an outage begin and end on its schedule, at once where that begins with arming.
func (p *plan) schedule(e *entry, o outage) error {
	if active(e.spec.Schedule, 0) {
		if err := p.shut(e, o, nil); err != nil {
			return err
		}
	}
	if _, changes := change(e.spec.Schedule, 0); !changes {
		return nil
	}
	if !p.server.spawn(func() { p.follow(e, o) }) {
		return ErrClosed
	}
	return nil
}

// follow changes an outage at each of its schedule's times, until healed.
func (p *plan) follow(e *entry, o outage) {
	at, more := change(e.spec.Schedule, 0)
	for ; more; at, more = change(e.spec.Schedule, at) {
		timer := time.NewTimer(time.Until(p.began.Add(at)))
		select {
		case <-timer.C:
		case <-p.healed:
			timer.Stop()
			return
		case <-p.server.ctx.Done():
			timer.Stop()
			return
		}
		var err error
		if active(e.spec.Schedule, at) {
			err = p.shut(e, o, nil)
		} else {
			err = e.reopen(p.server.ctx)
		}
		if err != nil {
			e.unproven(p, nil, err)
		}
	}
}
