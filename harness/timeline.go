package harness

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/protocol/mask"
)

// maxEvents bounds one scenario's timeline. A terminal that floods its debug line meets it.
const maxEvents = 50_000

// Timeline is one scenario's record: append-only, masked, and on disk before anything is judged from it.
// Every Add reaches the operating system at once, so what was recorded outlives a killed
// process. It is safe for use by several goroutines.
type Timeline struct {
	mu     sync.Mutex
	file   *os.File
	start  time.Time
	events []record.Event
	line   []byte // the last one, whose space is used again
	err    error
	closed bool
	keep   Keep
}

// Keep stores a piece of evidence, which is masked already.
type Keep func(kind, name string, data []byte) (record.Evidence, error)

// KeepEvidence says where evidence of this scenario goes; without it none is kept.
func (t *Timeline) KeepEvidence(keep Keep) { t.keep = keep }

// CreateTimeline begins a timeline in a new file.
func CreateTimeline(path string) (*Timeline, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	return &Timeline{file: f, start: time.Now()}, nil
}

// Add records what happened at a time. Fields are masked here, once for all sources.
func (t *Timeline) Add(at time.Time, source, kind string, fields map[string]string) {
	masked := make(map[string]string, len(fields))
	for name, value := range fields {
		masked[name] = mask.Text(value)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.err != nil {
		return // a latecomer of an ended scenario must not write into a closed record
	}
	if len(t.events) == maxEvents {
		t.err = fmt.Errorf("more than %d events: the record is incomplete", maxEvents)
		return
	}
	e := record.Event{Seq: len(t.events) + 1, US: at.Sub(t.start).Microseconds(), Wall: at.UTC(), Source: source, Kind: kind, Fields: masked}
	t.line = append(e.AppendJSON(t.line[:0]), '\n')
	if _, err := t.file.Write(t.line); err != nil {
		t.err = fmt.Errorf("timeline: %w", err)
		return
	}
	t.events = append(t.events, e)
}

// Now records what happens now.
func (t *Timeline) Now(source, kind string, fields map[string]string) {
	t.Add(time.Now(), source, kind, fields)
}

// Events returns a copy of what was recorded, and the reason why that is not everything.
func (t *Timeline) Events() ([]record.Event, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]record.Event(nil), t.events...), t.err
}

// Start is the time from which events count.
func (t *Timeline) Start() time.Time { return t.start }

// Close ends the record; later events are refused.
func (t *Timeline) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	t.closed = true
	return errors.Join(t.err, t.file.Sync(), t.file.Close())
}
