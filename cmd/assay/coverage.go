package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/assay-hil/assay/fixtures/scenarios"
)

func newScenariosCoverage(f *catalogueFlags) *cobra.Command {
	var asJSON, holes bool
	cmd := &cobra.Command{
		Use:   "coverage",
		Short: "What the catalogue proves: causes, remedies, codes, prompts, transactions; and the holes",
		Long: `Prints every cause and remedy of the article, every failure mode of the published tables, every fault of the network,
every response code and every prompt, each with the scenarios that prove it, and then how many scenarios there are for
each transaction and family. What nothing proves is in it too: a hole.`,
		Example: "  assay scenarios coverage\n  assay scenarios coverage --holes\n  assay scenarios coverage --json | jq '.prompts[] | select(.scenarios == []) | .id'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, profiles, err := f.read()
			if err != nil {
				return err
			}
			c, err := scenarios.Cover(all, profiles)
			if err != nil {
				return err
			}
			if asJSON {
				return inJSON(cmd.OutOrStdout(), c)
			}
			return coverageText(cmd.OutOrStdout(), c, holes)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON, for other programs")
	cmd.Flags().BoolVar(&holes, "holes", false, "only what nothing proves")
	return cmd
}

// shownIDs is how many scenarios of a row are named; --json has all.
const shownIDs = 4

func coverageText(out io.Writer, c scenarios.Coverage, holes bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, part := range []struct {
		title string
		rows  []scenarios.Covered
	}{
		{"article: causes", c.Causes}, {"article: remedies", c.Remedies}, {"published failure modes", c.Payments},
		{"faults of the network", c.Faults}, {"response codes", c.Codes}, {"prompts", c.Prompts},
	} {
		missing := scenarios.Holes(part.rows)
		fmt.Fprintf(w, "%s: %d of %d proved\n", part.title, len(part.rows)-len(missing), len(part.rows))
		rows := part.rows
		if holes {
			rows = missing
		}
		for _, row := range rows {
			fmt.Fprintf(w, "  %s\t%s\t%s\n", row.ID, row.What, proving(row.Scenarios))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "transaction \\ family\t%s\n", strings.Join(c.Families, "\t"))
	for _, line := range c.Matrix {
		fmt.Fprintf(w, "  %s", line.Transaction)
		for _, n := range line.Counts {
			if n == 0 {
				fmt.Fprint(w, "\t-")
			} else {
				fmt.Fprintf(w, "\t%d", n)
			}
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

func proving(ids []string) string {
	switch {
	case len(ids) == 0:
		return "HOLE"
	case len(ids) > shownIDs:
		return fmt.Sprintf("%s and %d more", strings.Join(ids[:shownIDs], " "), len(ids)-shownIDs)
	}
	return strings.Join(ids, " ")
}
