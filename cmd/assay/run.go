package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/reports"
	"github.com/assay-hil/assay/rungs"
	"github.com/assay-hil/assay/suites"
)

// runFlags are the flags of `assay run`.
type runFlags struct {
	rungs.Options
	suites.Selection
	out string
}

func newRun() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run scenarios against a terminal and judge what it did",
		Long: `Runs the selected scenarios, one after the other, and writes a run folder: a timeline of each
scenario as it happens, results.jsonl, summary.json, junit.xml and index.html.

A rig is one of
  sim      the simulated bench behind real pseudo-terminals and loopback TCP, in real time; the
           simulated terminal's timers, and with them its budgets, are shortened by 6
  virtual  the simulated bench in memory and in virtual time, nothing shortened
  FILE     a lab's rig file: real instruments, a real terminal

Without --profile each scenario runs on the first terminal profile that can run it; with
--profile all on each that can. On the simulated rungs faults can be planted on purpose.

Defects of the terminal (--defect):
` + rungs.Defects() + `
Faults of the bench (--bench-fault):
  ` + strings.Join(rungs.Faults(), ", ") + `

Ctrl-C ends the run: the rig is made safe and the report is written. Pressing it again changes
nothing about that.`,
		Example: `  assay run
  assay run --rig virtual --profile all
  assay run --scenario CID-PHONE CID-OVER-MAX --lang en
  assay run --filter 'smoke && !control' --out /tmp/night
  assay run --rig virtual --defect no-reversal-after-timeout    # must turn red
  assay run --rig virtual --bench-fault keypad-dead             # must be inconclusive, exit 3`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			// `--scenario A B C` is what people type.
			if len(args) > 0 && len(f.Scenarios) == 0 {
				return usage(fmt.Errorf("%q is no flag; to run scenarios by their ids: assay run --scenario %s", args[0], strings.Join(args, " ")))
			}
			f.Scenarios = append(f.Scenarios, args...)
			return execute(cmd.Context(), f, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.Rig, "rig", rungs.Sim, "sim, virtual, or a rig file")
	flags.StringVar(&f.Profile, "profile", "", "terminal profile, or all (default: the first that can run a scenario)")
	flags.StringVar(&f.Lang, "lang", "", "language of the terminal, zh or en (default: the profile's first)")
	flags.StringVar(&f.Filter, "filter", "", "labels to run, such as 'smoke && !control'")
	flags.StringSliceVar(&f.Scenarios, "scenario", nil, "ids of scenarios to run")
	flags.StringVar(&f.out, "out", "", "run folder (default: runs/DATE-TIME-RIG)")
	flags.Int64Var(&f.Seed, "seed", 0, "shuffle the order with this seed (default: the catalogue's order)")
	flags.StringSliceVar(&f.Defects, "defect", nil, "plant defects in the simulated terminal")
	flags.StringSliceVar(&f.Faults, "bench-fault", nil, "plant faults in the simulated bench")
	return cmd
}

// execute plans, runs, reports, and turns the counts into an exit code.
func execute(ctx context.Context, f runFlags, stdout io.Writer) error {
	rung, err := rungs.Open(f.Options)
	if err != nil {
		return usage(explain(err, f.Rig))
	}
	items, err := suites.Plan(rung, f.Selection)
	if err != nil {
		return usage(err)
	}
	if f.out == "" {
		f.out = filepath.Join("runs", time.Now().Format("20060102-150405")+"-"+filepath.Base(rung.Name()))
	}
	folder, err := reports.Create(f.out, summaryOf(f, rung, items))
	if err != nil {
		return usage(err)
	}
	live := newProgress(stdout, len(items))
	failed := suites.Run(ctx, suites.Config{Items: items, Rung: rung, Folder: folder, Progress: live.show})
	live.end()
	failed = errors.Join(failed, rung.Close())
	summary, err := folder.Close()
	if err = errors.Join(failed, err); err != nil {
		fmt.Fprintln(stdout, "\nThe run did not end well:", err)
	}
	printSummary(stdout, summary, folder.Path())
	if code := exitCode(summary, err); code != exitPass {
		return &exit{code: code}
	}
	return nil
}

func usage(err error) error { return &exit{exitUsage, err} }

// explain adds to a missing rig file what may have been meant.
func explain(err error, rig string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--rig: there is no file %s; %s", rig, strict.UnknownMessage("rig", rig, []string{rungs.Sim, rungs.Virtual}))
	}
	return err
}

func summaryOf(f runFlags, rung rungs.Rung, items []suites.Item) reports.Summary {
	var profiles, langs []string
	for _, item := range items {
		profiles, langs = append(profiles, item.Profile.ID), append(langs, item.Lang)
	}
	list := func(words []string) string {
		slices.Sort(words)
		return strings.Join(slices.Compact(words), ",")
	}
	var file string
	if f.Rig != rungs.Sim && f.Rig != rungs.Virtual {
		file = f.Rig
	}
	return reports.Summary{
		RigFile: file, Planned: len(items), Rig: rung.Name(), Profile: list(profiles), Lang: list(langs), Seed: f.Seed, Version: version(),
		Defects: f.Defects, BenchFaults: f.Faults,
	}
}

// exitCode: what the terminal did wrong counts more than what could not be decided.
func exitCode(s reports.Summary, err error) int {
	switch {
	case s.Failed > 0:
		return exitFailed
	case err != nil, s.Inconclusive > 0, s.NotRun > 0, s.Skipped == s.Planned:
		return exitInconclusive
	default:
		return exitPass
	}
}
