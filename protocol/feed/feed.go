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

// Fielder has an event's fields in a form of its own; they must not change any more.
type Fielder interface{ Fields() map[string]string }

// words are fields that are made already.
type words map[string]string

// Fields implements Fielder.
func (w words) Fields() map[string]string { return w }

// Limit is how many events a log keeps; the oldest go first and are counted.
const Limit = 10_000

// firstSize is what a log makes room for with its first event.
const firstSize = 64

// record is an event as the log keeps it: small, for there are many and few are ever read.
type record struct {
	at     time.Duration // on the log's clock
	kind   string
	source Fielder
}

// Log is a bounded event log. The zero value is ready.
type Log struct {
	begin sync.Once
	born  time.Time // when the log's own clock started: not after the first event

	mu      sync.Mutex
	records []record // a ring: Seq n is at (n-1) modulo its length, which doubles up to Limit
	seq     uint64
	last    time.Duration // the newest event's time
	dropped uint64
	changed chan struct{}
}

// Append records an event now and returns it.
func (l *Log) Append(kind string, fields map[string]string) Event {
	seq, at := l.add(kind, words(fields))
	return Event{Seq: seq, At: l.born.Add(at), Kind: kind, Fields: fields}
}

// AppendLater is Append for who has many events and few readers: the fields are only made when they
// are read.
func (l *Log) AppendLater(kind string, fields Fielder) { l.add(kind, fields) }

// Later is an event whose fields are only made when they are read.
type Later struct {
	Kind   string
	Fields Fielder
}

// AppendAllLater is AppendLater for several that happen at the same time, in their order. Nothing of the slice is kept.
func (l *Log) AppendAllLater(all []Later) {
	if len(all) == 0 {
		return
	}
	now := l.clock()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range all {
		l.note(now, e.Kind, e.Fields)
	}
	l.wake()
}

func (l *Log) add(kind string, source Fielder) (seq uint64, at time.Duration) {
	now := l.clock() // before the lock: asking takes longer than all that is done under it
	l.mu.Lock()
	defer l.mu.Unlock()
	l.note(now, kind, source)
	l.wake()
	return l.seq, l.last
}

// note needs the lock, as wake does.
func (l *Log) note(now time.Duration, kind string, source Fielder) {
	l.last = max(l.last, now) // another may have been noted in between: times go with the order
	l.seq++
	if l.seq > uint64(len(l.records)) {
		l.grow()
	}
	if l.seq > Limit {
		l.dropped++
	}
	*l.at(l.seq) = record{l.last, kind, source}
}

func (l *Log) wake() {
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// at is where an event is kept.
func (l *Log) at(seq uint64) *record { return &l.records[(seq-1)%uint64(len(l.records))] }

// grow makes room while there may be more. A log that has not lost an event yet is in order in its array.
func (l *Log) grow() {
	if n := len(l.records); n < Limit {
		wider := make([]record, min(max(2*n, firstSize), Limit))
		copy(wider, l.records)
		l.records = wider
	}
}

// After returns the events whose Seq is greater than seq, and a channel that is closed when
// there are more. Dropped counts all events that the log no longer holds.
func (l *Log) After(seq uint64) (events []Event, dropped uint64, more <-chan struct{}) {
	records, first, dropped, more := l.after(seq)
	for i, r := range records {
		events = append(events, Event{Seq: first + uint64(i), At: l.born.Add(r.at), Kind: r.kind, Fields: r.source.Fields()})
	}
	return events, dropped, more
}

// after gives what After does, without making fields; first is the Seq of the first record.
func (l *Log) after(seq uint64) (records []record, first, dropped uint64, more <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first = max(seq, l.dropped) + 1
	for n := first; n <= l.seq; n++ {
		records = append(records, *l.at(n))
	}
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	return records, first, l.dropped, l.changed
}

// clock is the time on the log's own, monotonic clock.
func (l *Log) clock() time.Duration {
	l.begin.Do(func() { l.born = time.Now() })
	return time.Since(l.born)
}

// Last is the newest event's Seq; 0 in an empty log.
func (l *Log) Last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seq
}
