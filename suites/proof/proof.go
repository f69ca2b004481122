// Package proof asks whether the harness tells the truth: the catalogue against the sound terminal, in which it must find
// nothing; against every defect that can be planted, each of which some scenario must catch, as the terminal's failure; and
// with faults of rig and fakes planted, of which none may become a verdict about the terminal.
//
// Everything runs on the rung virtual, several worlds at a time, in one process.
package proof

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/rungs"
	"github.com/assay-hil/assay/suites"
)

// Config says what is proved.
type Config struct {
	suites.Selection
	// Defects to plant; none is all of them.
	Defects []rungs.Defect
	// All goes on after a defect was caught, so that every scenario meets every defect, on the first profile that can
	// run it.
	All bool
	// Quick runs each scenario on the first profile that can run it only: what nobody catches then, another profile may.
	Quick bool
	// Workers is how many worlds there are at a time.
	Workers int
	// Folder is where the timelines of what was found are kept; "" keeps none.
	Folder string
	// Progress is told what has been done; nil for nobody. It is called from one goroutine at a time.
	Progress func(done, planned int, what string)
}

// Matrix is what came of it.
type Matrix struct {
	Scenarios int `json:"scenarios"`
	Items     int `json:"items"` // scenarios × the profiles that can run them
	// Sound are the findings on the sound terminal, of which there must be none.
	Sound   []Finding `json:"sound"`
	Defects []Caught  `json:"defects"`
	Faults  []Planted `json:"faults"`
	// Uncaught are the defects that nothing caught. Idle are the scenarios that never caught anything; that is known
	// only when every scenario met every defect (All).
	Uncaught []string `json:"uncaught"`
	Idle     []string `json:"idle,omitempty"`
	All      bool     `json:"all"`
	// Cut says that the proof was interrupted: this is what was found until then.
	Cut bool `json:"cut,omitempty"`
}

// Finding is a scenario that did not pass.
type Finding struct {
	Scenario string         `json:"scenario"`
	Profile  string         `json:"profile"`
	Verdict  record.Verdict `json:"verdict"`
	Cause    record.Cause   `json:"cause"`
	Why      string         `json:"why"` // the first difference
	// Rows are those that the scenario proves, of the rows that the defect's rule names.
	Rows []string `json:"rows,omitempty"`
}

// Caught is a defect and the scenarios that failed the terminal for it.
type Caught struct {
	Defect string    `json:"defect"`
	Group  string    `json:"group"`
	Rule   string    `json:"rule"`
	By     []Finding `json:"by"`
	Tried  int       `json:"tried"` // items that were run
	// Cut: the proof was interrupted before everything was tried.
	Cut bool `json:"cut,omitempty"`
	// Wrong are the findings whose cause is not the terminal, though nothing else was wrong: what kept the scenario from
	// its verdict was the defect.
	Wrong []Finding `json:"wrong,omitempty"`
}

// OK says that all is as it must be.
func (m Matrix) OK() bool {
	return !m.Cut && len(m.Sound) == 0 && len(m.Uncaught) == 0 && !slices.ContainsFunc(m.Faults, func(p Planted) bool { return !p.OK })
}

// Caught is how many defects some scenario caught.
func (m Matrix) Caught() int {
	n := 0
	for _, c := range m.Defects {
		if len(c.By) > 0 {
			n++
		}
	}
	return n
}

// Run proves the harness. Its error is a configuration that can't be run. When ctx ends, the matrix has what was found
// until then.
func Run(ctx context.Context, cfg Config) (Matrix, error) {
	p, err := prepare(cfg)
	if err != nil {
		return Matrix{}, err
	}
	defer os.RemoveAll(p.scratch)
	if p.planned = 1 + len(p.cfg.Defects) + len(plantable()); len(cfg.Scenarios) > 0 || cfg.Filter != "" {
		p.planned -= len(plantable()) // what is left of the catalogue may not meet the faults
	}
	p.matrix.Sound = p.sound(ctx)
	p.matrix.Defects = p.defects(ctx)
	if p.planned > 1+len(p.cfg.Defects) {
		p.matrix.Faults = p.faults(ctx)
	}
	p.matrix.Cut = ctx.Err() != nil
	p.conclude()
	return p.matrix, p.err
}

// prover is a proof under way.
type prover struct {
	cfg     Config
	items   []suites.Item   // the profile that fits first, of every scenario, then the others
	first   map[string]bool // items of such a first profile
	scratch string
	files   atomic.Int64
	matrix  Matrix

	mu      sync.Mutex
	done    int
	planned int
	err     error
}

func prepare(cfg Config) (*prover, error) {
	if cfg.Workers < 1 {
		return nil, fmt.Errorf("%d workers: at least one is needed", cfg.Workers)
	}
	rung, err := rungs.Open(rungs.Options{Rig: rungs.Virtual})
	if err != nil {
		return nil, err
	}
	defer rung.Close()
	every := cfg.Selection
	every.Profile = suites.AllProfiles
	items, err := suites.Plan(rung, every)
	if err != nil {
		return nil, err
	}
	p := &prover{cfg: cfg, first: map[string]bool{}}
	if p.cfg.Defects == nil {
		p.cfg.Defects = rungs.Defects()
	}
	p.scratch, err = os.MkdirTemp("", "assay-proof-")
	if err != nil {
		return nil, err
	}
	p.order(items)
	p.matrix.Items, p.matrix.All = len(p.items), cfg.All
	return p, nil
}

// parallel does work for 0 … n-1, some at a time.
func (p *prover) parallel(ctx context.Context, n int, do func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range p.cfg.Workers {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	workers.Wait()
}

// play runs an item in a world; its timeline is kept under a name where it matters and a folder is wanted.
func (p *prover) play(ctx context.Context, rung rungs.Rung, item suites.Item, name string, matters func(record.Result) bool) record.Result {
	path := filepath.Join(p.scratch, fmt.Sprintf("%d.jsonl", p.files.Add(1)))
	defer os.Remove(path)
	result := suites.Play(ctx, rung, item, path, nil)
	if p.cfg.Folder == "" || !matters(result) {
		return result
	}
	kept := filepath.Join(p.cfg.Folder, name, item.Name+".jsonl")
	err := os.MkdirAll(filepath.Dir(kept), 0o755)
	if err == nil {
		var text []byte
		if text, err = os.ReadFile(path); err == nil {
			err = os.WriteFile(kept, text, 0o644)
		}
	}
	if err != nil {
		p.fail(fmt.Errorf("keep the timeline of %s: %w", item.Name, err))
	}
	return result
}

func (p *prover) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
	}
}

func (p *prover) tell(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if p.cfg.Progress != nil {
		p.cfg.Progress(p.done, p.planned, what)
	}
}

func found(r record.Result) Finding {
	return Finding{Scenario: r.Scenario, Profile: r.Profile, Verdict: r.Verdict, Cause: r.Cause, Why: r.Why}
}

func passed(r record.Result) bool { return r.Verdict == record.Pass || r.Verdict == record.Marginal }

// sound runs everything on the terminal without a defect.
func (p *prover) sound(ctx context.Context) []Finding {
	rung, err := rungs.Open(rungs.Options{Rig: rungs.Virtual})
	if err != nil {
		p.fail(err)
		return nil
	}
	defer rung.Close()
	findings := make([]*Finding, len(p.items))
	p.parallel(ctx, len(p.items), func(i int) {
		if r := p.play(ctx, rung, p.items[i], "sound", func(r record.Result) bool { return !passed(r) }); !passed(r) && ctx.Err() == nil {
			f := found(r)
			findings[i] = &f
		}
	})
	all := []Finding{}
	for _, f := range findings {
		if f != nil {
			all = append(all, *f)
		}
	}
	p.tell(fmt.Sprintf("sound terminal: %d findings in %d runs", len(all), len(p.items)))
	return all
}

// defects runs the catalogue on each defect.
func (p *prover) defects(ctx context.Context) []Caught {
	all := make([]Caught, len(p.cfg.Defects))
	for i, d := range p.cfg.Defects {
		all[i] = Caught{Defect: d.Name, Group: d.Group, Rule: d.Rule, By: []Finding{}, Cut: true}
	}
	p.parallel(ctx, len(all), func(i int) {
		all[i] = p.defect(ctx, p.cfg.Defects[i])
		what := "nobody catches it"
		switch {
		case len(all[i].By) > 0:
			what = "caught by " + all[i].By[0].Scenario
		case all[i].Cut:
			return
		}
		p.tell(all[i].Defect + ": " + what)
	})
	return all
}

func (p *prover) defect(ctx context.Context, d rungs.Defect) Caught {
	c := Caught{Defect: d.Name, Group: d.Group, Rule: d.Rule, By: []Finding{}}
	rung, err := rungs.Open(rungs.Options{Rig: rungs.Virtual, Defects: []string{d.Name}})
	if err != nil {
		p.fail(err)
		return c
	}
	defer rung.Close()
	rows := rowsOf(d.Rule)
	for _, item := range p.likely(d) {
		if len(c.By) > 0 && !(p.cfg.All && p.first[item.Name]) {
			continue
		}
		if c.Cut = ctx.Err() != nil; c.Cut {
			break
		}
		r := p.play(ctx, rung, item, d.Name, func(r record.Result) bool { return r.Verdict == record.Fail })
		if c.Cut = ctx.Err() != nil; c.Cut {
			break // what was interrupted says nothing
		}
		c.Tried++
		switch {
		case passed(r):
		case r.Verdict == record.Fail && r.Cause == record.Terminal:
			by := found(r)
			by.Rows = named(item, rows)
			c.By = append(c.By, by)
		default:
			c.Wrong = append(c.Wrong, found(r))
		}
	}
	return c
}

// conclude lists what nobody catches and what catches nothing.
func (p *prover) conclude() {
	p.matrix.Uncaught = []string{}
	useful := map[string]bool{}
	for _, c := range p.matrix.Defects {
		if len(c.By) == 0 && !c.Cut {
			p.matrix.Uncaught = append(p.matrix.Uncaught, c.Defect)
		}
		for _, f := range c.By {
			useful[f.Scenario] = true
		}
	}
	if !p.cfg.All || p.matrix.Cut {
		return
	}
	for _, item := range p.items {
		if id := item.Scenario.ID; !useful[id] && !slices.Contains(p.matrix.Idle, id) {
			p.matrix.Idle = append(p.matrix.Idle, id)
		}
	}
}
