package relay

import (
	"time"

	"github.com/assay-hil/assay/rigs/serial"
)

// incoming is a new event of the emulator on its way to the worker.
type incoming struct {
	at    time.Time
	seq   byte
	words []string
}

// reader is the state of the goroutine that parses the line.
type reader struct {
	*Driver
	// greeted is set by the first reply to a HELLO; what comes before is thrown away, §5.
	greeted bool
	// last is the number of the last event taken; seen says that there was one since the HELLO.
	last byte
	seen bool
}

// read parses lines until the line ends.
func (d *Driver) read() {
	defer close(d.ended)
	defer close(d.queue)
	r := reader{Driver: d}
	// A CR may stand beside a line of full length.
	lines := serial.Assembler{Max: maxLine + 1, End: serial.LF}
	for chunk := range d.line.Chunks() {
		for _, row := range lines.Feed(chunk) {
			r.take(row)
		}
	}
}

// take handles one line.
func (r *reader) take(row serial.Row) {
	m, err := parseLine(row.Bytes)
	if err != nil || row.Overlong {
		r.count(func(s *Stats) { s.BadLines++ })
		return
	}
	switch {
	case len(m.words) == 0:
	case m.kind == reply:
		r.reply(m)
	case m.kind == event && r.greeted:
		r.event(row.At, m)
	}
}

// reply hands a reply to the request that waits for it. Others are late repeats.
func (r *reader) reply(m message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.pending
	if c == nil || c.seq != m.seq {
		return
	}
	r.pending = nil
	if c.hello {
		// The emulator numbers its events anew from here on. That must be known
		// before the next line is looked at, so it is done here and not by the caller.
		r.greeted, r.seen = true, false
	}
	c.reply <- m.words
}

// event acknowledges an event, then queues it if it is new. An event that the queue can't
// hold gets no acknowledgement, so that the emulator keeps it.
func (r *reader) event(at time.Time, m message) {
	repeat := r.seen && r.last == m.seq
	if !repeat && len(r.queue) == cap(r.queue) {
		r.count(func(s *Stats) { s.Refused++ })
		return
	}
	// The line's own limit bounds the write. If it fails the emulator repeats the event;
	// the work is done all the same.
	if line, err := (message{kind: ack, seq: m.seq, words: []string{"ACK"}}).encode(); err == nil {
		_ = r.line.Write(r.life, line)
	}
	if repeat {
		r.count(func(s *Stats) { s.Duplicates++ })
		return
	}
	r.last, r.seen = m.seq, true
	// Only this goroutine sends, and there was room: this never waits.
	r.queue <- incoming{at: at, seq: m.seq, words: m.words}
}
