package cardslot

import (
	"fmt"
	"time"
)

// event is one that waits or is unacknowledged.
type event struct {
	text    string
	command *command // for a CAPDU: gets the event's number when that is known
	lost    int      // for a LOST: how many it reports
}

// events is the queue of PROTOCOL.md §3.
type events struct {
	waiting  []event
	current  *event // sent and not acknowledged
	number   byte   // of current
	sendings int    // of current
	next     byte   // number of the next one
	lost     int    // dropped and not yet reported
	quiet    bool   // a LOST was not taken either: wait for a sign of life
	repeat   *time.Timer
}

// restart forgets everything: a HELLO begins a new conversation.
func (e *events) restart() {
	e.repeat.Stop()
	*e = events{repeat: e.repeat}
}

// emit queues an event, or counts it as lost.
func (s *Slot) emit(next event) {
	if len(s.events.waiting) == EventLimit {
		s.events.lost++
		return
	}
	s.events.waiting = append(s.events.waiting, next)
	s.events.quiet = false
	s.pump()
}

// pump sends the next event if none is unacknowledged. A loss is reported first.
func (s *Slot) pump() {
	e := &s.events
	switch {
	case e.current != nil:
		return
	case e.lost > 0 && !e.quiet:
		e.current = &event{text: fmt.Sprintf("LOST %d", e.lost), lost: e.lost}
	case len(e.waiting) > 0:
		first := e.waiting[0]
		e.waiting = e.waiting[1:]
		e.current = &first
	default:
		return
	}
	e.number = e.next
	e.next++
	e.sendings = 0
	if c := e.current.command; c != nil {
		c.number = int(e.number)
	}
	s.sendEvent()
}

func (s *Slot) sendEvent() {
	s.events.sendings++
	s.send(kindEvent, s.events.number, s.events.current.text)
	s.events.repeat.Reset(AckWait)
}

// acknowledged ends the current event.
func (s *Slot) acknowledged(number byte) {
	e := &s.events
	if e.current != nil && e.number == number {
		e.lost -= e.current.lost
		e.current = nil
		e.repeat.Stop()
	}
	s.hostAlive()
}

// repeatEvent is called when the current event has waited long enough.
func (s *Slot) repeatEvent() {
	e := &s.events
	if e.current == nil {
		return
	}
	if e.sendings < Sendings {
		s.sendEvent()
		return
	}
	if e.current.lost > 0 {
		e.quiet = true // still counted in e.lost; no use in asking a dead host for ever
	} else {
		e.lost++
	}
	e.current = nil
	s.pump()
}

// hostAlive goes on with events that waited for a sign of life.
func (s *Slot) hostAlive() {
	s.events.quiet = false
	s.pump()
}
