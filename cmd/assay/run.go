package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/reports"
	"github.com/assay-hil/assay/rungs"
	"github.com/assay-hil/assay/suites"
)

// runFlags are the flags of `assay run`.
type runFlags struct {
	rungs.Options
	suites.Selection
	out    string
	then   string
	night  nightFlags
	report reportFlags
}

func newRun() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run scenarios against a terminal and judge what it did",
		Long: `Runs the selected scenarios, on each rig one after the other, and writes a run folder: a timeline of each
scenario as it happens, results.jsonl, summary.json, junit.xml and index.html.

A rig is one of
  sim      the simulated bench behind real pseudo-terminals and loopback TCP, in real time; the
           simulated terminal's timers, and with them its budgets, are shortened by 6; several
           such benches work side by side
  virtual  the simulated bench in memory and in virtual time, nothing shortened
  FILE     a lab's rig file: real instruments, a real terminal

Without --profile each scenario runs on the first terminal profile that can run it; with
--profile all on each that can. On the simulated rungs faults can be planted on purpose.

Defects of the terminal (--defect) are listed by 'assay defects list'.
Faults of the bench (--bench-fault):
  ` + strings.Join(rungs.Faults(), ", ") + `

Ctrl-C ends the run: the rig is made safe and the report is written. Pressing it again changes
nothing about that.`,
		Example: `  assay run
  assay run --rig virtual --profile all
  assay run --scenario CID-PHONE CID-OVER-MAX --lang en
  assay run --rig virtual --then sim                            # the catalogue, then smoke in real time, in one report
  assay run --filter 'smoke && !control' --out /tmp/night
  assay run --hosts containers --filter smoke                   # issuer and injector under Docker
  assay run --rig virtual --defect no-reversal-after-timeout    # must turn red
  assay run --rig virtual --bench-fault keypad-dead             # must be inconclusive, exit 3
  assay run --rig virtual --catalogue mine --profile mine/t9.yaml  # scenarios and a terminal of one's own
  assay run --plan nightly.yaml --out night                     # several rigs at once
  assay run --resume night                                      # and on, after a crash`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.night.wanted() {
				return night(cmd, f.night, f.out)
			}
			// `--scenario A B C` is what people type.
			if len(args) > 0 && len(f.Scenarios) == 0 {
				return usage(fmt.Errorf("%q is no flag; to run scenarios by their ids: assay run --scenario %s", args[0], strings.Join(args, " ")))
			}
			f.Scenarios = append(f.Scenarios, args...)
			f.In, f.Out = cmd.InOrStdin(), cmd.ErrOrStderr()
			return execute(cmd.Context(), f, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.Rig, "rig", rungs.Sim, "sim, virtual, or a rig file")
	flags.StringVar(&f.then, "then", "", "after that, the scenarios with the label smoke on this rig too (sim, virtual or a rig file), in the same report")
	flags.StringVar(&f.Hosts, "hosts", rungs.Embedded, "where issuer and injector run: "+strings.Join(rungs.HostsWords(), " or "))
	flags.StringVar(&f.State, "state", "", "folder for what is known about rigs from run to run (default: ASSAY_STATE, else in the user's state folder)")
	flags.StringVar(&f.Profile, "profile", "", "terminal profile, the file of one, or all (default: the first that can run a scenario)")
	flags.StringSliceVar(&f.Folders, "catalogue", nil, "folder of scenarios besides those of the program: a folder a family, a file a failure mode")
	flags.StringVar(&f.Lang, "lang", "", "language of the terminal, zh or en (default: the profile's first)")
	flags.StringVar(&f.Filter, "filter", "", "labels to run, such as 'smoke && !control'")
	flags.StringSliceVar(&f.Scenarios, "scenario", nil, "ids of scenarios to run")
	flags.StringVar(&f.Quarantine, "quarantine", "", "file of scenarios that are skipped on a rig until a day, with the reason")
	flags.StringVar(&f.out, "out", "", "run folder (default: runs/DATE-TIME-RIG)")
	flags.Int64Var(&f.Seed, "seed", 0, "shuffle the order with this seed (default: the catalogue's order)")
	flags.IntVar(&f.Benches, "benches", 0, "with --rig sim: how many simulated benches work side by side (default: four a core, at most 8)")
	flags.StringSliceVar(&f.Defects, "defect", nil, "plant defects in the simulated terminal")
	f.night.register(flags)
	f.report.register(flags)
	flags.StringSliceVar(&f.Faults, "bench-fault", nil, "plant faults in the simulated bench")
	return cmd
}

// execute plans, runs, reports, and turns the counts into an exit code.
func execute(ctx context.Context, f runFlags, stdout io.Writer) error {
	// A reader of our output that goes away must not end a run with the finger on a key.
	signal.Ignore(syscall.SIGPIPE)
	until, err := f.night.untilTime(time.Now())
	if err != nil {
		return usage(err)
	}
	if ctx, err = f.night.alive(ctx); err != nil {
		return usage(err)
	}
	var folder *reports.Folder
	if err := f.profileFile(); err != nil {
		return usage(err)
	}
	f.Evidence = func(path string) (io.WriteCloser, error) { return folder.Create(path) }
	rung, err := rungs.Open(f.Options)
	if errors.Is(err, rungs.ErrNotAvailable) {
		return &exit{exitInconclusive, err}
	}
	if err != nil {
		return usage(explain(err, f.Rig))
	}
	items, err := suites.Plan(rung, f.Selection)
	if err != nil {
		return usage(err)
	}
	next, items, err := f.follow(items)
	if err != nil {
		return usage(err)
	}
	if f.out == "" {
		f.out = filepath.Join("runs", time.Now().Format("20060102-150405")+"-"+filepath.Base(rung.Name()))
	}
	start, err := f.report.start(f.out, summaryOf(f, rung, items), items, scenarios.More{Folders: f.Folders, Profiles: rung.Profiles()})
	if err != nil {
		return usage(err)
	}
	folder, err = reports.Begin(f.out, start)
	if err != nil {
		return usage(err)
	}
	ended, err := suites.ExpiredQuarantine(f.Quarantine, time.Now())
	if err != nil {
		return usage(err)
	}
	for _, text := range ended {
		fmt.Fprintln(stdout, "!", text)
	}
	live := newProgress(stdout, len(items))
	failed := suites.Run(ctx, suites.Config{Items: items, Rung: rung, Folder: folder, Progress: live.show, Until: until})
	live.end()
	failed = errors.Join(failed, rung.Close(), next.close())
	summary, err := folder.Close()
	if err = errors.Join(failed, err, f.report.end(ctx, folder.Path(), summary)); err != nil {
		fmt.Fprintln(stdout, "\nThe run did not end well:", err)
	}
	printSummary(stdout, summary, folder.Path())
	if code := exitCode(summary, err); code != exitPass {
		return &exit{code: code}
	}
	return nil
}

// follower is the rung of --then; nil without one.
type follower struct{ rungs.Rung }

func (f follower) close() error {
	if f.Rung == nil {
		return nil
	}
	return f.Close()
}

// follow adds what --then asks for.
func (f *runFlags) follow(items []suites.Item) (follower, []suites.Item, error) {
	if f.then == "" {
		return follower{}, items, nil
	}
	options, selection := f.Options, f.Selection
	options.Rig, selection.Filter, selection.Scenarios = f.then, "smoke", nil
	rung, err := rungs.Open(options)
	if err != nil {
		return follower{}, nil, fmt.Errorf("--then: %w", explain(err, f.then))
	}
	others, err := suites.Plan(rung, selection)
	if err != nil {
		return follower{}, nil, errors.Join(fmt.Errorf("--then: %w", err), rung.Close())
	}
	return follower{rung}, suites.Then(items, others, rung), nil
}

// profileFile takes --profile for a file when it looks like one.
func (f *runFlags) profileFile() error {
	if filepath.Ext(f.Profile) != ".yaml" && !strings.ContainsRune(f.Profile, filepath.Separator) {
		return nil
	}
	p, err := terminals.LoadFile(f.Profile)
	if err != nil {
		return fmt.Errorf("--profile: %w", err)
	}
	f.ProfileFiles, f.Profile = []string{f.Profile}, p.ID
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
	var hosts string
	if f.Hosts != rungs.Embedded {
		hosts = f.Hosts
	}
	var file string
	if f.Rig != rungs.Sim && f.Rig != rungs.Virtual {
		file = f.Rig
	}
	rig := rung.Name()
	if f.then != "" {
		rig += "," + f.then
	}
	return reports.Summary{
		RigFile: file, Planned: len(items), Rig: rig, Profile: list(profiles), Lang: list(langs), Seed: f.Seed, Version: version(), Hosts: hosts,
		Defects: f.Defects, BenchFaults: f.Faults,
	}
}

// exitCode: what the terminal did wrong counts more than what could not be decided.
func exitCode(s reports.Summary, err error) int {
	switch {
	case s.Failed > 0:
		return exitFailed
	case err != nil, len(s.Leaks) > 0, s.Inconclusive > 0, s.NotRun > 0, s.Skipped == s.Planned:
		return exitInconclusive
	default:
		return exitPass
	}
}
