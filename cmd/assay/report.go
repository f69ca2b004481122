package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/reports"
	"github.com/assay-hil/assay/reports/history"
)

func newReport() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Look at run folders: one, two, or all of them",
		Long: `Run folders are the truth. An index over them (SQLite, one file) makes trends quick; it can be deleted
and made again at any time.`,
		Example: `  assay report show runs/20261122-193300-sim
  assay report index runs
  assay report history
  assay report diff runs/A runs/B`,
		Args: cobra.ArbitraryArgs,
		RunE: group,
	}
	cmd.AddCommand(newReportIndex(), newReportHistory(), newReportDiff(), newReportShow(), newReportRender(), newReportOpen(), newReportServe(), newReportPrune(), newReportScan())
	return cmd
}

// openRun opens a run folder; a folder that holds several names them.
func openRun(dir string) (*reports.Run, error) {
	run, err := reports.Open(dir)
	if err == nil {
		return run, nil
	}
	if found, find := reports.Find(dir); find == nil && len(found) > 0 {
		return nil, usage(fmt.Errorf("%s is no run folder, but holds %d, such as %s", dir, len(found), found[0]))
	}
	return nil, usage(err)
}

func printJSON(w io.Writer, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, string(b))
	return err
}

func newReportIndex() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "index DIR…",
		Short: "Build or update the index of run folders",
		Long: `Looks for run folders at and below each DIR and brings the index up to them: new and changed ones are
read, those that are gone from the disk are dropped.`,
		Example: `  assay report index runs
  assay report index --index lab.db /srv/lab/nights`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"runs"}
			}
			for _, dir := range args {
				if info, err := os.Stat(dir); err != nil || !info.IsDir() {
					return usage(fmt.Errorf("there is no folder %s to index", dir))
				}
			}
			if path == "" {
				path = filepath.Join(args[0], history.DefaultName)
			}
			x, err := history.Open(path)
			if err != nil {
				return usage(err)
			}
			defer x.Close()
			c, err := x.Update(cmd.Context(), args...)
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			for _, err := range c.Unread {
				fmt.Fprintln(w, "not read:", err)
			}
			_, err = fmt.Fprintf(w, "%d added, %d unchanged, %d gone: %s\n", c.Added, c.Unchanged, c.Gone, path)
			return err
		},
	}
	cmd.Flags().StringVar(&path, "index", "", "the index's file (default: "+history.DefaultName+" in the first DIR)")
	return cmd
}

func newReportHistory() *cobra.Command {
	var path, since string
	var asJSON bool
	var sel history.Selection
	cmd := &cobra.Command{
		Use:   "history",
		Short: "Trends: by date, by firmware, what fails since when, and which rig is to blame",
		Long: `Reads the index. A scenario that fails on one rig only while the same firmware passes on others is the
rig's, not the terminal's. Runs with planted defects or faults are left out.`,
		Example: `  assay report history
  assay report history --index lab.db --scenario NET-SILENT --since 2026-11-01`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := os.Stat(path); err != nil {
				return usage(fmt.Errorf("there is no index %s; make one: assay report index DIR", path))
			}
			if since != "" {
				day, err := time.Parse(time.DateOnly, since)
				if err != nil {
					return usage(fmt.Errorf("--since %q is no date such as 2026-11-01", since))
				}
				sel.Since = day
			}
			x, err := history.Open(path)
			if err != nil {
				return usage(err)
			}
			defer x.Close()
			t, err := x.Trend(cmd.Context(), sel)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), t)
			}
			printTrend(cmd.OutOrStdout(), t)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&path, "index", filepath.Join("runs", history.DefaultName), "the index's file")
	flags.StringVar(&sel.Scenario, "scenario", "", "of this scenario only")
	flags.StringVar(&sel.Profile, "profile", "", "on this profile only")
	flags.StringVar(&sel.Rig, "only-rig", "", "on this rig only")
	flags.StringVar(&since, "since", "", "from this day on")
	flags.BoolVar(&sel.Planted, "planted", false, "with runs in which defects or faults were planted")
	flags.BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

// maxNights is how many runs the trend by date prints; the last ones.
const maxNights = 40

func printTrend(w io.Writer, t *history.Trend) {
	nights := t.Nights[max(0, len(t.Nights)-maxNights):]
	fmt.Fprintf(w, "By date (%d of %d runs)\n", len(nights), len(t.Nights))
	for _, n := range nights {
		fmt.Fprintf(w, "  %s  %-12s %-10s %4d planned %4d passed %3d marginal %3d failed %3d inconclusive %3d skipped %3d not run\n", n.Started.Format("2006-01-02 15:04"),
			n.Rig, dash(n.Firmware), n.Planned, n.Passed, n.Marginal, n.Failed, n.Inconclusive, n.Skipped, n.NotRun)
	}
	fmt.Fprintln(w, "\nBy firmware")
	for _, f := range t.Firmware {
		fmt.Fprintf(w, "  %-12s since %s  %5d results %5d passed %4d failed %4d inconclusive\n", dash(f.Firmware), f.First.Format(time.DateOnly), f.Results, f.Passed, f.Failed, f.Inconclusive)
	}
	fmt.Fprintln(w, "\nFails now")
	for _, s := range t.Scenarios {
		fmt.Fprintf(w, "  %-9s %s (%s, %s): %s\n", s.Blame, s.Scenario, s.Profile, s.Lang, s.Words)
	}
	if len(t.Scenarios) == 0 {
		fmt.Fprintln(w, "  nothing")
	}
	fmt.Fprintln(w, "\nRigs")
	for _, r := range t.Rigs {
		fmt.Fprintf(w, "  %-12s %s\n", r.Rig, r.Words)
	}
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func newReportDiff() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "What changed from run A to run B; exit 1 when anything regressed",
		Example: `  assay report diff runs/20261121-sim runs/20261122-sim
  assay report diff --json A B`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usage(fmt.Errorf("two run folders are compared, not %d: assay report diff A B", len(args)))
			}
			a, err := openRun(args[0])
			if err != nil {
				return err
			}
			b, err := openRun(args[1])
			if err != nil {
				return err
			}
			d := history.Compare(a, b)
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), d)
			} else {
				printDiff(cmd.OutOrStdout(), d)
			}
			if err == nil && len(d.Regressed) > 0 {
				return &exit{code: exitFailed}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

func printDiff(w io.Writer, d *history.Diff) {
	for _, n := range d.Notes {
		fmt.Fprintln(w, "note:", n)
	}
	for _, part := range []struct {
		name    string
		changes []history.Change
	}{{"regressed", d.Regressed}, {"fixed", d.Fixed}, {"still failing", d.StillFailing}, {"new", d.New}, {"removed", d.Removed}, {"undecided", d.Undecided}} {
		if len(part.changes) == 0 {
			continue
		}
		fmt.Fprintf(w, "%s: %d\n", part.name, len(part.changes))
		for _, c := range part.changes {
			line := fmt.Sprintf("  %s: %s → %s", c.Name, dash(string(c.Before)), dash(string(c.After)))
			if c.Why != "" {
				line += "  " + c.Why
			}
			fmt.Fprintln(w, line)
		}
	}
	if len(d.Shifts) > 0 {
		fmt.Fprintf(w, "latency: %d\n", len(d.Shifts))
	}
	for _, s := range d.Shifts {
		us := func(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
		fmt.Fprintf(w, "  %s: %s in %s %v → %v (%+v ± %v of %v)\n", s.Name, s.Budget, s.Phase, us(s.Before), us(s.After), us(s.After-s.Before), us(s.Uncertainty), us(s.Limit))
	}
	fmt.Fprintf(w, "%d regressed, %d fixed, %d still failing, %d new, %d removed, %d undecided, %d unchanged\n", len(d.Regressed), len(d.Fixed), len(d.StillFailing), len(d.New), len(d.Removed), len(d.Undecided), d.Unchanged)
}

func newReportShow() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show DIR [SCENARIO]",
		Short: "A run, or one scenario of it, as text; also of a run that was killed",
		Example: `  assay report show runs/20261122-193300-sim
  assay report show runs/20261122-193300-sim NET-SILENT`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return usage(fmt.Errorf("say which run folder: assay report show DIR [SCENARIO]"))
			}
			run, err := openRun(args[0])
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			past := history.NewBeside(args[0])
			defer past.Close()
			if len(args) == 2 {
				return showScenario(w, run, past, args[1], asJSON)
			}
			if asJSON {
				return printJSON(w, struct {
					Summary reports.Summary `json:"summary"`
					Ended   string          `json:"ended"`
					During  string          `json:"during,omitempty"`
				}{run.Summary, run.Ended(), run.During})
			}
			return showRun(w, run, past)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

func showRun(w io.Writer, run *reports.Run, past reports.Past) error {
	s := run.Summary
	fmt.Fprintf(w, "%s\n%s\n%d planned: %d passed, %d marginal, %d failed, %d inconclusive, %d skipped, %d not run\n", s.Words(), run.Ended(),
		s.Planned, s.Passed, s.Marginal, s.Failed, s.Inconclusive, s.Skipped, s.NotRun)
	fmt.Fprintf(w, "rig %s, firmware %s, %s\n", s.Rig, dash(strings.Join(s.Firmware, ",")), s.Version)
	for _, o := range run.Outcomes() {
		if o.Result.Verdict == record.Fail || o.Result.Verdict == record.Inconclusive {
			since, err := run.Since(past, o.Result)
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "%s %s (%s): %s%s\n     %s\n", o.Result.Verdict, o.Item.Name, o.Result.Profile, causeText(o.Result), o.Result.Why, since)
		}
	}
	for _, l := range s.Leaks {
		fmt.Fprintf(w, "%s:%d: %s in clear\n", l.File, l.Line, l.What)
	}
	return nil
}

func showScenario(w io.Writer, run *reports.Run, past reports.Past, name string, asJSON bool) error {
	var names []string
	for _, o := range run.Outcomes() {
		names = append(names, o.Item.Name)
		if !strings.EqualFold(o.Item.Name, name) {
			continue
		}
		if asJSON {
			return printJSON(w, o.Attempts)
		}
		since, err := run.Since(past, o.Result)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s %s: %s\n%s%s\n%s\n", o.Result.Verdict, o.Item.Name, o.Item.Title.EN, causeText(o.Result), o.Result.Why, since)
		for _, c := range o.Result.Checks {
			fmt.Fprintf(w, "  %-12s %-8s expected %s; observed %s\n", c.Verdict, c.Phase, c.Expected, c.Observed)
		}
		for _, e := range o.Result.Evidence {
			fmt.Fprintf(w, "  %s: %s\n", e.Name, reports.BlobPath(e.SHA256))
		}
		if g, ok := run.Plan.Guide[o.Item.Scenario]; ok {
			fmt.Fprintf(w, "%s\n", g.EN)
		}
		return nil
	}
	return usage(fmt.Errorf("%s", strict.UnknownMessage("scenario", name, names)))
}
