package card

import (
	"sync"

	"github.com/assay-hil/assay/rigs"
)

// DefaultEvents is how many events usually wait for their reader.
const DefaultEvents = 1024

// Events is a bounded stream of what a terminal did with a card. Its methods may be called by
// several goroutines.
type Events struct {
	mu      sync.Mutex
	stream  chan rigs.CardEvent
	closed  bool
	dropped int
}

// NewEvents makes a stream in which limit events wait for the reader; 0 is DefaultEvents.
func NewEvents(limit int) *Events {
	if limit <= 0 {
		limit = DefaultEvents
	}
	return &Events{stream: make(chan rigs.CardEvent, limit)}
}

// C is the stream's end for the reader. It is closed by Close.
func (s *Events) C() <-chan rigs.CardEvent { return s.stream }

// Emit hands out an event and never waits. When nobody reads, the oldest makes room; after Close it
// does nothing.
func (s *Events) Emit(e rigs.CardEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.closed {
		select {
		case s.stream <- e:
			return
		default:
		}
		select {
		case <-s.stream:
			s.dropped++
		default: // the reader was quicker
		}
	}
}

// Dropped is how many events nobody read.
func (s *Events) Dropped() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}

// Close ends the stream. It may be called more than once.
func (s *Events) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.stream)
	}
}
