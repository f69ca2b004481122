// Command run makes mutants of the terminal's program and runs the catalogue on each, until it turns red. See package
// mutants.
//
//	go run ./suites/proof/mutants/run                     every mutant
//	go run ./suites/proof/mutants/run -sample 100         a hundred of them, by a seed that is printed
//	go run ./suites/proof/mutants/run -only reversal.go   those whose line of the list has these words
//	go run ./suites/proof/mutants/run -group card         those of reading cards and of the kernel, or line, or all
//	go run ./suites/proof/mutants/run -list               names them
//
// Every mutant meets only the scenarios that execute it with a difference, which one run of the sound program finds out.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/suites/proof/mutants"
	"github.com/assay-hil/assay/suites/proof/mutants/switches"
)

// target is the package whose rules are taken away.
const target = "fakes/terminal"

// groups are its files by what they have rules of, and the package of its kernel.
var groups = map[string][]mutants.Part{
	"money": {{Folder: target, Files: []string{"sale.go", "online.go", "fields.go", "reversal.go", "matching.go", "customerid.go", "settle.go",
		"upload.go", "journal.go", "memory.go", "void.go", "refund.go", "preauth.go", "partial.go", "balance.go", "offline.go"}}},
	"card": {{Folder: target, Files: []string{"card.go", "chip.go", "cardtalk.go", "contactless.go", "stripe.go", "pinentry.go", "entry.go"}}, {Folder: target + "/kernel"}},
	"line": {{Folder: target, Files: []string{"signon.go", "secure.go", "failover.go", "uplink.go", "download.go", "menu.go", "receipt.go",
		"printer.go"}}},
}

// parts are the packages and files of a group, or of all.
func parts(group string) ([]mutants.Part, error) {
	names := slices.Sorted(maps.Keys(groups))
	if group != "all" {
		if _, known := groups[group]; !known {
			return nil, errors.New(strict.UnknownMessage("group", group, append(names, "all")))
		}
		names = []string{group}
	}
	all := []mutants.Part{{Folder: target}}
	for _, name := range names {
		for _, part := range groups[name] {
			if part.Folder == target {
				all[0].Files = append(all[0].Files, part.Files...)
			} else {
				all = append(all, part)
			}
		}
	}
	return all, nil
}

type options struct {
	group   string
	sample  int
	seed    uint64
	only    string
	list    bool
	workers int
	limit   time.Duration
	again   string
	most    int
	program string
	out     string
	child   bool
	record  bool
}

func main() {
	var o options
	flag.StringVar(&o.group, "group", "money", "whose rules: money (transaction, reversal, matching, customer ID, settlement), card (reading, PIN, kernel), line (sign-on, uplinks, receipts) or all")
	flag.IntVar(&o.sample, "sample", 0, "how many mutants to try, chosen by the seed; 0 is all")
	flag.Uint64Var(&o.seed, "seed", 0, "of the sample; 0 takes one and prints it")
	flag.StringVar(&o.only, "only", "", "try mutants whose line in the list has this in it")
	flag.BoolVar(&o.list, "list", false, "name the mutants and stop")
	flag.IntVar(&o.workers, "workers", runtime.NumCPU(), "programs at a time")
	flag.DurationVar(&o.limit, "limit", 3*time.Minute, "time for one mutant; what takes longer counts as caught only when a scenario hangs")
	flag.StringVar(&o.again, "again", "", "try only what was not caught according to this file that -out has written")
	flag.IntVar(&o.most, "most", 0, "how many of the scenarios that meet a mutant are tried; 0 is all")
	flag.StringVar(&o.program, "program", "", "build the program with the mutants to this file, and stop; "+switches.Variable+" in its environment is the mutant that is on")
	flag.StringVar(&o.out, "out", "", "file for the outcome of every mutant, as JSON")
	flag.BoolVar(&o.child, "child", false, "run the items on standard input (the command calls itself so)")
	flag.BoolVar(&o.record, "record", false, "with -child: tell which mutants each item meets")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := o.do(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (o options) do(ctx context.Context) error {
	if o.child {
		return child(ctx, os.Stdin, os.Stdout, o.record)
	}
	of, err := parts(o.group)
	if err != nil {
		return err
	}
	all, err := mutants.Rewrite(of...)
	if err != nil {
		return err
	}
	chosen, err := o.choose(all.Mutants)
	if err != nil {
		return err
	}
	if o.list {
		for _, m := range chosen {
			fmt.Printf("%4d %s\n", m.ID, m)
		}
		return nil
	}
	scratch, err := os.MkdirTemp("", "assay-mutants-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	program, err := build(ctx, all, scratch)
	if err != nil {
		return err
	}
	if o.program != "" {
		return os.Rename(program, o.program)
	}
	r := &runner{options: o, program: program, killers: map[string]int{}}
	if err := r.baseline(ctx); err != nil {
		return err
	}
	outcomes := r.try(ctx, chosen)
	if o.out != "" {
		if err := writeJSON(o.out, outcomes); err != nil {
			return err
		}
	}
	return report(os.Stdout, len(all.Mutants), outcomes, ctx.Err() != nil)
}

// choose takes those that are asked for.
func (o options) choose(all []mutants.Mutant) ([]mutants.Mutant, error) {
	var chosen []mutants.Mutant
	if o.again != "" {
		return o.uncaught(all)
	}
	for _, m := range all {
		if strings.Contains(m.String(), o.only) {
			chosen = append(chosen, m)
		}
	}
	if o.sample == 0 || o.sample >= len(chosen) {
		return chosen, nil
	}
	if o.seed == 0 {
		o.seed = uint64(time.Now().UnixNano())
	}
	fmt.Printf("%d of %d mutants by seed %d\n", o.sample, len(chosen), o.seed)
	rand.New(rand.NewPCG(o.seed, 0)).Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
	return chosen[:o.sample], nil
}

// uncaught are those that an earlier run did not see caught.
func (o options) uncaught(all []mutants.Mutant) ([]mutants.Mutant, error) {
	text, err := os.ReadFile(o.again)
	if err != nil {
		return nil, err
	}
	var before []outcome
	if err := json.Unmarshal(text, &before); err != nil {
		return nil, fmt.Errorf("%s: %w", o.again, err)
	}
	left := map[place]bool{}
	for at, b := range placed(before, func(o outcome) mutants.Mutant { return o.Mutant }) {
		left[at] = b.State == survived || b.State == tooSlow || b.State == unmet
	}
	var chosen []mutants.Mutant
	for at, m := range placed(all, func(m mutants.Mutant) mutants.Mutant { return m }) {
		if left[at] {
			chosen = append(chosen, m)
		}
	}
	slices.SortFunc(chosen, func(a, b mutants.Mutant) int { return cmp.Compare(a.ID, b.ID) })
	return chosen, nil
}

// place tells a mutant also after lines were added above it or in other files: the nth of its kind
// and code in its function, counted by line.
type place struct {
	file, function, kind, code string
	nth                        int
}

// placed gives each its place.
func placed[T any](them []T, of func(T) mutants.Mutant) map[place]T {
	them = slices.SortedStableFunc(slices.Values(them), func(a, b T) int {
		return cmp.Or(cmp.Compare(of(a).Line, of(b).Line), cmp.Compare(of(a).ID, of(b).ID))
	})
	at := map[place]T{}
	for _, t := range them {
		m := of(t)
		p := place{file: m.File, function: m.Func, kind: m.Kind, code: m.Code}
		for _, taken := at[p]; taken; _, taken = at[p] {
			p.nth++
		}
		at[p] = t
	}
	return at
}

// build makes this very command again, with the mutants in it.
func build(ctx context.Context, r mutants.Rewritten, scratch string) (string, error) {
	overlay, err := r.Overlay(scratch)
	if err != nil {
		return "", err
	}
	program := filepath.Join(scratch, "program")
	cmd := exec.CommandContext(ctx, "go", "build", "-overlay", overlay, "-o", program, "./suites/proof/mutants/run")
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the program with the mutants: %w\n%s", err, said)
	}
	return program, nil
}

func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// report tells how many were caught, and lists the others.
func report(out io.Writer, of int, outcomes []outcome, cut bool) error {
	count := map[string]int{}
	for _, o := range outcomes {
		count[o.State]++
	}
	tried := len(outcomes) - count[unmet]
	caught := tried - count[survived] - count[tooSlow]
	fmt.Fprintf(out, "\n%d mutants in all, %d tried.\n", of, len(outcomes))
	fmt.Fprintf(out, "%d make a difference in some scenario: %d caught (%.1f %%): %d fail the terminal, %d end inconclusive, %d crash, %d hang.\n",
		tried, caught, percent(caught, tried), count[failed], count[inconclusive], count[crashed], count[hung])
	fmt.Fprintf(out, "%d survive, %d were not seen to the end, %d make no difference in any scenario.\n", count[survived], count[tooSlow], count[unmet])
	for _, state := range []string{survived, tooSlow, unmet, inconclusive} {
		for _, o := range outcomes {
			if o.State == state {
				fmt.Fprintf(out, "%-12s %s %s (%d of %d scenarios)\n", state, o.Mutant, o.By, o.Tried, o.Met)
			}
		}
	}
	if cut {
		return fmt.Errorf("interrupted: this is what was found until then")
	}
	return nil
}

func percent(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}
