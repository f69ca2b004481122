package reports

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/assay-hil/assay/harness/record"
)

// Past knows the runs before this one. Package history is it.
type Past interface {
	// Of gives earlier results of the same scenario on the same profile and in the same language, newest
	// first, at most n, begun before a time.
	Of(r record.Result, before time.Time, n int) ([]Earlier, error)
}

// Earlier is a result of an earlier run.
type Earlier struct {
	Dir      string         `json:"dir"` // its run folder
	Started  time.Time      `json:"started"`
	Verdict  record.Verdict `json:"verdict"`
	Cause    record.Cause   `json:"cause,omitempty"`
	Firmware string         `json:"firmware,omitempty"`
	Rig      string         `json:"rig"`
	Digest   string         `json:"-"` // of the scenario
	Timeline string         `json:"-"`
	// Detail gives the rest.
	Detail func() (Detail, error) `json:"-"`
}

// Detail is what is kept of an earlier result for a comparison: checks with a budget, and the host's journal.
type Detail struct {
	Checks   []record.Check    `json:"checks,omitempty"`
	Evidence []record.Evidence `json:"evidence,omitempty"`
}

// The names of the rungs that are no lab's rig.
const (
	VirtualRig = "virtual"
	SimRig     = "sim"
)

// RungOf tells rungs apart by a result's rig; all rigs of labs are one rung.
func RungOf(rig string) string {
	if rig == VirtualRig || rig == SimRig {
		return rig
	}
	return "lab"
}

// Flake rule: a scenario is flaky when, on one firmware and with one wording of the scenario, its last flakeWindow
// attempts have a pass and a failure. It is told with its counts.
const flakeWindow = 10

// maxPast is how many earlier results a page shows.
const maxPast = 20

// Difference is how an attempt differs from the last one that passed.
type Difference struct {
	Dir      string    `json:"dir"`
	Started  time.Time `json:"started"`
	Firmware string    `json:"firmware,omitempty"`
	Rig      string    `json:"rig"`
	// First is where the two first go apart; nil when nothing that is compared does.
	First  *Divergence   `json:"first,omitempty"`
	Fields []FieldChange `json:"fields,omitempty"`
	Times  []TimeShift   `json:"times,omitempty"`
}

// Divergence is the first thing that was seen and was not the same.
type Divergence struct {
	Lane  string `json:"lane"`            // "screen", "message", "card" or "receipt"
	After string `json:"after,omitempty"` // the last that both have in common
	Now   string `json:"now"`
	Then  string `json:"then"`
	AtUS  int64  `json:"at_us"` // on this attempt's timeline
}

// FieldChange is a field of a message that had another value.
type FieldChange struct {
	Message int    `json:"message"` // in the host's journal, from 1
	MTI     string `json:"mti"`
	Field   string `json:"field"`
	Now     string `json:"now"`
	Then    string `json:"then"`
}

// TimeShift is a measured time that was another.
type TimeShift struct {
	Budget        string `json:"budget"`
	Phase         string `json:"phase"`
	NowUS         int64  `json:"now_us"`
	ThenUS        int64  `json:"then_us"`
	UncertaintyUS int64  `json:"uncertainty_us"`
}

// Limits of a difference.
const (
	maxFields   = 40
	maxJournals = 8 << 20
)

// seen is one observation in a lane.
type seen struct {
	what string
	us   int64
}

// observations sorts a timeline into what a person would compare.
func observations(events []record.Event) map[string][]seen {
	lanes := map[string][]seen{}
	add := func(lane string, e record.Event, what string) {
		if l := lanes[lane]; len(l) > 0 && l[len(l)-1].what == what && lane == "screen" {
			return
		}
		lanes[lane] = append(lanes[lane], seen{what, e.US})
	}
	for _, e := range events {
		f := e.Fields
		switch e.Source + " " + e.Kind {
		case "display screen":
			if f["prompts"] != "" {
				add("screen", e, f["prompts"])
			}
		case "network message":
			add("message", e, strings.TrimSpace(f["direction"]+" "+f["mti"]+" "+f["fate"]))
		case "issuer sent":
			add("message", e, strings.TrimSpace("host answers "+f["mti"]+" "+f["code"]+" "+f["effect"]))
		case "card exchange":
			add("card", e, f["instruction"]+" → "+f["status"])
		case "printer cut":
			add("receipt", e, "receipt ends")
		}
	}
	return lanes
}

// divergence finds where two timelines first go apart, in the time of the first.
func divergence(now, then []record.Event) *Divergence {
	var first *Divergence
	a, b := observations(now), observations(then)
	for _, lane := range []string{"screen", "message", "card", "receipt"} {
		x, y := a[lane], b[lane]
		i := 0
		for i < len(x) && i < len(y) && x[i].what == y[i].what {
			i++
		}
		if i == len(x) && i == len(y) {
			continue
		}
		d := &Divergence{Lane: lane, Now: "nothing more", Then: "nothing more"}
		if i > 0 {
			d.After, d.AtUS = x[i-1].what, x[i-1].us
		}
		if i < len(x) {
			d.Now, d.AtUS = x[i].what, x[i].us
		}
		if i < len(y) {
			d.Then = y[i].what
		}
		if first == nil || d.AtUS < first.AtUS {
			first = d
		}
	}
	return first
}

// volatile are the ISO 8583 fields that differ from run to run: times, trace and reference numbers,
// cryptograms, PIN blocks and MACs.
var volatile = []string{"7", "11", "12", "13", "14", "15", "35", "37", "38", "52", "55", "64", "90", "128"}

// journalEntry is what a comparison needs of an issuer's journal entry.
type journalEntry struct {
	In     bool              `json:"in"`
	MTI    string            `json:"mti"`
	Fields map[string]string `json:"fields"`
}

func readJournal(dir string, evidence []record.Evidence) []journalEntry {
	i := slices.IndexFunc(evidence, func(e record.Evidence) bool { return e.Kind == record.Journal })
	if i < 0 || evidence[i].Bytes > maxJournals || len(evidence[i].SHA256) != 64 {
		return nil
	}
	b, err := os.ReadFile(filepath.Join(dir, BlobPath(evidence[i].SHA256)))
	if err != nil {
		return nil
	}
	var all []journalEntry
	for line := range strings.Lines(string(b)) {
		var e journalEntry
		if json.Unmarshal([]byte(line), &e) == nil {
			all = append(all, e)
		}
	}
	return all
}

func fieldChanges(now, then []journalEntry) []FieldChange {
	var changes []FieldChange
	for i := 0; i < len(now) && i < len(then); i++ {
		a, b := now[i], then[i]
		if a.MTI != b.MTI || a.In != b.In {
			return append(changes, FieldChange{Message: i + 1, MTI: a.MTI, Field: "mti", Now: a.MTI, Then: b.MTI})
		}
		names := map[string]bool{}
		for n := range a.Fields {
			names[n] = true
		}
		for n := range b.Fields {
			names[n] = true
		}
		var sorted []string
		for n := range names {
			if !slices.Contains(volatile, n) && a.Fields[n] != b.Fields[n] {
				sorted = append(sorted, n)
			}
		}
		slices.SortFunc(sorted, func(x, y string) int { return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)) })
		for _, n := range sorted {
			if changes = append(changes, FieldChange{i + 1, a.MTI, n, a.Fields[n], b.Fields[n]}); len(changes) == maxFields {
				return changes
			}
		}
	}
	return changes
}

// timeShifts finds the measured times that were others. Under another limit, as on a rung with shortened timers, nothing is compared.
func timeShifts(now, then []record.Check) []TimeShift {
	var shifts []TimeShift
	for _, c := range now {
		if c.Budget == "" {
			continue
		}
		i := slices.IndexFunc(then, func(o record.Check) bool {
			return o.Budget == c.Budget && o.Phase == c.Phase && o.What == c.What && o.Expected == c.Expected
		})
		if i >= 0 && then[i].MeasuredUS != c.MeasuredUS && then[i].LimitUS == c.LimitUS {
			shifts = append(shifts, TimeShift{c.Budget, c.Phase, c.MeasuredUS, then[i].MeasuredUS, max(c.UncertaintyUS, then[i].UncertaintyUS)})
		}
	}
	return shifts
}

// differenceFrom compares an attempt with an earlier one. What can't be read any more leaves its part out.
func differenceFrom(dir string, r record.Result, e Earlier) *Difference {
	d := &Difference{Dir: e.Dir, Started: e.Started, Firmware: e.Firmware, Rig: e.Rig}
	detail, err := e.Detail()
	if err == nil {
		d.Times = timeShifts(r.Checks, detail.Checks)
		d.Fields = fieldChanges(readJournal(dir, r.Evidence), readJournal(e.Dir, detail.Evidence))
	}
	now, err := readTimeline(filepath.Join(dir, r.Timeline))
	then, err2 := readTimeline(filepath.Join(e.Dir, e.Timeline))
	if err == nil && err2 == nil {
		d.First = divergence(now, then)
	}
	return d
}

// flake says whether attempts are flaky by the rule, with the counts; newest first.
func flake(digest string, now []record.Result, past []Earlier) (passed, failed int, firmware string, flaky bool) {
	type outcome struct {
		firmware, digest string
		verdict          record.Verdict
	}
	var all []outcome
	for _, r := range slices.Backward(now) {
		all = append(all, outcome{r.Firmware, digest, r.Verdict})
	}
	for _, e := range past {
		all = append(all, outcome{e.Firmware, e.Digest, e.Verdict})
	}
	n := 0
	for _, o := range all {
		if o.firmware != all[0].firmware || o.digest != all[0].digest || n == flakeWindow {
			continue
		}
		switch o.verdict {
		case record.Pass, record.Marginal:
			passed++
			n++
		case record.Fail:
			failed++
			n++
		}
	}
	if len(all) > 0 {
		firmware = all[0].firmware
	}
	return passed, failed, firmware, passed > 0 && failed > 0
}

func good(v record.Verdict) bool { return v == record.Pass || v == record.Marginal }

// decidedOf are those earlier results that tell something about a terminal.
func decidedOf(past []Earlier) []Earlier {
	return slices.DeleteFunc(slices.Clone(past), func(e Earlier) bool { return !good(e.Verdict) && e.Verdict != record.Fail })
}

// Since says in words since when a result has been what it is, as far as past knows. What could not be decided tells nothing about
// a terminal.
func (r *Run) Since(past Past, result record.Result) (string, error) {
	all, err := past.Of(result, r.Summary.Started, maxPast)
	if err != nil {
		return "", err
	}
	decided := decidedOf(all)
	at := func(e Earlier) string {
		return fmt.Sprintf("%s on %s, firmware %s", e.Started.Format("2006-01-02 15:04"), e.Rig, cmp.Or(e.Firmware, "unknown"))
	}
	n := slices.IndexFunc(decided, func(e Earlier) bool { return good(e.Verdict) != good(result.Verdict) })
	passed := slices.IndexFunc(decided, func(e Earlier) bool { return good(e.Verdict) })
	switch {
	case len(decided) == 0:
		return "since when: no earlier run of it is known", nil
	case good(result.Verdict):
		if n < 0 {
			n = len(decided)
		}
		return fmt.Sprintf("since when: passed %d times in a row before", n), nil
	case result.Verdict != record.Fail && passed >= 0:
		return "last good: " + at(decided[passed]), nil
	case result.Verdict != record.Fail:
		return fmt.Sprintf("since when: it has not passed in the %d runs before that are known", len(decided)), nil
	case n < 0:
		return fmt.Sprintf("since when: it fails in all %d runs before that are known, the first %s", len(decided), at(decided[len(decided)-1])), nil
	case n == 0:
		return "since when: this run; it passed in the one before, " + at(decided[0]), nil
	default:
		return fmt.Sprintf("since when: %s, %d times in a row; last good %s", at(decided[n-1]), n+1, at(decided[n])), nil
	}
}

// FlakeRule is the rule in words.
var FlakeRule = fmt.Sprintf("a pass and a failure among the last %d attempts on the same firmware, with the scenario unchanged", flakeWindow)
