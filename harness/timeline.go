package harness

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"sync"
	"time"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/protocol/mask"
)

// maxEvents bounds one scenario's timeline. A terminal that floods its debug line meets it.
const maxEvents = 50_000

// usualEvents is room for those of a usual scenario.
const usualEvents = 256

// Timeline is one scenario's record: append-only, masked, and on disk before anything is judged from it.
// Every Add reaches the operating system at once, so what was recorded outlives a killed
// process; see Gather for the exception. It is safe for use by several goroutines.
type Timeline struct {
	mu     sync.Mutex
	file   *os.File
	start  time.Time
	events []record.Event
	lines  []byte // what is not written yet, whose space is used again
	gather bool   // see Gather
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
	return &Timeline{file: f, start: time.Now(), events: make([]record.Event, 0, usualEvents)}, nil
}

// Add records what happened at a time. Fields are masked here, once for all sources.
func (t *Timeline) Add(at time.Time, source, kind string, fields map[string]string) {
	t.record(at, source, kind, maps.Clone(fields))
}

// record is Add of fields that nobody will change.
func (t *Timeline) record(at time.Time, source, kind string, fields map[string]string) {
	masked, copied := fields, false
	for name, value := range fields {
		safe := mask.Text(value)
		if safe == value {
			continue
		}
		if !copied {
			masked, copied = maps.Clone(fields), true
		}
		masked[name] = safe
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
	t.lines = append(e.AppendJSON(t.lines), '\n')
	if !t.gather || len(t.lines) > gatherMost {
		t.flush()
	}
	if t.err == nil {
		t.events = append(t.events, e)
	}
}

// flush writes what is not written yet. It needs the lock.
func (t *Timeline) flush() {
	if len(t.lines) == 0 || t.err != nil {
		return
	}
	if _, err := t.file.Write(t.lines); err != nil {
		t.err = fmt.Errorf("timeline: %w", err)
	}
	t.lines = t.lines[:0]
}

// gatherMost is how many bytes may wait.
const gatherMost = 32 << 10

// Gather lets lines wait for each other, until Flush or Close and 32 KiB at most: for virtual time, where a scenario is over
// before anybody could read its record, and a run that is killed plays it again and finds the same.
func (t *Timeline) Gather() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.gather = true
}

// Flush writes what waits.
func (t *Timeline) Flush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flush()
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
	t.flush()
	return errors.Join(t.err, t.file.Sync(), t.file.Close())
}
