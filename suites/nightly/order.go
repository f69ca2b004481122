package nightly

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/reports"
	"github.com/assay-hil/assay/rigs/state"
)

const (
	rigsDir   = "rigs"
	orderFile = "order.json"
	// maxOrders bounds the processes for one rig in one night's folder.
	maxOrders = 10_000
)

// Order is what one process is told to run, and how that ended.
type Order struct {
	Number    int       `json:"number"` // from 1, on its rig
	Repeat    int       `json:"repeat"`
	Profile   string    `json:"profile"`
	Lang      string    `json:"lang"`
	Scenarios []string  `json:"scenarios"`
	Begun     time.Time `json:"begun"`
	// Ending is nil while the process runs, and when the night ended before it.
	Ending *Ending `json:"ending,omitempty"`
}

// Ending is how a process ended.
type Ending struct {
	Code int    `json:"code"`           // exit code; -1 when a signal ended it or it could not be started
	Said string `json:"said,omitempty"` // the end of what it said to its standard error, or why it could not be started
	// Stopped is why it was told to stop; "" when it ended by itself.
	Stopped string `json:"stopped,omitempty"`
	// During is the scenario in which the process died; "" when it did not die in one.
	During string `json:"during,omitempty"`
}

// died says that the process did not come to its own end.
func (e Ending) died() bool { return e.Code < 0 }

// whole says that what an order's results say of the harness is not only that it was interrupted.
func (o Order) whole() bool { return o.Ending != nil && o.Ending.Stopped == "" && !o.Ending.died() }

func (o Order) key(scenario string) key { return key{group{o.Repeat, o.Profile, o.Lang}, scenario} }

// orderDir is an order's folder, relative to the night's.
func orderDir(rig string, number int) string {
	return filepath.Join(rigsDir, rig, fmt.Sprintf("%03d", number))
}

func (o Order) save(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return writeJSON(filepath.Join(dir, orderFile), o)
}

// past gives the orders that a rig was given in this night's folder so far.
func past(night, rig string) ([]Order, error) {
	entries, err := os.ReadDir(filepath.Join(night, rigsDir, rig))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var orders []Order
	for _, e := range entries { // sorted by name
		number, err := strconv.Atoi(e.Name())
		if err != nil || !e.IsDir() {
			continue // a log
		}
		o := Order{Number: number}
		if err := state.Read(filepath.Join(night, rigsDir, rig, e.Name(), orderFile), &o); err != nil {
			return nil, err
		}
		orders = append(orders, o)
	}
	return orders, nil
}

// results reads the results in a run folder from an offset on, and gives the next offset. A line that
// is not whole yet, or never will be because the process died in it, is left for the next time.
func results(dir string, offset int64) ([]record.Result, int64, error) {
	f, err := os.Open(filepath.Join(dir, reports.ResultsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, offset, nil // the process has not come so far
	}
	if err != nil {
		return nil, offset, err
	}
	defer f.Close()
	return readResults(f, offset)
}

// begunIn gives the scenario of an order that has a timeline but no result.
func (o Order) begunIn(dir string, done []record.Result) string {
	has := map[string]bool{}
	for _, r := range done {
		has[r.Scenario] = true
	}
	for _, s := range o.Scenarios {
		if has[s] {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "timeline", s+".jsonl")); err == nil {
			return s
		}
	}
	return ""
}

// readResults reads whole lines from an offset on.
func readResults(f *os.File, offset int64) ([]record.Result, int64, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, offset, err
	}
	var all []record.Result
	for line, err := range linesFrom(f, offset, info.Size()) {
		if err != nil {
			return all, offset, err
		}
		var r record.Result
		if err := json.Unmarshal(line, &r); err != nil {
			return all, offset, fmt.Errorf("%s at byte %d: %w", f.Name(), offset, err)
		}
		all = append(all, r)
		offset += int64(len(line))
	}
	return all, offset, nil
}
