package nightly

import (
	"path/filepath"
	"slices"
	"time"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/reports"
)

// Attempt is one time that a task was tried.
type Attempt struct {
	Verdict record.Verdict `json:"verdict"`
	Cause   record.Cause   `json:"cause,omitempty"`
	Why     string         `json:"why,omitempty"`
	Started time.Time      `json:"started"`
	Seconds float64        `json:"seconds"`
	// Report and Timeline are paths within the night's folder; "" where the process died before.
	Report   string `json:"report,omitempty"`
	Timeline string `json:"timeline,omitempty"`
	// Interrupted says that the attempt was not let to its end. It decides nothing.
	Interrupted bool `json:"interrupted,omitempty"`
}

// book keeps what was tried on one rig.
type book struct {
	rig      string
	retry    Retry
	tasks    []Task
	attempts map[key][]Attempt
}

func newBook(rig string, retry Retry, tasks []Task) *book {
	return &book{rig: rig, retry: retry, tasks: tasks, attempts: map[key][]Attempt{}}
}

// decided gives the attempts of a task that count.
func (b *book) decided(k key) []Attempt {
	return slices.DeleteFunc(slices.Clone(b.attempts[k]), func(a Attempt) bool { return a.Interrupted })
}

// verdict is what a task's attempts come to: a failure of the terminal stands, else the last
// attempt decides. A task without any is not run.
func (b *book) verdict(t Task) (record.Verdict, Attempt) {
	if t.Skip != "" {
		return record.Skipped, Attempt{Verdict: record.Skipped, Why: t.Skip}
	}
	all := b.decided(t.key())
	if len(all) == 0 {
		return record.NotRun, Attempt{Verdict: record.NotRun}
	}
	last := all[len(all)-1]
	if i := slices.IndexFunc(all, func(a Attempt) bool { return a.Verdict == record.Fail }); i >= 0 {
		last = all[i]
	}
	return last.Verdict, last
}

// open says whether a task needs an attempt: its first, or one more by the retry policy.
func (b *book) open(t Task) bool {
	if t.Skip != "" {
		return false
	}
	all := b.decided(t.key())
	if len(all) == 0 {
		return true
	}
	last := all[len(all)-1].Verdict
	return len(all) < b.retry.Attempts && slices.Contains(b.retry.On, string(last))
}

// next gives what is to be run next: of the first group with something open, the tasks that were
// tried least. tried is how often that is; ok is false when nothing is open.
func (b *book) next() (g group, scenarios []string, tried int, ok bool) {
	for _, t := range b.tasks {
		if !b.open(t) || ok && t.key().group != g {
			continue
		}
		n := len(b.decided(t.key()))
		if !ok || n < tried {
			g, tried, scenarios, ok = t.key().group, n, nil, true
		}
		if n == tried {
			scenarios = append(scenarios, t.Scenario)
		}
	}
	return g, scenarios, tried, ok
}

// Kinds of results, by what they say about the task.
type kind int

const (
	counts      kind = iota
	interrupted      // it was stopped on its way
	neverBegun       // the rig could not be brought up for it
)

// kindOf tells what a result of an order is. What the process says of itself after it was told to
// stop is that it was interrupted.
func (o Order) kindOf(r record.Result) kind {
	switch {
	case r.Verdict == record.NotRun,
		r.Verdict == record.Inconclusive && r.Cause == record.Rig && r.TerminalSeconds == 0:
		return neverBegun
	case r.Verdict == record.Inconclusive && r.Cause == record.Harness && !o.whole():
		return interrupted
	}
	return counts
}

// chapter is one order with its results so far.
type chapter struct {
	Order
	results []record.Result
}

// write makes the book anew from all chapters.
func (b *book) write(chapters []chapter) {
	clear(b.attempts)
	for _, c := range chapters {
		b.enter(c.Order, c.results)
	}
}

// enter takes an order's results into the book. It gives how many attempts that count were made, and why the rig
// could not be brought up, if so.
func (b *book) enter(o Order, all []record.Result) (made int, down string) {
	dir := orderDir(b.rig, o.Number)
	for i, r := range all {
		what := o.kindOf(r)
		if what == interrupted && i < len(all)-1 {
			what = counts // only the last can have been interrupted
		}
		if what == neverBegun {
			if down == "" {
				down = r.Why
			}
			continue
		}
		a := Attempt{Verdict: r.Verdict, Cause: r.Cause, Why: r.Why, Started: r.Started, Seconds: r.WallSeconds, Interrupted: what == interrupted}
		if r.Timeline != "" {
			a.Timeline = filepath.Join(dir, r.Timeline)
		}
		if o.Ending != nil && !o.Ending.died() {
			a.Report = filepath.Join(dir, reports.IndexFile)
		}
		b.add(o.key(r.Scenario), a)
		if what == counts {
			made++
		}
	}
	if e := o.Ending; e != nil && e.During != "" {
		b.add(o.key(e.During), Attempt{
			Verdict: record.Inconclusive, Cause: record.Harness, Why: "assay died in it: " + e.Said, Started: o.Begun,
			Timeline: filepath.Join(dir, "timeline", e.During+".jsonl"), Interrupted: e.Stopped != "",
		})
		made++
	}
	return made, down
}

func (b *book) add(k key, a Attempt) { b.attempts[k] = append(b.attempts[k], a) }
