package history

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/reports"
)

// Change is one scenario in two runs.
type Change struct {
	Name   string         `json:"name"`
	Before record.Verdict `json:"before,omitempty"`
	After  record.Verdict `json:"after,omitempty"`
	Cause  record.Cause   `json:"cause,omitempty"` // of After
	Why    string         `json:"why,omitempty"`
}

// Shift is a budget whose measured times have moved by more than they can be measured.
type Shift struct {
	Name   string `json:"name"`
	Budget string `json:"budget"`
	Phase  string `json:"phase"`
	// Microseconds. Uncertainty is that of the difference.
	Before      int64 `json:"before_us"`
	After       int64 `json:"after_us"`
	Uncertainty int64 `json:"uncertainty_us"`
	Limit       int64 `json:"limit_us"`
}

// Diff is what changed from one run to another.
type Diff struct {
	A            string   `json:"a"`
	B            string   `json:"b"`
	New          []Change `json:"new"`     // in B's plan only
	Removed      []Change `json:"removed"` // in A's plan only
	Fixed        []Change `json:"fixed"`
	Regressed    []Change `json:"regressed"` // passed, and fails now
	StillFailing []Change `json:"still_failing"`
	// Undecided could be decided in one of the runs only.
	Undecided []Change `json:"undecided"`
	Unchanged int      `json:"unchanged"`
	Shifts    []Shift  `json:"shifts"`
	// Notes are what makes the runs hard to compare.
	Notes []string `json:"notes"`
}

// smallestShift is the part of a budget's limit below which a shift is not told.
const smallestShift = 0.02

// Compare compares two runs, scenario by scenario, by the plan's names.
func Compare(a, b *reports.Run) *Diff {
	d := &Diff{A: a.Dir, B: b.Dir, New: []Change{}, Removed: []Change{}, Fixed: []Change{}, Regressed: []Change{}, StillFailing: []Change{},
		Undecided: []Change{}, Shifts: []Shift{}, Notes: notes(a, b)}
	before := map[string]reports.Outcome{}
	for _, o := range a.Outcomes() {
		before[o.Item.Name] = o
	}
	seen := map[string]bool{}
	for _, o := range b.Outcomes() {
		seen[o.Item.Name] = true
		was, ok := before[o.Item.Name]
		if !ok {
			d.New = append(d.New, Change{o.Item.Name, "", o.Result.Verdict, o.Result.Cause, o.Result.Why})
			continue
		}
		d.add(was, o)
	}
	for _, o := range a.Outcomes() {
		if !seen[o.Item.Name] {
			d.Removed = append(d.Removed, Change{o.Item.Name, o.Result.Verdict, "", "", ""})
		}
	}
	slices.SortFunc(d.Shifts, func(x, y Shift) int {
		return cmp.Compare(float64(abs(y.After-y.Before))/float64(y.Limit), float64(abs(x.After-x.Before))/float64(x.Limit))
	})
	return d
}

func (d *Diff) add(was, is reports.Outcome) {
	c := Change{is.Item.Name, was.Result.Verdict, is.Result.Verdict, is.Result.Cause, is.Result.Why}
	good := func(v record.Verdict) bool { return v == record.Pass || v == record.Marginal }
	switch {
	case good(c.Before) && good(c.After):
		d.Unchanged++
		d.shifts(was.Result, is.Result)
	case good(c.Before) && c.After == record.Fail:
		d.Regressed = append(d.Regressed, c)
	case c.Before == record.Fail && good(c.After):
		d.Fixed = append(d.Fixed, c)
	case c.Before == record.Fail && c.After == record.Fail:
		d.StillFailing = append(d.StillFailing, c)
	case c.After == record.Fail: // nobody knows whether it did before
		d.Undecided = append(d.Undecided, c)
	case c.Before == c.After:
		d.Unchanged++
	default:
		d.Undecided = append(d.Undecided, c)
	}
}

func (d *Diff) shifts(was, is record.Result) {
	for _, c := range is.Checks {
		if c.Budget == "" || c.LimitUS == 0 {
			continue
		}
		i := slices.IndexFunc(was.Checks, func(o record.Check) bool {
			return o.Budget == c.Budget && o.Phase == c.Phase && o.What == c.What && o.Expected == c.Expected
		})
		if i < 0 {
			continue
		}
		old := was.Checks[i]
		s := Shift{is.ID(), c.Budget, c.Phase, old.MeasuredUS, c.MeasuredUS, old.UncertaintyUS + c.UncertaintyUS, c.LimitUS}
		if moved := abs(s.After - s.Before); moved > s.Uncertainty && float64(moved) > smallestShift*float64(s.Limit) {
			d.Shifts = append(d.Shifts, s)
		}
	}
}

func abs(n int64) int64 { return max(n, -n) }

// notes says what differs besides the terminal.
func notes(a, b *reports.Run) []string {
	out := []string{}
	note := func(what, x, y string) {
		if x != y {
			out = append(out, fmt.Sprintf("%s: %s, then %s", what, or(x), or(y)))
		}
	}
	note("rig", a.Summary.Rig, b.Summary.Rig)
	note("firmware", fmt.Sprint(a.Summary.Firmware), fmt.Sprint(b.Summary.Firmware))
	note("assay", a.Summary.Version, b.Summary.Version)
	note("catalogue", short(a.Environment.Catalogue), short(b.Environment.Catalogue))
	for id, p := range b.Environment.Profiles {
		if q, ok := a.Environment.Profiles[id]; ok {
			note("profile "+id, short(q.Digest), short(p.Digest))
		}
	}
	note("planted", fmt.Sprint(a.Summary.Defects, a.Summary.BenchFaults), fmt.Sprint(b.Summary.Defects, b.Summary.BenchFaults))
	for _, r := range []*reports.Run{a, b} {
		if !r.Summary.Complete {
			out = append(out, r.Dir+": "+r.Ended())
		}
	}
	slices.Sort(out)
	return out
}

func short(digest string) string { return digest[:min(12, len(digest))] }

func or(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
