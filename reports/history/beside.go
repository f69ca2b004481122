package history

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/reports"
)

// Limits of looking beside a run folder. Who keeps more than that, or wants it quicker, makes an index.
const (
	besideLimit   = 3 * time.Second
	besideEntries = 2000     // entries of the folder that are looked at, the last by name first
	besideRuns    = 60       // runs that are read, the newest first
	besideBytes   = 64 << 20 // and their results together
)

// Beside is the past as it lies beside a run folder, read when it is first asked for: in the index there, which is brought
// up to date, or, where there is none, in the run folders themselves. It implements reports.Past.
type Beside struct {
	dir   string
	once  sync.Once
	index *Index
	err   error

	// lines are the results as they stand in the folders, by scenario, newest first: most are never asked for.
	lines map[string][]line

	mu   sync.Mutex
	read map[string][]earlier // what was asked for
}

// earlier is a result with what makes it the past of another.
type earlier struct {
	reports.Earlier
	profile, lang string
}

// line is a result in a folder.
type line struct {
	run  *sibling
	text []byte
}

// NewBeside looks at nothing yet. dir is the run's own folder.
func NewBeside(dir string) *Beside { return &Beside{dir: filepath.Clean(dir)} }

// Of implements reports.Past.
func (b *Beside) Of(r record.Result, before time.Time, n int) ([]reports.Earlier, error) {
	b.once.Do(func() { b.err = b.open(before) })
	if b.err != nil {
		return nil, b.err
	}
	if b.index != nil {
		return b.index.Of(r, before, n)
	}
	var past []reports.Earlier
	for _, e := range b.decoded(r.Scenario) {
		if e.profile == r.Profile && e.lang == r.Lang {
			past = append(past, e.Earlier)
		}
	}
	return sameRung(past, r.Rig, n), nil
}

// Close closes the index, if it is open.
func (b *Beside) Close() error {
	if b.index == nil {
		return nil
	}
	return b.index.Close()
}

func (b *Beside) open(before time.Time) error {
	root, err := besideRoot(b.dir)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), besideLimit)
	defer cancel()
	path := filepath.Join(root, DefaultName)
	if is(root, DefaultName) {
		if b.index, err = Open(path); err == nil {
			_, _ = b.index.Update(ctx, root) // without it, what the index knew before is worth having
			return nil
		}
		b.index = nil // broken: the folders are the truth
	}
	b.lines, b.read = map[string][]line{}, map[string][]earlier{}
	b.readRuns(ctx, besides(ctx, root, b.dir, before))
	return nil
}

// besideRoot is the folder that holds the runs beside a run: the one around it, or, for a run of a night, the one around the
// night.
func besideRoot(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	night := filepath.Dir(filepath.Dir(filepath.Dir(dir))) // NIGHT/rigs/RIG/001
	if _, err := os.Stat(filepath.Join(night, nightFile)); err == nil {
		return filepath.Dir(night), nil
	}
	return filepath.Dir(dir), nil
}

// nightFile tells a night's folder from others.
const nightFile = "night.json"

// sibling is a run folder beside another.
type sibling struct {
	dir     string
	summary reports.Summary
	digests func() map[string]string // of what was planned, by name
}

// besides finds the runs beside a run that were begun before it and in which nothing was planted, newest first. What
// can't be read is nobody's past.
func besides(ctx context.Context, root, own string, before time.Time) []sibling {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil
	}
	var found []sibling
	add := func(dir string) {
		s := sibling{dir: dir}
		b, err := os.ReadFile(filepath.Join(dir, reports.SummaryFile))
		if err != nil || json.Unmarshal(b, &s.summary) != nil || s.summary.Format != reports.Format {
			return
		}
		if len(s.summary.Defects)+len(s.summary.BenchFaults) == 0 && s.summary.Started.Before(before) {
			found = append(found, s)
		}
	}
	own, _ = filepath.Abs(own)
	for i, e := range slices.Backward(entries) {
		dir := filepath.Join(root, e.Name())
		switch {
		case ctx.Err() != nil, len(entries)-i > besideEntries:
			return newest(found)
		case !e.IsDir(), dir == own:
		case is(dir, nightFile):
			runs, _ := filepath.Glob(filepath.Join(escaped(dir), "rigs", "*", "*", reports.ResultsFile))
			for _, run := range runs {
				add(filepath.Dir(run))
			}
		case is(dir, reports.ResultsFile):
			add(dir)
		}
	}
	return newest(found)
}

func is(dir, name string) bool {
	info, err := os.Stat(filepath.Join(dir, name))
	return err == nil && info.Mode().IsRegular()
}

// escaped makes a path one that Glob takes as it is.
func escaped(path string) string {
	var out []rune
	for _, c := range path {
		if slices.Contains([]rune(`*?[\`), c) {
			out = append(out, '\\')
		}
		out = append(out, c)
	}
	return string(out)
}

func newest(all []sibling) []sibling {
	slices.SortFunc(all, func(a, b sibling) int {
		return cmp.Or(b.summary.Started.Compare(a.summary.Started), cmp.Compare(a.dir, b.dir))
	})
	return all[:min(len(all), besideRuns)]
}

// scenarioKey is before a result's scenario, in the line that a run writes.
var scenarioKey = []byte(`"scenario":"`)

// readRuns reads runs, newest first, as far as the limits allow.
func (b *Beside) readRuns(ctx context.Context, all []sibling) {
	size := 0
	for i := range all {
		run := &all[i]
		text, err := os.ReadFile(filepath.Join(run.dir, reports.ResultsFile))
		if size += len(text); err != nil || size > besideBytes || ctx.Err() != nil {
			return
		}
		run.digests = sync.OnceValue(run.planned)
		lines := slices.Collect(bytes.Lines(text))
		for _, l := range slices.Backward(lines) { // a later attempt is newer
			_, rest, ok := bytes.Cut(l, scenarioKey)
			id, _, ended := bytes.Cut(rest, []byte{'"'})
			if ok && ended && bytes.HasSuffix(l, []byte{'\n'}) { // one without its end was cut off
				b.lines[string(id)] = append(b.lines[string(id)], line{run, l})
			}
		}
	}
}

func (s *sibling) planned() map[string]string {
	var plan reports.Plan
	if text, err := os.ReadFile(filepath.Join(s.dir, reports.PlanFile)); err != nil || json.Unmarshal(text, &plan) != nil {
		return nil
	}
	return digestsOf(&reports.Run{Plan: plan})
}

// decoded gives the results of a scenario, newest first.
func (b *Beside) decoded(scenario string) []earlier {
	b.mu.Lock()
	defer b.mu.Unlock()
	all, ok := b.read[scenario]
	if ok {
		return all
	}
	for _, l := range b.lines[scenario] {
		var r record.Result
		if json.Unmarshal(l.text, &r) != nil {
			continue
		}
		d := detailOf(r)
		e := reports.Earlier{Dir: l.run.dir, Started: startOf(&reports.Run{Summary: l.run.summary}, r), Verdict: r.Verdict, Cause: r.Cause, Firmware: r.Firmware, Rig: r.Rig,
			Digest: l.run.digests()[r.ID()], Timeline: r.Timeline, Detail: func() (reports.Detail, error) { return d, nil }}
		all = append(all, earlier{e, r.Profile, r.Lang})
	}
	slices.SortStableFunc(all, func(x, y earlier) int { return y.Started.Compare(x.Started) })
	b.read[scenario] = all
	return all
}
