// Package feed is how a fake tells what happened to it: an append-only, bounded log of
// events, read over HTTP by position. A fake appends; its client follows. Time stamps are
// carried on the log's own monotonic clock, so that a follower on another machine needs no
// common clock and the distances between events are exact.
package feed

import (
	"sync"
	"time"
)

// Event is one thing that happened. Fields hold words that may be written to disk: whoever
// appends has left card data out.
type Event struct {
	Seq    uint64            `json:"seq"` // 1, 2, 3 … within one log
	At     time.Time         `json:"at"`
	Kind   string            `json:"kind"`
	Fields map[string]string `json:"fields,omitempty"`
}

// Limit is how many events a log keeps; the oldest go first and are counted.
const Limit = 10_000

// Log is a bounded event log. The zero value is ready.
type Log struct {
	mu      sync.Mutex
	events  []Event
	seq     uint64
	dropped uint64
	changed chan struct{}
	born    time.Time // of the first event: the log's own clock starts there
}

// Append records an event now and returns it.
func (l *Log) Append(kind string, fields map[string]string) Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	e := Event{Seq: l.seq, At: time.Now(), Kind: kind, Fields: fields}
	if l.born.IsZero() {
		l.born = e.At
	}
	if len(l.events) == Limit {
		l.events = l.events[1:] // append moves the rest to a new array once in a while, not every time
		l.dropped++
	}
	l.events = append(l.events, e)
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
	return e
}

// After returns the events whose Seq is greater than seq, and a channel that is closed when
// there are more. Dropped counts all events that the log no longer holds.
func (l *Log) After(seq uint64) (events []Event, dropped uint64, more <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, e := range l.events {
		if e.Seq > seq {
			events = append(events, l.events[i:]...)
			break
		}
	}
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	return events, l.dropped, l.changed
}

// clock gives a time on the log's own, monotonic clock.
func (l *Log) clock(at time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.born.IsZero() {
		return 0
	}
	return at.Sub(l.born)
}

// Last is the newest event's Seq; 0 in an empty log.
func (l *Log) Last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seq
}
