package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/harness/record"
)

// Limits of the run's page. What is left out is said on it.
const (
	maxPoints = 4000 // drawn for one budget
	maxGroups = 200
	// maxWindows are faults that are shaded.
	maxWindows = 10_000
	// maxEvidence is how many files of the run are linked to; evidence.json has all.
	maxEvidence = 60
)

// indexData is what the run's page is drawn from. Strings are indexes into Strings, for the same ones come
// thousands of times.
type indexData struct {
	Name        string               `json:"name"`
	Summary     Summary              `json:"summary"`
	Ended       string               `json:"ended"`
	During      string               `json:"during,omitempty"`
	Environment Environment          `json:"environment"`
	Strings     []string             `json:"strings"`
	Rows        [][]any              `json:"rows"`
	Groups      []group              `json:"groups"`
	Prompts     []promptRow          `json:"prompts"`
	Budgets     []budgetData         `json:"budgets"`
	Windows     [][3]int64           `json:"windows"` // of faults: row, from, to in microseconds of its timeline; to -1 is its end
	Flaky       []flakyRow           `json:"flaky"`
	FlakeRule   string               `json:"flake_rule"`
	Evidence    []RunEvidence        `json:"evidence,omitempty"`
	HasPast     bool                 `json:"has_past"`
	Guide       map[string]guidePage `json:"guide"`
}

// group are failures that first differ in the same way.
type group struct {
	Verdict  record.Verdict `json:"verdict"`
	Cause    record.Cause   `json:"cause"`
	What     string         `json:"what"`
	Phase    string         `json:"phase"`
	Expected string         `json:"expected"` // of the first of them
	Observed string         `json:"observed"`
	Rows     []int          `json:"rows"`
	// New are those of Rows that passed when they were last decided, Since is when the first of the others began to fail; as far as
	// earlier runs are known.
	New   int        `json:"new"`
	Since *time.Time `json:"since,omitempty"`
}

// promptRow is a prompt with a code, and how long it took to come.
type promptRow struct {
	Prompt    string  `json:"prompt"`
	Code      string  `json:"code"` // DE39; "" where none was expected
	Profile   string  `json:"profile"`
	Rig       string  `json:"rig"`
	Budget    string  `json:"budget"`
	N         int     `json:"n"`
	Wrong     int     `json:"wrong"`
	Quantiles []int64 `json:"q"` // p50, p95, p99 where there are samples enough, in microseconds
	Max       int64   `json:"max"`
	Limit     int64   `json:"limit"`
	samples   []int64
}

// budgetData are the times that were measured against one budget of one profile on one rig: on another rung its limit may be another.
type budgetData struct {
	Budget  string `json:"budget"`
	Profile string `json:"profile"`
	Rig     string `json:"rig"`
	Limit   int64  `json:"limit"`
	Floor   int64  `json:"floor"` // the part of it that the terminal's own timer takes
	// All, Calm and Faulty: count, maximum and quantiles of all, of those measured while no fault was at work, and of the others.
	All    stat `json:"all"`
	Calm   stat `json:"calm"`
	Faulty stat `json:"faulty"`
	// Points are row, microseconds, uncertainty, 1 when a fault was at work meanwhile, and where on the scenario's timeline it ended.
	Points [][5]int64 `json:"points"`
	Left   int        `json:"left,omitempty"` // points that are not drawn
}

type stat struct {
	N   int     `json:"n"`
	Max int64   `json:"max"`
	Q   []int64 `json:"q"`
}

type flakyRow struct {
	Row      int    `json:"row"`
	Passed   int    `json:"passed"`
	Failed   int    `json:"failed"`
	Firmware string `json:"firmware,omitempty"`
}

type guidePage struct {
	Title Text `json:"title"`
	Why   Text `json:"why"`
}

// interner numbers strings.
type interner struct {
	index map[string]int
	all   []string
}

func (n *interner) of(s string) int {
	i, ok := n.index[s]
	if !ok {
		i = len(n.all)
		n.index[s] = i
		n.all = append(n.all, s)
	}
	return i
}

func (r *Run) indexPage(all []facts) ([]byte, error) {
	data := r.indexData(all)
	if err := r.read(EvidenceFile, &data.Evidence); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	data.Evidence = data.Evidence[:min(len(data.Evidence), maxEvidence)]
	b, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"+
		"<meta http-equiv=\"Content-Security-Policy\" content=\"%s\">\n<title>assay</title>\n<style>\n", policy)
	out.Write(asset("assay.css"))
	fmt.Fprintf(&out, "</style>\n</head>\n<body>\n<div id=\"app\"></div>\n<noscript><main><h1>%s</h1><p>%s</p></main></noscript>\n<script type=\"application/json\" id=\"data\">",
		r.Summary.Words(), r.Ended())
	safely(&out, b)
	out.WriteString("</script>\n")
	for _, name := range slices.Concat(scripts, []string{"list.js", "run.js", "latency.js"}) {
		out.WriteString("<script>\n")
		out.Write(asset(name))
		out.WriteString("</script>\n")
	}
	out.WriteString("</body>\n</html>\n")
	return out.Bytes(), nil
}

func (r *Run) indexData(all []facts) *indexData {
	names := &interner{index: map[string]int{}}
	d := &indexData{Name: filepath.Base(r.Dir), Summary: r.Summary, Ended: r.Ended(), During: r.During, Environment: r.Environment,
		Rows: [][]any{}, Groups: []group{}, Prompts: []promptRow{}, Budgets: []budgetData{}, Windows: [][3]int64{}, Flaky: []flakyRow{}, FlakeRule: FlakeRule, Guide: map[string]guidePage{}}
	outcomes := r.Outcomes()
	groups := map[string]int{}
	for i, o := range outcomes {
		x, f := o.Result, all[i]
		d.Rows = append(d.Rows, []any{
			names.of(o.Item.Name), names.of(x.TitleEN), names.of(x.TitleZH), names.of(x.Profile), names.of(x.Lang), names.of(string(x.Verdict)),
			names.of(string(x.Cause)), names.of(o.Item.Family), names.of(x.Article), names.of(strings.Join(o.Item.Labels, " ")),
			round3(x.TerminalSeconds), round3(x.WallSeconds), names.of(x.Why), names.of(f.page), len(o.Attempts), names.of(strings.Join(f.faults, " ")), names.of(x.Rig),
			names.of(o.Item.Scenario),
		})
		if rank(x.Verdict) <= rank(record.Inconclusive) {
			d.group(groups, i, x, f.past)
		}
		for _, w := range f.windows[:min(len(f.windows), maxWindows-len(d.Windows))] {
			if w.to == forever {
				w.to = -1
			}
			d.Windows = append(d.Windows, [3]int64{int64(i), w.from, w.to})
		}
		if f.flaky {
			d.Flaky = append(d.Flaky, flakyRow{i, f.passed, f.failed, f.firmware})
		}
		d.HasPast = d.HasPast || len(f.past) > 0
		if g, ok := r.Plan.Guide[o.Item.Scenario]; ok {
			d.Guide[o.Item.Scenario] = guidePage{o.Item.Title, g}
		}
	}
	slices.SortStableFunc(d.Groups, func(a, b group) int { return len(b.Rows) - len(a.Rows) })
	slices.SortStableFunc(d.Groups, func(a, b group) int { return rank(a.Verdict) - rank(b.Verdict) })
	d.Groups = d.Groups[:min(len(d.Groups), maxGroups)]
	d.Prompts = promptRows(outcomes)
	d.Budgets = budgetRows(outcomes, all)
	d.Strings = names.all
	return d
}

func round3(s float64) float64 {
	v, _ := strconv.ParseFloat(strconv.FormatFloat(s, 'f', 3, 64), 64)
	return v
}

var (
	numbers = regexp.MustCompile(`\d+(\.\d+)?`)
	quoted  = regexp.MustCompile(`"[^"]*"`)
)

// group puts a failure to those that first differ in the same way: in the same check, apart from numbers and wordings.
func (d *indexData) group(groups map[string]int, row int, r record.Result, past []Earlier) {
	g := group{Verdict: r.Verdict, Cause: r.Cause, Observed: r.Why}
	if c := deciding(r); c != nil {
		g.What, g.Phase, g.Expected, g.Observed = c.What, c.Phase, c.Expected, c.Observed
	}
	plain := func(s string) string { return numbers.ReplaceAllString(quoted.ReplaceAllString(s, `""`), "#") }
	key := strings.Join([]string{string(g.Verdict), string(g.Cause), g.What, g.Phase, plain(g.Expected), plain(g.Observed)}, "\x00")
	i, ok := groups[key]
	if !ok {
		i = len(d.Groups)
		groups[key] = i
		d.Groups = append(d.Groups, g)
	}
	d.Groups[i].Rows = append(d.Groups[i].Rows, row)
	decided := decidedOf(past)
	n := slices.IndexFunc(decided, func(e Earlier) bool { return good(e.Verdict) })
	switch {
	case n == 0:
		d.Groups[i].New++
	case n > 0:
		if first := decided[n-1].Started; d.Groups[i].Since == nil || first.Before(*d.Groups[i].Since) {
			d.Groups[i].Since = &first
		}
	}
}

// deciding is the check that made a verdict: the one that the verdict's sentence speaks of, else the first with
// that verdict.
func deciding(r record.Result) *record.Check {
	var first *record.Check
	for i := range r.Checks {
		c := &r.Checks[i]
		if c.Verdict != r.Verdict {
			continue
		}
		if strings.HasPrefix(r.Why, fmt.Sprintf("%s: expected %s; observed %s", c.Phase, c.Expected, c.Observed)) {
			return c
		}
		if first == nil {
			first = c
		}
	}
	return first
}

// promptIn finds the prompt that an expectation names.
var promptIn = regexp.MustCompile(`^prompt ([a-z0-9-]+)`)

func promptRows(outcomes []Outcome) []promptRow {
	byKey := map[string]*promptRow{}
	for _, o := range outcomes {
		codes := map[string]string{}
		for _, c := range o.Result.Checks {
			if c.What == "code" {
				codes[c.Phase] = c.Observed
			}
		}
		for _, c := range o.Result.Checks {
			m := promptIn.FindStringSubmatch(c.Expected)
			if c.What != "prompt" || m == nil {
				continue
			}
			code := codes[c.Phase]
			if len(code) > 3 {
				code = "" // words, not a code
			}
			key := strings.Join([]string{m[1], code, o.Result.Profile, o.Result.Rig, c.Budget}, "\x00")
			row := byKey[key]
			if row == nil {
				row = &promptRow{Prompt: m[1], Code: code, Profile: o.Result.Profile, Rig: o.Result.Rig, Budget: c.Budget, Quantiles: []int64{}}
				byKey[key] = row
			}
			row.N++
			row.Limit = max(row.Limit, c.LimitUS)
			switch {
			case c.Verdict == record.Fail:
				row.Wrong++
			case c.Budget != "" && c.LimitUS > 0:
				row.samples = append(row.samples, c.MeasuredUS)
			}
		}
	}
	rows := []promptRow{}
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		row := *byKey[key]
		s := statOf(row.samples)
		row.Quantiles, row.Max = s.Q, s.Max
		rows = append(rows, row)
	}
	return rows
}

func statOf(samples []int64) stat {
	slices.Sort(samples)
	s := stat{N: len(samples), Q: []int64{}}
	for _, q := range Quantiles(samples) {
		s.Q = append(s.Q, q.US)
	}
	if s.N > 0 {
		s.Max = samples[s.N-1]
	}
	return s
}

func budgetRows(outcomes []Outcome, all []facts) []budgetData {
	type samples struct {
		data              budgetData
		all, calm, faulty []int64
	}
	byKey := map[string]*samples{}
	for i, o := range outcomes {
		for _, c := range o.Result.Checks {
			if c.Budget == "" || c.LimitUS == 0 {
				continue
			}
			key := c.Budget + "\x00" + o.Result.Profile + "\x00" + o.Result.Rig
			s := byKey[key]
			if s == nil {
				s = &samples{data: budgetData{Budget: c.Budget, Profile: o.Result.Profile, Rig: o.Result.Rig, Points: [][5]int64{}}}
				byKey[key] = s
			}
			s.data.Limit, s.data.Floor = max(s.data.Limit, c.LimitUS), max(s.data.Floor, c.FloorUS)
			s.all = append(s.all, c.MeasuredUS)
			point := [5]int64{int64(i), c.MeasuredUS, c.UncertaintyUS, 0, c.AtUS}
			if during(all[i].windows, c.AtUS-c.MeasuredUS, c.AtUS) {
				point[3] = 1
				s.faulty = append(s.faulty, c.MeasuredUS)
			} else {
				s.calm = append(s.calm, c.MeasuredUS)
			}
			s.data.Points = append(s.data.Points, point)
		}
	}
	rows := []budgetData{}
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		s := byKey[key]
		s.data.All, s.data.Calm, s.data.Faulty = statOf(s.all), statOf(s.calm), statOf(s.faulty)
		s.data.thin()
		rows = append(rows, s.data)
	}
	return rows
}

// thin leaves out points where there are too many to draw: the small ones.
func (b *budgetData) thin() {
	if len(b.Points) <= maxPoints {
		return
	}
	sizes := make([]int64, 0, len(b.Points))
	for _, p := range b.Points {
		sizes = append(sizes, p[1])
	}
	slices.Sort(sizes)
	least := sizes[len(sizes)-maxPoints/2] // the slowest half of what is drawn, and every so-manieth of the rest
	every := (len(b.Points) + maxPoints/2 - 1) / (maxPoints / 2)
	kept := b.Points[:0:0]
	for i, p := range b.Points {
		if (p[1] > least || i%every == 0) && len(kept) < maxPoints {
			kept = append(kept, p)
		}
	}
	b.Left = len(b.Points) - len(kept)
	b.Points = kept
}

// namesJS gives the pages the names of the hosts' fields.
func (r *Run) namesJS() ([]byte, error) {
	type names struct {
		Title  string         `json:"title"`
		Fields map[int]string `json:"fields"`
	}
	all := map[string]names{}
	for _, id := range hosts.Names() {
		h, err := hosts.Load(id)
		if err != nil {
			return nil, err
		}
		n := names{h.Title, map[int]string{}}
		for number, f := range h.Dialect.Fields {
			n.Fields[number] = f.Name
		}
		all[id] = n
	}
	b, err := json.Marshal(all)
	return slices.Concat([]byte("window.HOSTS = "), b, []byte(";\n")), err
}
