package reports

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"path/filepath"
	"slices"
	"strings"

	"github.com/assay-hil/assay/harness/record"
)

// Limits of the page. What it leaves out it says, and the whole is in the timeline's file.
const (
	maxShown = 2000 // events of one timeline
	maxOpen  = 3    // timelines that are open when the page opens
)

//go:embed index.tmpl.html
var page string

var tmpl = template.Must(template.New("index").Funcs(template.FuncMap{
	"clock":   clock,
	"fault":   fault,
	"join":    strings.Join,
	"length":  length,
	"mark":    mark,
	"seconds": seconds,
}).Parse(page))

// view is what the page shows.
type view struct {
	Summary Summary
	Words   string
	Tone    record.Verdict
	Counts  []tally
	Results []resultView
	Bad     int // results to look at; they come first
}

// tally is one of the counts, with the verdict whose colour it has.
type tally struct {
	N    int
	Name string
	Tone record.Verdict
}

type resultView struct {
	record.Result
	Nth     int // in the run, from 1
	Bad     bool
	Open    bool          // the timeline
	Why     string        // what Decided does not say already
	Decided *record.Check // the check that made the verdict, where it is a bad one
	Checks  []record.Check
	Table   bool // the checks say more than Decided
	Rows    []row
	Events  int
	Unread  string // why the timeline could not be read
	Replay  string
}

// HTML makes the page for people: one file that needs nothing else. dir is where the timelines are.
func HTML(dir string, s Summary, results []record.Result) ([]byte, error) {
	v := view{Summary: s, Words: s.Words(), Tone: s.tone(), Counts: tallies(s)}
	for i, r := range results {
		rv := newResultView(dir, s, r)
		rv.Nth = i + 1
		if rv.Bad {
			v.Bad++
		}
		v.Results = append(v.Results, rv)
	}
	slices.SortStableFunc(v.Results, func(a, b resultView) int { return rank(a.Verdict) - rank(b.Verdict) })
	for i := range v.Results {
		v.Results[i].Open = v.Results[i].Bad && i < maxOpen
	}
	var b bytes.Buffer
	if err := tmpl.Execute(&b, v); err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	return bytes.Map(printable, b.Bytes()), nil
}

func tallies(s Summary) []tally {
	return []tally{
		{s.Planned, "planned", ""}, {s.Passed, "passed", record.Pass}, {s.Marginal, "marginal", record.Marginal},
		{s.Failed, "failed", record.Fail}, {s.Inconclusive, "inconclusive", record.Inconclusive},
		{s.Skipped, "skipped", record.Skipped}, {s.NotRun, "not run", record.Inconclusive},
	}
}

func newResultView(dir string, s Summary, r record.Result) resultView {
	rv := resultView{
		Result: r, Why: r.Why, Bad: rank(r.Verdict) <= rank(record.Inconclusive), Replay: s.replay(r),
		Checks: slices.Clone(r.Checks),
	}
	slices.SortStableFunc(rv.Checks, func(a, b record.Check) int { return rank(a.Verdict) - rank(b.Verdict) })
	if rv.Bad && len(rv.Checks) > 0 && rv.Checks[0].Verdict != record.Pass {
		rv.decide()
	}
	rv.Table = len(r.Checks) > 1 || len(r.Checks) == 1 && (rv.Decided == nil || rv.Decided.Budget != "")
	if r.Timeline != "" {
		events, err := readTimeline(filepath.Join(dir, r.Timeline))
		if err != nil {
			rv.Unread = err.Error()
		}
		rv.Rows, rv.Events = rowsOf(events, maxShown), len(events)
	}
	return rv
}

// decide finds the check to show at the top: the first with the scenario's verdict. The
// scenario's own sentence is left out where it says nothing more than that check.
func (rv *resultView) decide() {
	i := max(0, slices.IndexFunc(rv.Checks, func(c record.Check) bool { return c.Verdict == rv.Verdict }))
	rv.Decided = &rv.Checks[i]
	if seen := rv.Decided.Observed; seen != "" && strings.Contains(rv.Why, seen) {
		rv.Why = rv.Decided.Why
	}
}

// printable replaces the characters that neither HTML nor XML may hold; a garbled display sends them.
func printable(c rune) rune {
	if c < ' ' && c != '\n' && c != '\t' || c >= 0x7f && c < 0xa0 || c == 0xfffe || c == 0xffff {
		return '\uFFFD'
	}
	return c
}
