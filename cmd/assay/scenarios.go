package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/fixtures/scenarios/guide"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/suites"
)

// catalogueFlags say what is read besides what is in the program.
type catalogueFlags struct {
	folders  []string
	profiles []string
}

func (f *catalogueFlags) register(cmd *cobra.Command) {
	cmd.PersistentFlags().StringSliceVar(&f.folders, "catalogue", nil, "folder of scenarios besides those of the program: a folder a family, a file a failure mode")
	cmd.PersistentFlags().StringSliceVar(&f.profiles, "profile", nil, "file of a terminal profile besides those of the program")
}

// more reads the profiles.
func (f *catalogueFlags) more() (scenarios.More, error) {
	more := scenarios.More{Folders: f.folders}
	known, err := terminals.All()
	if err != nil {
		return more, err
	}
	for _, name := range f.profiles {
		p, err := terminals.LoadFile(name)
		if err != nil {
			return more, fmt.Errorf("--profile: %w", err)
		}
		if slices.ContainsFunc(append(known, more.Profiles...), func(other *terminals.Profile) bool { return other.ID == p.ID }) {
			return more, fmt.Errorf("--profile: %s: there is a profile %s already; give this one an id of its own", name, p.ID)
		}
		more.Profiles = append(more.Profiles, p)
	}
	return more, nil
}

// read gives the catalogue, and the profiles that it is held against.
func (f *catalogueFlags) read() ([]*scenarios.Scenario, []*terminals.Profile, error) {
	more, err := f.more()
	if err != nil {
		return nil, nil, usage(err)
	}
	all, err := suites.Catalogue(more)
	if err != nil {
		return nil, nil, usage(err)
	}
	profiles, err := terminals.All()
	if err != nil {
		return nil, nil, usage(err)
	}
	return all, append(profiles, more.Profiles...), nil
}

func newScenarios() *cobra.Command {
	var f catalogueFlags
	cmd := &cobra.Command{
		Use:   "scenarios",
		Short: "Look at the catalogue of failure modes, and add to it",
		Example: `  assay scenarios list                                 what there is
  assay scenarios show HOST-51                         one of them, in words
  assay scenarios coverage                             what is proved, and the holes
  assay scenarios guide --lang zh > guide.html         the cashier's guide, to print
  assay scenarios new MINE-1 > mine/host-codes/1.yaml  a file to begin with
  assay scenarios lint --catalogue mine                is it right?`,
		Args: cobra.ArbitraryArgs,
		RunE: group,
	}
	f.register(cmd)
	cmd.AddCommand(newScenariosList(&f), newScenariosShow(&f), newScenariosLint(&f), newScenariosCoverage(&f), newScenariosGuide(&f), newScenariosNew())
	return cmd
}

func newScenariosList(f *catalogueFlags) *cobra.Command {
	var asJSON bool
	var filter string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the scenarios",
		Long:    "Lists every scenario: the files of the catalogue and the families written in Go.",
		Example: "  assay scenarios list\n  assay scenarios list --filter 'host-codes && !smoke'\n  assay scenarios list --json | jq -r '.[].id'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, _, err := f.read()
			if err != nil {
				return err
			}
			if all, err = suites.Filtered(all, filter); err != nil {
				return usage(err)
			}
			if asJSON {
				return listJSON(cmd.OutOrStdout(), all)
			}
			return listText(cmd.OutOrStdout(), all)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON, for other programs")
	cmd.Flags().StringVar(&filter, "filter", "", "labels to list, such as 'smoke && !control'")
	return cmd
}

func newScenariosShow(f *catalogueFlags) *cobra.Command {
	var lang string
	cmd := &cobra.Command{
		Use:     "show ID ...",
		Short:   "Show scenarios in words: what is done, what must be seen, on which terminals",
		Example: "  assay scenarios show CID-PHONE\n  assay scenarios show HOST-51 --lang zh",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, ids []string) error {
			all, profiles, err := f.read()
			if err != nil {
				return err
			}
			chosen, err := suites.Named(all, ids)
			if err != nil {
				return usage(err)
			}
			for i, s := range chosen {
				if i > 0 {
					fmt.Fprintln(cmd.OutOrStdout())
				}
				show(cmd.OutOrStdout(), s, profiles, lang)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&lang, "lang", "en", "language of title, why and prompts: en or zh")
	return cmd
}

func newScenariosLint(f *catalogueFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "lint",
		Short: "Check scenarios and profiles: every error with file, line and remedy",
		Long: `Checks the catalogue of the program, the folders of --catalogue and the profiles of --profile, together: unknown
words, ids used twice, times that can't be computed, prompts without a wording on a profile that can run the
scenario. All complaints come at once; then the exit code is 2.`,
		Example: "  assay scenarios lint --catalogue mine --profile mine/terminal.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, profiles, err := f.read()
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d scenarios are right, for %d profiles.\n", len(all), len(profiles))
			return nil
		},
	}
}

func newScenariosGuide(f *catalogueFlags) *cobra.Command {
	var lang, out string
	cmd := &cobra.Command{
		Use:   "guide",
		Short: "Write the cashier's and support desk's guide: a page a failure mode, to print",
		Long: `Writes the catalogue as one HTML file: for each failure mode a page that says what is on the screen, why, what to do,
and what becomes of the money. It needs no network; print it from a browser.`,
		Example: "  assay scenarios guide --lang zh --out guide.html",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			all, profiles, err := f.read()
			if err != nil {
				return err
			}
			to := cmd.OutOrStdout()
			if out != "" {
				file, err := os.Create(out)
				if err != nil {
					return usage(err)
				}
				defer func() {
					if closing := file.Close(); err == nil {
						err = closing
					}
				}()
				to = file
			}
			if err := guide.Write(to, lang, all, profiles); err != nil {
				return usage(err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&lang, "lang", "en", strings.Join(guide.Languages, " or "))
	cmd.Flags().StringVar(&out, "out", "", "file (default: standard output)")
	return cmd
}

func newScenariosNew() *cobra.Command {
	return &cobra.Command{
		Use:   "new ID",
		Short: "Write a commented scenario to begin with, to standard output",
		Example: `  mkdir -p mine/host-codes
  assay scenarios new MINE-NO-FUNDS > mine/host-codes/no-funds.yaml
  assay run --rig virtual --catalogue mine --scenario MINE-NO-FUNDS`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := scenarios.Skeleton(args[0])
			if err != nil {
				return usage(err)
			}
			_, err = io.WriteString(cmd.OutOrStdout(), text)
			return err
		},
	}
}

// listed is a scenario in the JSON list.
type listed struct {
	ID          string   `json:"id"`
	Family      string   `json:"family"`
	TitleEN     string   `json:"title_en"`
	TitleZH     string   `json:"title_zh"`
	Cause       string   `json:"cause"`
	Remedy      []string `json:"remedy,omitempty"`
	Source      []string `json:"source,omitempty"`
	Guess       bool     `json:"guess,omitempty"`
	Transaction string   `json:"transaction"`
	Labels      []string `json:"labels"`
	Needs       []string `json:"needs"`
	File        string   `json:"file,omitempty"` // "" for one written in Go
}

func listJSON(out io.Writer, all []*scenarios.Scenario) error {
	list := make([]listed, 0, len(all))
	for _, s := range all {
		list = append(list, listed{s.ID, s.Family, s.Title.EN, s.Title.ZH, s.Cause, s.Remedy, s.Source, s.Guess, s.Transaction, s.Labels, s.Needs, s.File})
	}
	return inJSON(out, list)
}

func inJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func listText(out io.Writer, all []*scenarios.Scenario) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tFAMILY\tPROVES\tNEEDS\tTITLE")
	for _, s := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.ID, s.Family, s.Cause, strings.Join(s.Needs, " "), s.Title.EN)
	}
	return w.Flush()
}

// show says a scenario in words.
func show(out io.Writer, s *scenarios.Scenario, profiles []*terminals.Profile, lang string) {
	title, why := s.Title.EN, s.Why.EN
	if lang == "zh" {
		title, why = s.Title.ZH, s.Why.ZH
	}
	fmt.Fprintf(out, "%s  %s\n\n%s\n\n", s.ID, title, why)
	guess := ""
	if s.Guess {
		guess = " (a guess: no source says what must be seen)"
	}
	fmt.Fprintf(out, "proves   %s%s\n", strings.Join(s.Rows(), " "), guess)
	fmt.Fprintf(out, "family   %s, transaction %s, labels %s\n", s.Family, s.Transaction, strings.Join(s.Labels, " "))
	if s.File != "" {
		fmt.Fprintf(out, "file     %s\n", s.File)
	}
	for _, p := range profiles {
		can := "yes"
		if missing := s.Missing(p, func(string) bool { return true }); len(missing) > 0 {
			can = "no, lacks " + strings.Join(missing, ", ")
		}
		fmt.Fprintf(out, "on       %s: %s\n", p.ID, can)
	}
	for _, part := range []struct {
		title  string
		steps  []scenarios.Step
		expect []scenarios.Expectation
	}{{"act", s.Act, s.Expect}, {"recover", s.Recover, s.Recovered}} {
		if len(part.steps) == 0 {
			continue
		}
		fmt.Fprintf(out, "\n%s\n", part.title)
		for i, step := range part.steps {
			fmt.Fprintf(out, "  %d. %s\n", i+1, step)
		}
		for _, e := range part.expect {
			fmt.Fprintf(out, "  → %s%s\n", e, wordings(s, e, profiles, lang))
		}
	}
}

// wordings are what an expected prompt is on each terminal that can show it.
func wordings(s *scenarios.Scenario, e scenarios.Expectation, profiles []*terminals.Profile, lang string) string {
	if e.Prompt == "" {
		return ""
	}
	var said []string
	for _, p := range profiles {
		if len(s.Missing(p, func(string) bool { return true })) > 0 {
			continue
		}
		if text, ok := p.Prompt(scenarios.PromptOf(e.Prompt, p), lang); ok {
			said = append(said, fmt.Sprintf("%q on %s", text, p.ID))
		}
	}
	return ": " + strings.Join(said, ", ")
}
