package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/suites"
)

func newScenarios() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "scenarios",
		Short:   "Look at the catalogue of failure modes",
		Example: "  assay scenarios list\n  assay scenarios list --json",
		Args:    cobra.ArbitraryArgs,
		RunE:    group,
	}
	cmd.AddCommand(newScenariosList())
	return cmd
}

func newScenariosList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the scenarios",
		Long:    "Lists every scenario: the files of the catalogue and the families written in Go.",
		Example: "  assay scenarios list\n  assay scenarios list --json | jq -r '.[].id'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := suites.Catalogue()
			if err != nil {
				return usage(err)
			}
			if asJSON {
				return listJSON(cmd.OutOrStdout(), all)
			}
			return listText(cmd.OutOrStdout(), all)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON, for other programs")
	return cmd
}

// listed is a scenario in the JSON list.
type listed struct {
	ID      string   `json:"id"`
	Family  string   `json:"family"`
	TitleEN string   `json:"title_en"`
	TitleZH string   `json:"title_zh"`
	Cause   string   `json:"cause"`
	Labels  []string `json:"labels"`
	Needs   []string `json:"needs"`
	File    string   `json:"file,omitempty"` // "" for one written in Go
}

func listJSON(out io.Writer, all []*scenarios.Scenario) error {
	list := make([]listed, 0, len(all))
	for _, s := range all {
		list = append(list, listed{s.ID, s.Family, s.Title.EN, s.Title.ZH, s.Cause, s.Labels, s.Needs, s.File})
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(list)
}

func listText(out io.Writer, all []*scenarios.Scenario) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tFAMILY\tPROVES\tNEEDS\tTITLE")
	for _, s := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.ID, s.Family, s.Cause, strings.Join(s.Needs, " "), s.Title.EN)
	}
	return w.Flush()
}
