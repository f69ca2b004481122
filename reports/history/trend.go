package history

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/assay-hil/assay/harness/record"
)

// Night is a run in the trend.
type Night struct {
	Dir          string    `json:"dir"`
	Started      time.Time `json:"started"`
	Rig          string    `json:"rig"`
	Firmware     string    `json:"firmware"`
	Planned      int       `json:"planned"`
	Passed       int       `json:"passed"`
	Marginal     int       `json:"marginal"`
	Failed       int       `json:"failed"`
	Inconclusive int       `json:"inconclusive"`
	Skipped      int       `json:"skipped"`
	NotRun       int       `json:"not_run"`
}

// FirmwareTrend is what became of one firmware.
type FirmwareTrend struct {
	Firmware     string    `json:"firmware"`
	First        time.Time `json:"first"` // seen
	Results      int       `json:"results"`
	Passed       int       `json:"passed"`
	Failed       int       `json:"failed"`
	Inconclusive int       `json:"inconclusive"`
}

// ScenarioTrend is what became of a scenario that is not well.
type ScenarioTrend struct {
	Scenario string `json:"scenario"`
	Profile  string `json:"profile"`
	Lang     string `json:"lang"`
	// FirstFailing is the firmware since which it fails, LastGood the one before on which it passed; "" where there is none.
	FirstFailing string    `json:"first_failing,omitempty"`
	Since        time.Time `json:"since"`
	LastGood     string    `json:"last_good,omitempty"`
	Failures     int       `json:"failures"` // since then
	// Rigs are those on which it failed since then; Others are those on which it passed on the same firmware.
	Rigs   []string `json:"rigs"`
	Others []string `json:"others,omitempty"`
	// Blame is record.Terminal, or record.Rig where only one of several rigs fails it.
	Blame record.Cause `json:"blame"`
	Words string       `json:"words"`
}

// RigTrend is how often a rig spoils or wavers.
type RigTrend struct {
	Rig     string `json:"rig"`
	Results int    `json:"results"`
	// Spoiled are results that were inconclusive because of the rig.
	Spoiled int `json:"spoiled"`
	// Failed are the terminal's failures on it; Alone are those of them that every other rig passed on the same firmware.
	Failed int `json:"failed"`
	Alone  int `json:"alone"`
	// Flaky are scenarios with a pass and a failure on one firmware on this rig.
	Flaky int          `json:"flaky"`
	Blame record.Cause `json:"blame,omitempty"` // record.Rig where the figures say that it is the rig
	Words string       `json:"words"`
}

// Trend is the history of what an index knows.
type Trend struct {
	Nights    []Night         `json:"nights"`
	Firmware  []FirmwareTrend `json:"firmware"`
	Scenarios []ScenarioTrend `json:"scenarios"`
	Rigs      []RigTrend      `json:"rigs"`
}

// Selection says of what a trend is made. Its zero value is everything but runs with something planted.
type Selection struct {
	Scenario, Profile, Rig string
	Since                  time.Time
	Planted                bool // runs with planted defects too
}

// row is a result in the order of time.
type row struct {
	scenario, profile, lang, firmware, rig string
	started                                time.Time
	verdict                                record.Verdict
	cause                                  record.Cause
}

func (r row) good() bool { return r.verdict == record.Pass || r.verdict == record.Marginal }

type key struct{ scenario, profile, lang string }

// Trend computes the history.
func (x *Index) Trend(ctx context.Context, sel Selection) (*Trend, error) {
	nights, err := x.nights(ctx, sel)
	if err != nil {
		return nil, err
	}
	rows, err := x.rows(ctx, sel)
	if err != nil {
		return nil, err
	}
	t := &Trend{Nights: nights, Firmware: firmwareTrends(rows), Rigs: rigTrends(rows), Scenarios: []ScenarioTrend{}}
	byKey := map[key][]row{}
	var order []key
	for _, r := range rows {
		k := key{r.scenario, r.profile, r.lang}
		if byKey[k] == nil {
			order = append(order, k)
		}
		byKey[k] = append(byKey[k], r)
	}
	for _, k := range order {
		if s, bad := scenarioTrend(k, byKey[k]); bad {
			t.Scenarios = append(t.Scenarios, s)
		}
	}
	slices.SortFunc(t.Scenarios, func(a, b ScenarioTrend) int {
		return cmp.Or(cmp.Compare(a.Blame, b.Blame)*-1, cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Profile, b.Profile), cmp.Compare(a.Lang, b.Lang))
	})
	return t, nil
}

func (x *Index) nights(ctx context.Context, sel Selection) ([]Night, error) {
	rows, err := x.db.QueryContext(ctx, `SELECT dir, started, rig, firmware, planned, passed, marginal, failed, inconclusive, skipped, not_run FROM runs
		WHERE started >= ? AND (? = '' OR rig = ?) AND (? OR planted = 0) ORDER BY started, dir`, micro(sel.Since), sel.Rig, sel.Rig, sel.Planted)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := []Night{}
	for rows.Next() {
		var n Night
		var started int64
		if err := rows.Scan(&n.Dir, &started, &n.Rig, &n.Firmware, &n.Planned, &n.Passed, &n.Marginal, &n.Failed, &n.Inconclusive, &n.Skipped, &n.NotRun); err != nil {
			return nil, err
		}
		n.Started = time.UnixMicro(started).UTC()
		all = append(all, n)
	}
	return all, rows.Err()
}

func micro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func (x *Index) rows(ctx context.Context, sel Selection) ([]row, error) {
	rows, err := x.db.QueryContext(ctx, `SELECT scenario, profile, lang, results.firmware, results.rig, results.started, verdict, cause
		FROM results JOIN runs ON runs.id = results.run
		WHERE results.started >= ? AND (? = '' OR results.rig = ?) AND (? = '' OR scenario = ?) AND (? = '' OR profile = ?) AND (? OR planted = 0)
		ORDER BY results.started, results.rowid`, micro(sel.Since), sel.Rig, sel.Rig, sel.Scenario, sel.Scenario, sel.Profile, sel.Profile, sel.Planted)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []row
	for rows.Next() {
		var r row
		var started int64
		if err := rows.Scan(&r.scenario, &r.profile, &r.lang, &r.firmware, &r.rig, &started, &r.verdict, &r.cause); err != nil {
			return nil, err
		}
		r.started = time.UnixMicro(started).UTC()
		all = append(all, r)
	}
	return all, rows.Err()
}

func firmwareTrends(rows []row) []FirmwareTrend {
	all := []FirmwareTrend{}
	for _, r := range rows {
		if r.verdict == record.Skipped || r.verdict == record.NotRun {
			continue
		}
		i := slices.IndexFunc(all, func(f FirmwareTrend) bool { return f.Firmware == r.firmware })
		if i < 0 {
			i = len(all)
			all = append(all, FirmwareTrend{Firmware: r.firmware, First: r.started})
		}
		all[i].Results++
		switch {
		case r.good():
			all[i].Passed++
		case r.verdict == record.Fail:
			all[i].Failed++
		default:
			all[i].Inconclusive++
		}
	}
	return all
}

// scenarioTrend finds since when a scenario fails. It counts as failing when the last decided result of any
// rig on the newest firmware is a failure.
func scenarioTrend(k key, rows []row) (ScenarioTrend, bool) {
	decided := slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return !r.good() && r.verdict != record.Fail })
	if len(decided) == 0 {
		return ScenarioTrend{}, false
	}
	newest := decided[len(decided)-1].firmware
	last := map[string]row{} // rig → its last result on the newest firmware
	for _, r := range decided {
		if r.firmware == newest {
			last[r.rig] = r
		}
	}
	var failing []string
	for rig, r := range last {
		if !r.good() {
			failing = append(failing, rig)
		}
	}
	if len(failing) == 0 {
		return ScenarioTrend{}, false
	}
	slices.Sort(failing)
	s := ScenarioTrend{Scenario: k.scenario, Profile: k.profile, Lang: k.lang, Rigs: failing}
	// Back from the end, over the failures of these rigs, to the last pass of one of them.
	for _, r := range slices.Backward(decided) {
		if !slices.Contains(failing, r.rig) {
			continue
		}
		if r.good() {
			s.LastGood = r.firmware
			break
		}
		s.FirstFailing, s.Since = r.firmware, r.started
		s.Failures++
	}
	s.others(decided, last)
	return s, true
}

// others finds the rigs that pass what these fail, and so whom to blame.
func (s *ScenarioTrend) others(decided []row, last map[string]row) {
	for rig, r := range last {
		if r.good() {
			s.Others = append(s.Others, rig)
		}
	}
	slices.Sort(s.Others)
	first := s.FirstFailing
	if first == "" {
		first = "an unknown firmware"
	}
	since := s.Since.Format(time.DateOnly)
	switch {
	case len(s.Others) >= len(s.Rigs) && len(s.Rigs) == 1:
		s.Blame = record.Rig
		s.Words = fmt.Sprintf("fails on rig %s only, since %s; the same firmware passes on %s: look at the rig", s.Rigs[0], since, join(s.Others))
	case s.LastGood != "" && s.LastGood != s.FirstFailing:
		s.Blame = record.Terminal
		s.Words = fmt.Sprintf("fails since firmware %s (%s), last good %s, on %s", first, since, s.LastGood, join(s.Rigs))
	case s.LastGood != "":
		s.Blame = record.Terminal
		s.Words = fmt.Sprintf("fails and passes on firmware %s, since %s, on %s: flaky", first, since, join(s.Rigs))
	default:
		s.Blame = record.Terminal
		s.Words = fmt.Sprintf("has failed as long as it is known, since firmware %s (%s), on %s", first, since, join(s.Rigs))
	}
	_ = decided
}

func join(words []string) string {
	out := ""
	for i, w := range words {
		switch {
		case i == 0:
		case i == len(words)-1:
			out += " and "
		default:
			out += ", "
		}
		out += w
	}
	return out
}

// rigTrends compares rigs by what they fail alone: scenario and firmware being the same, the rest is the rig.
func rigTrends(rows []row) []RigTrend {
	type cell struct {
		key
		firmware string
	}
	good, bad := map[cell]map[string]int{}, map[cell]map[string]int{}
	byRig := map[string]*RigTrend{}
	var order []string
	for _, r := range rows {
		if r.verdict == record.Skipped || r.verdict == record.NotRun {
			continue
		}
		t := byRig[r.rig]
		if t == nil {
			t = &RigTrend{Rig: r.rig}
			byRig[r.rig] = t
			order = append(order, r.rig)
		}
		t.Results++
		c := cell{key{r.scenario, r.profile, r.lang}, r.firmware}
		switch {
		case r.good():
			count(good, c, r.rig)
		case r.verdict == record.Fail:
			t.Failed++
			count(bad, c, r.rig)
		case r.cause == record.Rig:
			t.Spoiled++
		}
	}
	for c, rigs := range bad {
		for rig, n := range rigs {
			if good[c][rig] > 0 {
				byRig[rig].Flaky++
			}
			if len(rigs) == 1 && len(good[c]) > 0 && !(len(good[c]) == 1 && good[c][rig] > 0) {
				byRig[rig].Alone += n
			}
		}
	}
	slices.Sort(order)
	all := []RigTrend{}
	for _, rig := range order {
		byRig[rig].judge()
		all = append(all, *byRig[rig])
	}
	return all
}

func count[C comparable](m map[C]map[string]int, c C, rig string) {
	if m[c] == nil {
		m[c] = map[string]int{}
	}
	m[c][rig]++
}

// suspectPart is the part of a rig's results from which on what it spoils makes it suspect.
const suspectPart = 0.1

// judge says whether the figures speak against the rig.
func (t *RigTrend) judge() {
	t.Words = fmt.Sprintf("%d results: %d spoiled by the rig, %d failures of which %d on this rig alone, %d flaky scenarios", t.Results, t.Spoiled, t.Failed, t.Alone, t.Flaky)
	if t.Alone > 0 && t.Alone*2 > t.Failed || float64(t.Spoiled) > suspectPart*float64(t.Results) {
		t.Blame = record.Rig
		t.Words += ": look at the rig"
	}
}
