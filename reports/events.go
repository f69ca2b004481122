package reports

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/assay-hil/assay/harness/record"
)

// Kinds of events of a run.
const (
	EventRunBegun = "run-begun" // with the summary
	EventBegun    = "begun"     // a scenario begins
	EventResult   = "result"    // with the result
	EventRunEnded = "run-ended" // with the summary
)

// Event is a line of events.jsonl, and of `assay run --events`.
type Event struct {
	Event   string         `json:"event"`
	At      time.Time      `json:"at"`
	Name    string         `json:"name,omitempty"`
	Attempt int            `json:"attempt,omitempty"`
	Result  *record.Result `json:"result,omitempty"`
	Summary *Summary       `json:"summary,omitempty"`
}

// event writes an event, in the folder without what results.jsonl has. A listener that goes away is not
// the run's failure.
func (f *Folder) event(e Event) error {
	e.At = time.Now().UTC()
	if f.tell != nil {
		if line, err := json.Marshal(e); err == nil {
			if _, err = f.tell.Write(append(line, '\n')); err != nil {
				f.tell = nil
			}
		}
	}
	e.Result = nil
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = f.events.Write(append(line, '\n'))
	return errors.Join(err)
}
