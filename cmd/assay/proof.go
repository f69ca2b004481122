package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/assay-hil/assay/suites/proof"
)

func newProof() *cobra.Command {
	var cfg proof.Config
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "proof [DEFECT or GROUP ...]",
		Short: "Prove that the harness tells the truth: every planted bug is caught, no fault of the rig is",
		Long: `Runs the catalogue on the rung virtual
  - against the sound terminal: there must be no finding;
  - against every defect that can be planted in it: some scenario must fail, and the cause must be the terminal;
  - with every fault of rig, fakes and disk planted: each must end inconclusive, with the right cause.

Prints the matrix: the defect, the scenarios that caught it, the first difference and the rule that it breaks. A defect
that nobody catches is listed, and with --all, which lets every scenario meet every defect, a scenario that never
caught anything. The scenarios that prove the rule which a defect breaks come first.

Ctrl-C ends it; what was found until then is printed.

Exit codes: 0 all is as it must be, 1 it is not, 2 usage, 3 interrupted.`,
		Example: `  assay proof
  assay proof reversal matching            only these groups of defects
  assay proof id-length-unchecked --all    every scenario that one defect turns red
  assay proof --json > matrix.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			chosen, err := chooseDefects(args)
			if err != nil {
				return usage(err)
			}
			cfg.Defects = chosen
			live := liveLine{out: cmd.ErrOrStderr()}
			cfg.Progress = live.show
			begun := time.Now()
			matrix, err := proof.Run(cmd.Context(), cfg)
			live.end()
			if err != nil {
				return usage(err)
			}
			if asJSON {
				err = inJSON(cmd.OutOrStdout(), matrix)
			} else {
				err = matrixText(cmd.OutOrStdout(), matrix, time.Since(begun))
			}
			if err == nil && matrix.Cut {
				return &exit{exitInconclusive, context.Cause(cmd.Context())}
			}
			if err == nil && !matrix.OK() {
				return &exit{code: exitFailed}
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&asJSON, "json", false, "the matrix as JSON")
	flags.BoolVar(&cfg.All, "all", false, "go on after a defect was caught: every scenario meets every defect")
	flags.BoolVar(&cfg.Quick, "quick", false, "each scenario on the first profile that can run it only")
	flags.StringVar(&cfg.Filter, "filter", "", "labels of the scenarios to use; then no faults of the rig are planted")
	flags.StringSliceVar(&cfg.Scenarios, "scenario", nil, "ids of the scenarios to use; then no faults of the rig are planted")
	flags.StringSliceVar(&cfg.Folders, "catalogue", nil, "folder of scenarios besides those of the program")
	flags.StringVar(&cfg.Folder, "out", "", "folder for the timelines of what was found (default: none are kept)")
	flags.IntVar(&cfg.Workers, "workers", runtime.NumCPU(), "worlds at a time")
	return cmd
}

// liveLine tells what has been done: on a terminal in one line that changes, elsewhere in a line each.
type liveLine struct{ out io.Writer }

func (l liveLine) tty() bool {
	f, ok := l.out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (l liveLine) show(done, planned int, what string) {
	if l.tty() {
		fmt.Fprintf(l.out, "\r\x1b[K%d/%d %s", done, planned, what)
		return
	}
	fmt.Fprintf(l.out, "%d/%d %s\n", done, planned, what)
}

func (l liveLine) end() {
	if l.tty() {
		fmt.Fprint(l.out, "\r\x1b[K")
	}
}

// shownDifference is how much of a difference fits into a row; --json has all of it.
const shownDifference = 160

func matrixText(out io.Writer, m proof.Matrix, took time.Duration) error {
	fmt.Fprintf(out, "Sound terminal: %d scenarios in %d runs, %d findings.\n", m.Scenarios, m.Items, len(m.Sound))
	for _, f := range m.Sound {
		fmt.Fprintf(out, "  %s on %s: %s (%s) %s\n", f.Scenario, f.Profile, f.Verdict, f.Cause, f.Why)
	}
	fmt.Fprintf(out, "\nDefects: %d of %d caught.\n", m.Caught(), len(m.Defects))
	group := ""
	for _, c := range m.Defects {
		if c.Group != group {
			group = c.Group
			fmt.Fprintln(out, group)
		}
		if len(c.By) == 0 && c.Cut {
			continue
		}
		if len(c.By) == 0 {
			fmt.Fprintf(out, "  ✗ %s: nobody catches it (%d runs)\n      rule   %s\n", c.Defect, c.Tried, c.Rule)
			continue
		}
		first := c.By[0]
		fmt.Fprintf(out, "  ✓ %s: %s\n      cause  %s; %s\n      rule   %s%s\n", c.Defect, caughtBy(c.By), first.Cause, short(first.Why), c.Rule, proves(first))
	}
	if len(m.Faults) > 0 {
		fmt.Fprintln(out, "\nFaults of rig, fakes and disk, none of which may be the terminal's:")
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, p := range m.Faults {
		mark, want := "✓", "inconclusive, "+string(p.Want)
		if !p.OK {
			mark = "✗"
		}
		if p.Want == "" {
			want = "mended, passes"
		}
		fmt.Fprintf(w, "  %s %s\t%s\t%d noticed, %d passed, %d wrong\t%s\n", mark, p.Fault, want, p.Noticed, p.Passed, len(p.Wrong), p.What)
		for _, f := range p.Wrong {
			fmt.Fprintf(w, "      %s on %s: %s (%s) %s\n", f.Scenario, f.Profile, f.Verdict, f.Cause, short(f.Why))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if m.Cut {
		n := len(slices.DeleteFunc(slices.Clone(m.Defects), func(c proof.Caught) bool { return !c.Cut }))
		_, err := fmt.Fprintf(out, "\nInterrupted after %.0f s: %d defects were not tried to the end.\n", took.Seconds(), n)
		return err
	}
	if len(m.Uncaught) > 0 {
		fmt.Fprintf(out, "\nNobody catches: %s\n", strings.Join(m.Uncaught, " "))
	}
	if m.All {
		fmt.Fprintf(out, "\nScenarios that never caught anything: %d %s\n", len(m.Idle), strings.Join(m.Idle, " "))
	}
	verdict := "The harness tells the truth, as far as this goes."
	if !m.OK() {
		verdict = "The harness can't be trusted yet: see what is marked with ✗."
	}
	_, err := fmt.Fprintf(out, "\n%s %.0f s.\n", verdict, took.Seconds())
	return err
}

// proves says which rows of the rule the scenario that found it proves.
func proves(f proof.Finding) string {
	if len(f.Rows) == 0 {
		return ""
	}
	return "; the scenario proves " + strings.Join(f.Rows, " ")
}

func caughtBy(by []proof.Finding) string {
	var ids []string
	for _, f := range by {
		if len(ids) == 0 || ids[len(ids)-1] != f.Scenario {
			ids = append(ids, f.Scenario)
		}
	}
	return proving(ids)
}

func short(why string) string {
	if runes := []rune(why); len(runes) > shownDifference {
		return string(runes[:shownDifference]) + " …"
	}
	return why
}
