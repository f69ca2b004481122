package reports

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/assay-hil/assay/harness/record"
)

// maxResult bounds one line of results.jsonl, in bytes.
const maxResult = 16 << 20

// Run is a run folder as it was read. The results are those that are whole.
type Run struct {
	Dir         string
	Plan        Plan
	Environment Environment
	Summary     Summary
	Results     []record.Result
	// During is the scenario in which the process died; "" when it did not, or was between two.
	During string
	// Cut says that the last line of results.jsonl was half-written. It counts for nothing.
	Cut bool
}

// Open reads a run folder, also one whose process died or still writes, and also one of before Format. The counts
// are made anew from the results.
func Open(dir string) (*Run, error) {
	r := &Run{Dir: dir}
	if err := r.read(SummaryFile, &r.Summary); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s is no run folder: it has no %s", dir, SummaryFile)
		}
		return nil, err
	}
	if f := r.Summary.Format; f != "" && f != Format {
		return nil, fmt.Errorf("%s is of format %q; this assay reads %q", dir, f, Format)
	}
	for name, into := range map[string]any{PlanFile: &r.Plan, EnvironmentFile: &r.Environment} {
		if err := r.read(name, into); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if err := r.readResults(); err != nil {
		return nil, err
	}
	r.recount()
	if !r.Summary.Complete {
		return r, r.findEnd()
	}
	return r, nil
}

func (r *Run) read(name string, into any) error {
	b, err := os.ReadFile(filepath.Join(r.Dir, name))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(r.Dir, name), err)
	}
	return nil
}

func (r *Run) readResults() error {
	path := filepath.Join(r.Dir, ResultsFile)
	cut, err := lines(path, maxResult, func(n int, line []byte) error {
		var result record.Result
		if err := json.Unmarshal(line, &result); err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
		r.Results = append(r.Results, result)
		return nil
	})
	r.Cut = cut
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it died before it had begun
	}
	return err
}

// lines reads a file of lines. A last line without an end was cut off and is left out.
func lines(path string, limit int, do func(n int, line []byte) error) (cut bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(make([]byte, 64<<10), limit)
	s.Split(func(data []byte, end bool) (int, []byte, error) {
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			return i + 1, data[:i], nil
		}
		if end && len(data) > 0 {
			cut = true
			return len(data), nil, nil
		}
		return 0, nil, nil
	})
	for n := 1; s.Scan(); n++ {
		if err := do(n, s.Bytes()); err != nil {
			return cut, err
		}
	}
	if err := s.Err(); err != nil {
		return cut, fmt.Errorf("%s: %w", path, err)
	}
	return cut, nil
}

// recount makes the counts of what is there: the summary may be one result behind.
func (r *Run) recount() {
	s := &r.Summary
	if len(r.Plan.Items) > 0 {
		s.Planned = len(r.Plan.Items)
	}
	s.Passed, s.Marginal, s.Failed, s.Inconclusive, s.Skipped, s.Attempts, s.Retried, s.TerminalSeconds = 0, 0, 0, 0, 0, 0, 0, 0
	s.NotRun = s.Planned
	byName := map[string][]record.Result{}
	for _, result := range r.Results {
		byName[result.ID()] = append(byName[result.ID()], result)
		s.add(byName[result.ID()])
	}
}

// findEnd tells where a run without an end was: the scenario that began last and has no result.
func (r *Run) findEnd() error {
	path := filepath.Join(r.Dir, EventsFile)
	var last time.Time
	_, err := lines(path, maxResult, func(n int, line []byte) error {
		var e Event
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
		last = e.At
		if e.Event == EventBegun {
			r.During = e.Name
			if slices.ContainsFunc(r.Results, func(x record.Result) bool { return x.ID() == e.Name && max(x.Attempt, 1) == e.Attempt }) {
				r.During = ""
			}
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if !last.IsZero() {
		r.Summary.WallSeconds = last.Sub(r.Summary.Started).Seconds()
	}
	return err
}

// Ended says in a sentence how the run ended.
func (r *Run) Ended() string {
	s := r.Summary
	done := s.Planned - s.NotRun
	switch {
	case s.Complete && s.NotRun == 0:
		return fmt.Sprintf("It came to its end: %d of %d.", done, s.Planned)
	case s.Complete:
		return fmt.Sprintf("It was ended early, after %d of %d.", done, s.Planned)
	case r.During != "":
		return fmt.Sprintf("The process died in %s, or is still in it, after %d of %d.", r.During, done, s.Planned)
	default:
		return fmt.Sprintf("The process died after %d of %d, or has not gone on yet.", done, s.Planned)
	}
}

// Outcome is what became of one planned item.
type Outcome struct {
	Item     Item
	Result   record.Result   // the one that decides; Verdict NotRun without any
	Attempts []record.Result // all, in their order
}

// Outcomes gives every planned item in the plan's order, also those that were not run. Without a plan, what has
// results stands for it.
func (r *Run) Outcomes() []Outcome {
	byName := map[string][]record.Result{}
	var order []string
	for _, result := range r.Results {
		if byName[result.ID()] == nil {
			order = append(order, result.ID())
		}
		byName[result.ID()] = append(byName[result.ID()], result)
	}
	items := r.Plan.Items
	if len(items) == 0 {
		for _, name := range order {
			items = append(items, itemOf(byName[name][0]))
		}
		for n := len(items); n < r.Summary.Planned; n++ {
			items = append(items, Item{Name: fmt.Sprintf("not run %d", n+1-len(order))})
		}
	}
	outcomes := make([]Outcome, 0, len(items))
	for _, item := range items {
		o := Outcome{Item: item, Attempts: byName[item.Name]}
		if len(o.Attempts) > 0 {
			o.Result = Decide(o.Attempts)
		} else {
			o.Result = record.Result{Name: item.Name, Scenario: item.Scenario, TitleEN: item.Title.EN, TitleZH: item.Title.ZH, Article: item.Article,
				Profile: item.Profile, Lang: item.Lang, Rig: r.Summary.Rig, Labels: item.Labels, Verdict: record.NotRun, Why: "the run ended before"}
			if item.Name == r.During {
				o.Result.Why = "the process died in it"
			}
		}
		outcomes = append(outcomes, o)
	}
	return outcomes
}

// itemOf makes an item of a run without a plan.
func itemOf(r record.Result) Item {
	var family string
	if len(r.Labels) > 0 {
		family = r.Labels[0]
	}
	return Item{Name: r.ID(), Scenario: r.Scenario, Title: Text{r.TitleEN, r.TitleZH}, Profile: r.Profile, Lang: r.Lang,
		Family: family, Article: r.Article, Labels: r.Labels}
}

// Find gives the run folders at or below a folder, in the order of their names: those of a night are below its
// own.
func Find(root string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{timelineDir, evidenceDir, scenarioDir, assetsDir}, d.Name())) {
			return fs.SkipDir
		}
		if !d.IsDir() && d.Name() == ResultsFile {
			found = append(found, filepath.Dir(path))
		}
		return nil
	})
	return found, err
}
