// Package reports writes what a run leaves behind, the run folder, and everything that is made of
// it: pages for people, JUnit, CTRF and Prometheus for programs. It computes nothing about terminals:
// everything is taken from the harness's records.
//
// A run folder (Format) holds
//
//	plan.json                  what was meant to run, with the guide's page of each scenario; before anything runs
//	environment.json           binary, catalogue, rig, profiles, with their digests; likewise
//	events.jsonl               what happened in the run: begun, scenario begun, result, ended
//	timeline/<name>.jsonl      every event of a scenario, masked, written as it happened
//	results.jsonl              a line for each attempt that ended
//	summary.json               the counts; rewritten after each result
//	evidence/sha256/…          evidence of scenarios by digest, each blob once
//	evidence/…, evidence.json  evidence of the run as a whole, and its list; the list at the end
//	junit.xml, ctrf.json, metrics.prom   for programs; at the end
//	index.html, scenario/, assets/       for people; at the end, without network
//
// Every line is written in one write and is on the disk before anybody is told. So what a killed process
// left can be opened (Open), and says where it ended.
package reports

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/assay-hil/assay/harness/record"
)

// Names of the files in a run folder.
const (
	PlanFile        = "plan.json"
	EnvironmentFile = "environment.json"
	EventsFile      = "events.jsonl"
	ResultsFile     = "results.jsonl"
	SummaryFile     = "summary.json"
	EvidenceFile    = "evidence.json"
	JUnitFile       = "junit.xml"
	CTRFFile        = "ctrf.json"
	MetricsFile     = "metrics.prom"
	IndexFile       = "index.html"
	timelineDir     = "timeline"
	evidenceDir     = "evidence"
	scenarioDir     = "scenario"
	assetsDir       = "assets"
)

// Folder is a run folder being written. It is safe for use by several goroutines.
type Folder struct {
	path  string
	begun time.Time
	blobs sync.Mutex

	mu      sync.Mutex
	file    *os.File
	events  *os.File
	tell    io.Writer // gets the events too; nil for nobody
	past    Past
	plan    Plan
	env     Environment
	results []record.Result
	byName  map[string][]int // name → attempts, as indexes of results
	summary Summary
	closed  bool
}

// Start is what is known of a run before it begins. Only Summary is needed: its Planned, where there is no
// plan.
type Start struct {
	Summary     Summary
	Plan        Plan
	Environment Environment
	// Events gets every line of events.jsonl too, as it is written; nil for nobody.
	Events io.Writer
	// Past knows earlier runs, for the pages; nil where nobody does.
	Past Past
}

// Create makes a folder for a run without a plan; see Begin.
func Create(path string, s Summary) (*Folder, error) { return Begin(path, Start{Summary: s}) }

// Begin makes the folder, which must not hold a run already, and writes plan, environment and the first
// summary.
func Begin(path string, s Start) (*Folder, error) {
	if _, err := os.Stat(filepath.Join(path, ResultsFile)); err == nil {
		return nil, fmt.Errorf("%s already holds a run; give another folder", path)
	}
	if err := os.MkdirAll(filepath.Join(path, timelineDir), 0o755); err != nil {
		return nil, err
	}
	f := &Folder{path: path, begun: time.Now(), tell: s.Events, past: s.Past, plan: s.Plan, env: s.Environment,
		byName: map[string][]int{}, summary: s.Summary}
	f.summary.Format, f.plan.Format, f.env.Format = Format, Format, Format
	f.summary.Started = f.begun.UTC()
	if len(f.plan.Items) > 0 {
		f.summary.Planned = len(f.plan.Items)
		if err := errors.Join(f.writeJSON(PlanFile, f.plan), f.writeJSON(EnvironmentFile, f.env)); err != nil {
			return nil, err
		}
	}
	f.summary.NotRun = f.summary.Planned
	return f, f.open()
}

// open begins the files that grow. results.jsonl is last: with it, the folder holds a run.
func (f *Folder) open() (err error) {
	const flags = os.O_CREATE | os.O_EXCL | os.O_WRONLY | os.O_APPEND
	if err := f.writeSummary(); err != nil {
		return err
	}
	_ = os.Remove(filepath.Join(f.path, EventsFile)) // of a run that died before it had results.jsonl
	if f.events, err = os.OpenFile(filepath.Join(f.path, EventsFile), flags, 0o644); err != nil {
		return err
	}
	if f.file, err = os.OpenFile(filepath.Join(f.path, ResultsFile), flags, 0o644); err != nil {
		return errors.Join(err, f.events.Close())
	}
	return f.event(Event{Event: EventRunBegun, Summary: &f.summary})
}

// Path is the folder.
func (f *Folder) Path() string { return f.path }

// Timeline gives the path of the timeline of a scenario's next attempt, relative to the folder.
func (f *Folder) Timeline(name string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.byName[name]); n > 0 {
		name = fmt.Sprintf("%s.%d", name, n+1)
	}
	return filepath.Join(timelineDir, name+".jsonl")
}

// Create makes a file for evidence that is in no timeline, by its path within the folder's evidence.
func (f *Folder) Create(path string) (*os.File, error) {
	path = filepath.Join(f.path, evidenceDir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
}

// Start records that a scenario begins.
func (f *Folder) Start(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return errEnded
	}
	return f.event(Event{Event: EventBegun, Name: name, Attempt: len(f.byName[name]) + 1})
}

var errEnded = errors.New("the run has ended")

// Add records the result of one attempt: in one write, and on the disk before it returns. A result that was
// not planned and one after Close are refused.
func (f *Folder) Add(r record.Result) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	name := r.ID()
	before := f.byName[name]
	switch {
	case f.closed:
		return errEnded
	case len(f.plan.Items) > 0 && !slices.ContainsFunc(f.plan.Items, func(i Item) bool { return i.Name == name }):
		return fmt.Errorf("%s is not in the plan", name)
	case len(before) == 0 && len(f.byName) >= f.summary.Planned:
		return fmt.Errorf("%s is one result more than the %d planned", name, f.summary.Planned)
	}
	r.Attempt = len(before) + 1
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := f.file.Write(append(line, '\n')); err != nil {
		return err
	}
	if err := f.file.Sync(); err != nil {
		return err
	}
	f.results = append(f.results, r)
	f.byName[name] = append(before, len(f.results)-1)
	f.summary.add(f.attempts(name))
	return errors.Join(f.writeSummary(), f.event(Event{Event: EventResult, Name: name, Attempt: r.Attempt, Result: &r}))
}

// attempts are the results of one name, the newest last.
func (f *Folder) attempts(name string) []record.Result {
	var all []record.Result
	for _, i := range f.byName[name] {
		all = append(all, f.results[i])
	}
	return all
}

// add brings the newest of a scenario's attempts into the counts.
func (s *Summary) add(attempts []record.Result) {
	n := len(attempts) - 1
	newest := attempts[n]
	s.Attempts++
	s.TerminalSeconds += newest.TerminalSeconds
	if n > 0 {
		s.count(Decide(attempts[:n]).Verdict, -1)
	}
	if n == 1 {
		s.Retried++
	}
	s.count(Decide(attempts).Verdict, 1)
	if v := newest.Firmware; v != "" && !slices.Contains(s.Firmware, v) {
		s.Firmware = append(s.Firmware, v)
		slices.Sort(s.Firmware)
	}
}

// Close ends the run: the list of its evidence, the last summary, what programs and people read, and the final scan for
// card data, which comes after everything is written. It returns the summary.
func (f *Folder) Close() (Summary, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return f.summary, nil
	}
	f.closed = true
	f.summary.Complete = true
	err := errors.Join(f.file.Close(), f.writeEvidence(), f.writeSummary())
	run := &Run{Dir: f.path, Summary: f.summary, Plan: f.plan, Environment: f.env, Results: f.results}
	err = errors.Join(err, run.Render(f.past), run.crossCheck())
	err = errors.Join(err, run.scan(), f.event(Event{Event: EventRunEnded, Summary: &run.Summary}), f.events.Close())
	f.summary = run.Summary
	if len(f.summary.Leaks) > 0 {
		err = errors.Join(err, run.Render(f.past)) // the page must say so
	}
	return f.summary, errors.Join(err, f.writeSummary())
}

func (f *Folder) writeSummary() error {
	f.summary.WallSeconds = time.Since(f.begun).Seconds()
	return f.writeJSON(SummaryFile, f.summary)
}

func (f *Folder) writeJSON(name string, v any) error {
	return f.write(name, func() ([]byte, error) {
		b, err := json.MarshalIndent(v, "", "  ")
		return append(b, '\n'), err
	})
}

func (f *Folder) write(name string, make func() ([]byte, error)) error {
	return replace(filepath.Join(f.path, name), make)
}

// replace replaces a file as a whole: a reader sees the old one or the new one, never half.
func replace(path string, make func() ([]byte, error)) error {
	b, err := make()
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
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
