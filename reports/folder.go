// Package reports writes what a run leaves behind: the run folder, with a line for each result as
// it comes, and at the end JUnit and one HTML file. It computes nothing about terminals:
// everything is taken from the harness's records.
//
// A run folder holds
//
//	timeline/<scenario>.jsonl  every event, masked, written as it happened
//	results.jsonl              a line for each scenario that ended
//	summary.json               the counts; rewritten after each scenario
//	junit.xml                  for CI; at the end
//	index.html                 for people; at the end, one file, no network
package reports

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/assay-hil/assay/harness/record"
)

// Summary is the run in numbers. The seven counts after Planned add up to it.
type Summary struct {
	Planned      int `json:"planned"`
	Passed       int `json:"passed"`
	Marginal     int `json:"marginal"`
	Failed       int `json:"failed"`
	Inconclusive int `json:"inconclusive"`
	Skipped      int `json:"skipped"`
	// NotRun are planned scenarios that the run did not come to: it was interrupted, or it is still going.
	NotRun int `json:"not_run"`

	Rig string `json:"rig"`
	// RigFile is what the rig was given as, where that is not its name: a lab's rig file.
	RigFile string `json:"rig_file,omitempty"`
	Profile string `json:"profile"`
	Lang    string `json:"lang"`
	Seed    int64  `json:"seed"`
	Version string `json:"version"`
	// Defects and BenchFaults were planted on purpose; a run with any certifies nothing.
	Defects     []string  `json:"defects,omitempty"`
	BenchFaults []string  `json:"bench_faults,omitempty"`
	Started     time.Time `json:"started"`
	// WallSeconds is real time, TerminalSeconds the sum of the scenarios' in the terminal's time.
	WallSeconds     float64 `json:"wall_seconds"`
	TerminalSeconds float64 `json:"terminal_seconds"`
	// Complete is set when the run came to its end, interrupted or not. Without it the process died.
	Complete bool `json:"complete"`
}

// Names of the files in a run folder.
const (
	ResultsFile = "results.jsonl"
	SummaryFile = "summary.json"
	JUnitFile   = "junit.xml"
	IndexFile   = "index.html"
	timelineDir = "timeline"
)

// Folder is a run folder being written. It is safe for use by several goroutines.
type Folder struct {
	path string

	mu      sync.Mutex
	begun   time.Time
	file    *os.File
	results []record.Result
	summary Summary
	closed  bool
}

// Create makes the folder, which must not hold a run already, and writes the first summary.
func Create(path string, s Summary) (*Folder, error) {
	if _, err := os.Stat(filepath.Join(path, ResultsFile)); err == nil {
		return nil, fmt.Errorf("%s already holds a run; give another folder", path)
	}
	if err := os.MkdirAll(filepath.Join(path, timelineDir), 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(path, ResultsFile), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	f := &Folder{path: path, begun: time.Now(), file: file, summary: s}
	f.summary.Started = f.begun.UTC()
	f.summary.NotRun = s.Planned
	if err := f.writeSummary(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return f, nil
}

// Path is the folder.
func (f *Folder) Path() string { return f.path }

// Timeline gives the path of a scenario's timeline, relative to the folder.
func (f *Folder) Timeline(name string) string { return filepath.Join(timelineDir, name+".jsonl") }

// Add records the result of one scenario: in one write, and on the disk before it returns. A
// result beyond the plan and one after Close are refused.
func (f *Folder) Add(r record.Result) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return errors.New("the run has ended")
	}
	if len(f.results) >= f.summary.Planned {
		return fmt.Errorf("%s is one result more than the %d planned", r.Scenario, f.summary.Planned)
	}
	if _, err := f.file.Write(append(line, '\n')); err != nil {
		return err
	}
	if err := f.file.Sync(); err != nil {
		return err
	}
	f.results = append(f.results, r)
	f.summary.count(r)
	return f.writeSummary()
}

// Close ends the run: the last summary, JUnit and HTML. It returns the summary.
func (f *Folder) Close() (Summary, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return f.summary, nil
	}
	f.closed = true
	f.summary.Complete = true
	err := errors.Join(
		f.file.Close(),
		f.writeSummary(),
		f.write(JUnitFile, func() ([]byte, error) { return JUnit(f.summary, f.results) }),
		f.write(IndexFile, func() ([]byte, error) { return HTML(f.path, f.summary, f.results) }),
	)
	return f.summary, err
}

// count adds a result to the counts.
func (s *Summary) count(r record.Result) {
	s.NotRun--
	s.TerminalSeconds += r.TerminalSeconds
	switch r.Verdict {
	case record.Pass:
		s.Passed++
	case record.Marginal:
		s.Marginal++
	case record.Fail:
		s.Failed++
	case record.Skipped:
		s.Skipped++
	case record.NotRun:
		s.NotRun++
	default:
		s.Inconclusive++
	}
}

func (f *Folder) writeSummary() error {
	f.summary.WallSeconds = time.Since(f.begun).Seconds()
	return f.write(SummaryFile, func() ([]byte, error) {
		b, err := json.MarshalIndent(f.summary, "", "  ")
		return append(b, '\n'), err
	})
}

// write replaces a file as a whole: a reader sees the old one or the new one, never half.
func (f *Folder) write(name string, make func() ([]byte, error)) error {
	b, err := make()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	path := filepath.Join(f.path, name)
	if err := writeSynced(path+".new", b); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// writeSynced writes a file and has it on the disk before it returns: after a loss of power a
// renamed file must not turn out empty.
func writeSynced(path string, b []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}
