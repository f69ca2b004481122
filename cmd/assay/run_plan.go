package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/assay-hil/assay/reports"
	"github.com/assay-hil/assay/suites/nightly"
)

// nightFlags are the flags of `assay run` that make it carry out a plan, and those that a plan gives
// to the processes that it starts.
type nightFlags struct {
	plan, resume string
	until        string
	lifeline     int
}

func (f *nightFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.plan, "plan", "", "carry out a plan over several rigs; see docs/nightly.md")
	flags.StringVar(&f.resume, "resume", "", "go on with the plan whose folder this is, without repeating what is finished")
	flags.StringVar(&f.until, "until", "", "begin no scenario after this time of day, or date and time as in RFC 3339")
	flags.IntVar(&f.lifeline, "lifeline", 0, "end the run when this open file reads end of file")
	_ = flags.MarkHidden("lifeline") // fails only for a flag that is not there
}

// wanted says that a plan is to be carried out.
func (f nightFlags) wanted() bool { return f.plan != "" || f.resume != "" }

// inPlan are the flags whose place is in the plan.
var inPlan = []string{"rig", "profile", "lang", "filter", "scenario", "seed", "hosts", "defect", "bench-fault", "until", "lifeline"}

// further gives the flags that go to every process of the plan, and refuses what belongs into the plan.
func further(flags *pflag.FlagSet) (args []string, err error) {
	flags.Visit(func(f *pflag.Flag) {
		switch {
		case slices.Contains(inPlan, f.Name):
			err = errors.Join(err, fmt.Errorf("--%s does not go with --plan and --resume: say it in the plan", f.Name))
		case f.Name == "plan", f.Name == "resume", f.Name == "out":
		default:
			if list, ok := f.Value.(pflag.SliceValue); ok {
				for _, value := range list.GetSlice() {
					args = append(args, "--"+f.Name+"="+value)
				}
				return
			}
			args = append(args, "--"+f.Name+"="+f.Value.String())
		}
	})
	return args, err
}

// openNight creates or resumes the plan's folder.
func openNight(f nightFlags, out string, args []string) (n *nightly.Night, dir string, err error) {
	if f.resume == "" {
		if out == "" {
			name := strings.TrimSuffix(filepath.Base(f.plan), filepath.Ext(f.plan))
			out = filepath.Join("runs", time.Now().Format("20060102-150405")+"-"+name)
		}
		n, err = nightly.Create(out, f.plan, version(), args)
		return n, out, err
	}
	switch {
	case f.plan != "":
		return nil, "", errors.New("--resume goes on with the plan that its folder holds: leave --plan out")
	case out != "":
		return nil, "", errors.New("--resume writes on in its own folder: leave --out out")
	}
	n, err = nightly.Resume(f.resume)
	return n, f.resume, err
}

// night carries out a plan.
func night(cmd *cobra.Command, f nightFlags, out string) error {
	args, err := further(cmd.Flags())
	if err != nil {
		return usage(err)
	}
	n, dir, err := openNight(f, out, args)
	if err != nil {
		return usage(err)
	}
	if len(args) == 0 {
		args = n.Args()
	}
	exe, err := os.Executable()
	if err != nil {
		return errors.Join(err, n.Close())
	}
	w := cmd.OutOrStdout()
	p := newProgress(w, 0)
	p.end() // it draws nothing by itself here: several scenarios run at a time
	summary, err := n.Run(cmd.Context(), nightly.Program{Path: exe, Flags: args}.Runner(n), func(e nightly.Event) { showEvent(w, p, e) })
	err = errors.Join(err, n.Close())
	if err != nil {
		fmt.Fprintln(w, "\nThe night did not end well:", err)
	}
	printNight(w, summary, dir)
	if code := nightCode(summary, err); code != exitPass {
		return &exit{code: code}
	}
	return nil
}

// showEvent prints a line for a result or a note.
func showEvent(w io.Writer, p *progress, e nightly.Event) {
	rig := e.Rig
	if rig == "" {
		rig = "all"
	}
	r := e.Result
	if r == nil {
		fmt.Fprintf(w, "%-12s ! %s\n", rig, e.Note)
		return
	}
	var which string
	if e.Repeat > 1 {
		which += fmt.Sprintf(", repeat %d", e.Repeat)
	}
	if e.Attempt > 1 {
		which += fmt.Sprintf(", attempt %d", e.Attempt)
	}
	fmt.Fprintf(w, "%-12s %s %-12s %-20s (%s, %s%s, %.1f s)\n", rig, p.mark(r.Verdict), r.Verdict, r.Scenario, r.Profile, r.Lang, which, r.WallSeconds)
	if r.Why != "" {
		fmt.Fprintf(w, "%-12s   %s%s\n", "", causeText(*r), r.Why)
	}
}

// printNight prints the last lines: each rig, the counts, where the report is.
func printNight(w io.Writer, s nightly.Summary, dir string) {
	fmt.Fprintln(w)
	for _, r := range s.Rigs {
		fmt.Fprintf(w, "%-12s %s\n", r.Name, r.Counts)
		if r.GaveUp != "" {
			fmt.Fprintf(w, "%-12s the rest is not run: %s\n", "", r.GaveUp)
		}
	}
	fmt.Fprintf(w, "\n%s\n%s\n", s.Words(), s.Counts)
	fmt.Fprintf(w, "report: %s\n", filepath.Join(dir, reports.IndexFile))
	if s.NotRun > 0 {
		fmt.Fprintf(w, "go on:  assay run --resume %s\n", dir)
	}
}

// nightCode: as for a single run.
func nightCode(s nightly.Summary, err error) int {
	c := s.Counts
	return exitCode(reports.Summary{Planned: c.Planned, Failed: c.Failed, Inconclusive: c.Inconclusive, Skipped: c.Skipped, NotRun: c.NotRun}, err)
}

// errNightDied is why a run ends whose night has died.
var errNightDied = errors.New("the night that started this run has died")

// alive gives a context that ends when the file of the lifeline does.
func (f nightFlags) alive(ctx context.Context) (context.Context, error) {
	if f.lifeline == 0 {
		return ctx, nil
	}
	line := os.NewFile(uintptr(f.lifeline), "lifeline")
	if line == nil {
		return ctx, fmt.Errorf("--lifeline %d: no such file is open", f.lifeline)
	}
	if _, err := line.Stat(); err != nil {
		return ctx, fmt.Errorf("--lifeline %d: %w", f.lifeline, err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, line) // nothing is ever written; any end is the end
		cancel(errNightDied)
	}()
	return ctx, nil
}

// untilTime reads --until: a time of day is the next such time.
func (f nightFlags) untilTime(now time.Time) (time.Time, error) {
	if f.until == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, f.until); err == nil {
		return t, nil
	}
	t, err := time.Parse("15:04", f.until)
	if err != nil {
		return t, fmt.Errorf("--until %q is neither a time of day such as 06:00 nor a time such as 2026-12-24T06:00:00+01:00", f.until)
	}
	at := time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), 0, 0, now.Location())
	if !at.After(now) {
		at = at.AddDate(0, 0, 1)
	}
	return at, nil
}
