package nightly

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/reports"
)

// Counts are tasks by their verdict; the six after Planned add up to it.
type Counts struct {
	Planned      int `json:"planned"`
	Passed       int `json:"passed"`
	Marginal     int `json:"marginal"`
	Failed       int `json:"failed"`
	Inconclusive int `json:"inconclusive"`
	Skipped      int `json:"skipped"`
	NotRun       int `json:"not_run"`
	// Retried are tasks that took more than one attempt, whatever their verdict.
	Retried int `json:"retried"`
}

func (c *Counts) count(v record.Verdict) {
	c.Planned++
	switch v {
	case record.Pass:
		c.Passed++
	case record.Marginal:
		c.Marginal++
	case record.Fail:
		c.Failed++
	case record.Skipped:
		c.Skipped++
	case record.NotRun:
		c.NotRun++
	default:
		c.Inconclusive++
	}
}

func (c *Counts) add(o Counts) {
	c.Planned += o.Planned
	c.Passed += o.Passed
	c.Marginal += o.Marginal
	c.Failed += o.Failed
	c.Inconclusive += o.Inconclusive
	c.Skipped += o.Skipped
	c.NotRun += o.NotRun
	c.Retried += o.Retried
}

// String gives the counts in words.
func (c Counts) String() string {
	return fmt.Sprintf("%d planned: %d passed, %d marginal, %d failed, %d inconclusive, %d skipped, %d not run; %d retried",
		c.Planned, c.Passed, c.Marginal, c.Failed, c.Inconclusive, c.Skipped, c.NotRun, c.Retried)
}

// Outcome is one task with all its attempts.
type Outcome struct {
	Task
	Verdict  record.Verdict `json:"verdict"`
	Cause    record.Cause   `json:"cause,omitempty"`
	Why      string         `json:"why,omitempty"`
	Attempts []Attempt      `json:"attempts,omitempty"`
}

// RigSummary is what became of one rig's tasks.
type RigSummary struct {
	Name string `json:"name"`
	Rig  string `json:"rig"` // as in the plan
	Counts
	// GaveUp is why the rest is not run; "" when nothing is left, or it is still being worked on.
	GaveUp string `json:"gave_up,omitempty"`
	// Working is true until the rig's worker has ended.
	Working  bool      `json:"working"`
	Seconds  float64   `json:"seconds"` // of all its attempts
	Outcomes []Outcome `json:"outcomes"`
}

// Summary is a night.
type Summary struct {
	Plan    string    `json:"plan"`
	Version string    `json:"version"`
	Begun   time.Time `json:"begun"`
	Written time.Time `json:"written"`
	// Complete is set when the night came to its end, interrupted or not. Without it the process died.
	Complete bool `json:"complete"`
	Counts
	// Notes are what people have to know about the plan.
	Notes []string     `json:"notes,omitempty"`
	Rigs  []RigSummary `json:"rigs"`
}

// Words says the night in a sentence, as a single run's is said.
func (s Summary) Words() string {
	c := s.Counts
	return reports.Summary{Planned: c.Planned, Passed: c.Passed, Marginal: c.Marginal, Failed: c.Failed,
		Inconclusive: c.Inconclusive, Skipped: c.Skipped, NotRun: c.NotRun}.Words()
}

func (n *Night) summary(complete bool) Summary {
	s := Summary{Plan: n.plan.Name, Version: n.about.Version, Begun: n.about.Begun, Written: time.Now().UTC(), Complete: complete, Notes: n.about.Notes}
	for _, w := range n.workers {
		r := w.summary()
		s.Counts.add(r.Counts)
		s.Rigs = append(s.Rigs, r)
	}
	return s
}

func (w *worker) summary() RigSummary {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := RigSummary{Name: w.rig.Name, Rig: w.rig.Rig, GaveUp: w.gaveUp, Working: !w.ended}
	for _, t := range w.book.tasks {
		v, a := w.book.verdict(t)
		o := Outcome{Task: t, Verdict: v, Cause: a.Cause, Why: a.Why, Attempts: append([]Attempt(nil), w.book.attempts[t.key()]...)}
		if v == record.NotRun {
			o.Why = w.gaveUp
		}
		s.count(v)
		if len(w.book.decided(t.key())) > 1 {
			s.Retried++
		}
		for _, a := range o.Attempts {
			s.Seconds += a.Seconds
		}
		s.Outcomes = append(s.Outcomes, o)
	}
	return s
}

// changed writes the summary anew.
func (n *Night) changed() {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.summary(false)
	if err := writeJSON(filepath.Join(n.dir, reports.SummaryFile), s); err != nil && n.failed == nil {
		n.failed = err
	}
}

// write writes what a night leaves at its end.
func (n *Night) write(s Summary) error {
	xml, err := junit(s)
	if err != nil {
		return err
	}
	page, err := html(s)
	if err != nil {
		return err
	}
	return errors.Join(
		writeJSON(filepath.Join(n.dir, reports.SummaryFile), s),
		writeWhole(filepath.Join(n.dir, reports.JUnitFile), xml),
		writeWhole(filepath.Join(n.dir, reports.IndexFile), page),
	)
}
