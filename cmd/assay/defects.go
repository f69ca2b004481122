package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/rungs"
)

func newDefects() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "defects",
		Short: "The bugs that can be planted in the simulated terminal",
		Long: `A harness that never says no proves nothing. Defects are bugs as programmers make them, each in one place of
the simulated terminal; plant one with 'assay run --defect NAME', and the run must turn red.`,
		Example: `  assay defects list                  every defect, by group
  assay defects list reversal         those of a group
  assay run --rig virtual --defect reversal-saved-late`,
		Args: cobra.ArbitraryArgs,
		RunE: group,
	}
	cmd.AddCommand(newDefectsList())
	return cmd
}

func newDefectsList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list [GROUP or NAME ...]",
		Short: "List defects: what each does, which rule it breaks, where such a thing was seen",
		RunE: func(cmd *cobra.Command, args []string) error {
			chosen, err := chooseDefects(args)
			if err != nil {
				return usage(err)
			}
			if asJSON {
				encoder := json.NewEncoder(cmd.OutOrStdout())
				encoder.SetIndent("", "  ")
				return encoder.Encode(chosen)
			}
			printDefects(cmd.OutOrStdout(), chosen)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "an array of objects: name, group, what, rule, seen")
	return cmd
}

// chooseDefects gives those that words name, by group or by name; all without words.
func chooseDefects(words []string) ([]rungs.Defect, error) {
	all := rungs.Defects()
	if len(words) == 0 {
		return all, nil
	}
	var known []string
	for _, d := range all {
		known = append(known, d.Name, d.Group)
	}
	slices.Sort(known)
	known = slices.Compact(known)
	for _, word := range words {
		if !slices.Contains(known, word) {
			return nil, errors.New(strict.UnknownMessage("defect or group", word, known))
		}
	}
	return slices.DeleteFunc(all, func(d rungs.Defect) bool {
		return !slices.Contains(words, d.Name) && !slices.Contains(words, d.Group)
	}), nil
}

func printDefects(w io.Writer, list []rungs.Defect) {
	group := ""
	for _, d := range list {
		if d.Group != group {
			if group != "" {
				fmt.Fprintln(w)
			}
			group = d.Group
			fmt.Fprintln(w, group)
		}
		fmt.Fprintf(w, "  %s\n      what  %s\n      rule  %s\n", d.Name, d.What, d.Rule)
		if d.Seen != "" {
			fmt.Fprintf(w, "      seen  %s\n", d.Seen)
		}
	}
}
