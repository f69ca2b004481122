package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/suites/proof/mutants"
	"github.com/assay-hil/assay/suites/proof/mutants/switches"
)

// States of a mutant.
const (
	failed       = "fails"        // a scenario failed the terminal
	inconclusive = "inconclusive" // a scenario did not pass, and blamed something else
	crashed      = "crashes"      // the program ended with it
	hung         = "hangs"        // a scenario did not end
	survived     = "SURVIVES"     // all scenarios that meet it passed
	tooSlow      = "not finished" // the time was over, and nothing was red
	unmet        = "never met"    // no scenario executes it with a difference
)

// outcome is what became of a mutant.
type outcome struct {
	Mutant mutants.Mutant `json:"mutant"`
	State  string         `json:"state"`
	By     string         `json:"by,omitempty"`  // the scenario
	Why    string         `json:"why,omitempty"` // its first difference
	Tried  int            `json:"tried"`         // scenarios
	Met    int            `json:"met"`           // scenarios that execute it with a difference
}

type runner struct {
	options
	program string
	items   []played          // of the sound program, with what they meet
	family  map[string]string // of each item

	mu      sync.Mutex
	killers map[string]int // items that have caught mutants
}

// parallel does work for 0 … n-1, some at a time, until ctx ends.
func (r *runner) parallel(ctx context.Context, n int, do func(int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range r.workers {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	workers.Wait()
}

// baseline runs everything on the sound program, which must pass, and notes what each item meets.
func (r *runner) baseline(ctx context.Context) error {
	all, rung, err := items()
	if err != nil {
		return err
	}
	if err := rung.Close(); err != nil {
		return err
	}
	shards := make([][]string, r.workers)
	r.family = map[string]string{}
	for i, item := range all {
		r.family[item.Name] = item.Scenario.Family
		shards[i%r.workers] = append(shards[i%r.workers], item.Name)
	}
	begun := time.Now()
	errs := make([]error, len(shards))
	var mu sync.Mutex
	r.parallel(ctx, len(shards), func(i int) {
		errs[i] = r.run(ctx, 0, shards[i], []string{"-record"}, func(p played) {
			mu.Lock()
			defer mu.Unlock()
			r.items = append(r.items, p)
		})
	})
	if err := errors.Join(append(errs, ctx.Err())...); err != nil {
		return err
	}
	for _, p := range r.items {
		if !p.passed() {
			return fmt.Errorf("on the sound program %s: %s (%s) %s", p.Item, p.Verdict, p.Cause, p.Why)
		}
	}
	fmt.Printf("%d scenarios pass on the sound program, %.0f s\n", len(r.items), time.Since(begun).Seconds())
	return nil
}

// run has a program with one mutant on play items.
func (r *runner) run(ctx context.Context, mutant int, names, more []string, tell func(played)) error {
	list, err := json.Marshal(names)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, r.program, append([]string{"-child"}, more...)...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", switches.Variable, mutant), "GOMAXPROCS=1")
	cmd.Stdin = bytes.NewReader(list)
	cmd.WaitDelay = time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	for d := json.NewDecoder(out); ; {
		var p played
		if err := d.Decode(&p); err != nil {
			_, _ = io.Copy(io.Discard, out) // how the program ended says more
			break
		}
		tell(p)
	}
	return cmd.Wait()
}

// try runs the catalogue on each of some mutants.
func (r *runner) try(ctx context.Context, chosen []mutants.Mutant) []outcome {
	outcomes := make([]outcome, len(chosen))
	var done atomic.Int64
	r.parallel(ctx, len(chosen), func(i int) {
		outcomes[i] = r.one(ctx, chosen[i])
		fmt.Printf("%d/%d %-12s %s %s\n", done.Add(1), len(chosen), outcomes[i].State, chosen[i], outcomes[i].By)
	})
	return slices.DeleteFunc(outcomes, func(o outcome) bool { return o.State == "" })
}

func (r *runner) one(ctx context.Context, m mutants.Mutant) outcome {
	o := outcome{Mutant: m, State: survived}
	names := r.meeting(m)
	o.Met = len(names)
	if len(names) == 0 {
		o.State = unmet
		return o
	}
	limited, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	if r.most > 0 {
		names = names[:min(len(names), r.most)]
	}
	last := time.Now()
	err := r.run(limited, m.ID, names, nil, func(p played) {
		o.Tried++
		last = time.Now()
		if p.passed() {
			return
		}
		o.State, o.By, o.Why = inconclusive, p.Item, p.Why
		if p.Verdict == record.Fail {
			o.State = failed
		}
	})
	switch {
	case ctx.Err() != nil:
		return outcome{}
	case o.State != survived:
	case limited.Err() != nil && time.Since(last) > hangs:
		o.State, o.By = hung, names[o.Tried]
	case limited.Err() != nil:
		o.State = tooSlow
	case err != nil:
		o.State, o.By = crashed, names[min(o.Tried, len(names)-1)]
	}
	if o.State == survived && o.Tried < o.Met {
		o.State = tooSlow
	}
	if o.By != "" {
		r.mu.Lock()
		r.killers[o.By]++
		r.mu.Unlock()
	}
	return o
}

// hangs is how long a scenario may take; in virtual time none takes a second.
const hangs = 30 * time.Second

// about are the families whose scenarios are about the rules of a file, by which they are asked first.
var about = map[string][]string{
	"customerid.go": {"customer-id"},
	"matching.go":   {"host-behaviour"},
	"reversal.go":   {"host-behaviour", "network", "power"},
	"online.go":     {"network", "uplink"},
	"settle.go":     {"settlement", "power"},
	"upload.go":     {"settlement", "power"},
	"journal.go":    {"settlement", "operator", "endurance"},
	"memory.go":     {"power", "terminal-fault", "endurance"},
	"void.go":       {"operator", "settlement"},
	"refund.go":     {"operator", "settlement"},
	"preauth.go":    {"operator", "settlement"},
	"partial.go":    {"operator", "host-behaviour"},
	"offline.go":    {"chip", "contactless", "settlement"},

	"chip.go":        {"chip", "pin"},
	"card.go":        {"stripe", "chip", "contactless", "card-data"},
	"contactless.go": {"contactless", "wallet"},
	"stripe.go":      {"stripe", "card-data"},
	"pinentry.go":    {"pin"},
	"signon.go":      {"security", "host-behaviour"},
	"secure.go":      {"security"},
	"failover.go":    {"uplink"},
	"uplink.go":      {"uplink", "network"},
	"download.go":    {"operator", "terminal-fault"},
	"receipt.go":     {"terminal-fault", "operator"},
	"printer.go":     {"terminal-fault"},

	"kernel/tap.go": {"contactless", "wallet"},
	"kernel/cvm.go": {"pin", "chip"},
	"kernel/oda.go": {"chip"},
}

// meeting are the items that meet a mutant: first those that are about its file and those that have caught others, then one of
// each family in turn, so that every part of the catalogue has its say early; within a family the quick come first.
func (r *runner) meeting(m mutants.Mutant) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var met []played
	for _, p := range r.items {
		if slices.Contains(p.Met, m.ID) {
			met = append(met, p)
		}
	}
	slices.SortStableFunc(met, func(a, b played) int { return cmp.Compare(a.Seconds, b.Seconds) })
	rank, seen := map[string]int{}, map[string]int{}
	for _, p := range met {
		family := r.family[p.Item]
		rank[p.Item] = seen[family]
		seen[family]++
		if slices.Contains(about[m.File], family) || r.killers[p.Item] > 0 {
			rank[p.Item] = -1
		}
	}
	slices.SortStableFunc(met, func(a, b played) int {
		return cmp.Or(cmp.Compare(rank[a.Item], rank[b.Item]), cmp.Compare(r.killers[b.Item], r.killers[a.Item]))
	})
	var names []string
	for _, p := range met {
		names = append(names, p.Item)
	}
	return names
}
