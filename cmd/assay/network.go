package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/assay-hil/assay/rungs/injector"
)

func newNetwork() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "network",
		Short: "The fault injector by itself: serve it, list its faults, see what this machine can do",
		Long: `The network is the fault injector between a terminal and its host: it breaks a payment at any
point, on purpose, and tells that it did. Here it runs by itself, for a terminal or a test that is
not one of assay's own.`,
		Args: cobra.ArbitraryArgs,
		RunE: group,
	}
	cmd.AddCommand(newNetworkServe(), newNetworkFaults(), newNetworkProbe(), newNetworkClean())
	return cmd
}

func newNetworkFaults() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "faults",
		Short: "List every kind of fault with its parameters",
		Long: `Lists the whole vocabulary, one line each: faults on messages, on TLS, on DNS, and on packets.
Parameters in brackets may be left out; ROWS are those of the fault catalogue.`,
		Example: "  assay network faults\n  assay network faults --json | jq -r '.[].kind'",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), injector.Faults())
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "LEVEL\tKIND\tACTS ON\tROWS\tPARAMETERS\tWHAT IT DOES")
			for _, f := range injector.Faults() {
				var rows []string
				for _, row := range f.Rows {
					rows = append(rows, strconv.Itoa(row))
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", f.Level, f.Kind, f.On, strings.Join(rows, ","), f.Params, f.Help)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON, for other programs")
	return cmd
}

func newNetworkProbe() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "probe",
		Short: "See which packet faults this machine can do, and how",
		Long: `Tries what this machine can do at packet level, in network namespaces that it makes and removes
again; nothing of the machine's own network is touched. "no" means that a right, a device or a part
of the kernel is missing, "broken" that something else went wrong: scenarios that need it are then not
skipped, they fail to arm it. Faults on messages, TLS and DNS work everywhere.`,
		Example: "  assay network probe\n  sudo assay network probe --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found := injector.Probe(cmd.Context())
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), found)
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "FAULT\tHERE\tMECHANISM\tWHY")
			for _, c := range found {
				here := "no"
				switch {
				case c.OK:
					here = "yes"
				case c.Broken:
					here = "broken"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", c.Fault, here, c.Mechanism, c.Why)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON, for other programs")
	return cmd
}

func newNetworkClean() *cobra.Command {
	return &cobra.Command{
		Use:   "clean",
		Short: "Remove what a crash left behind",
		Long: `Removes the network namespaces of processes of assay that did not end in order, with the links and
rules inside. Those of processes that still run stay, and so does everything that is not assay's.
The next start does the same.`,
		Example: "  sudo assay network clean",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			removed, err := injector.Clean(cmd.Context())
			for _, name := range removed {
				fmt.Fprintln(cmd.OutOrStdout(), "removed", name)
			}
			if err != nil {
				return &exit{exitInconclusive, err}
			}
			if len(removed) == 0 {
				fmt.Fprintln(cmd.OutOrStdout(), "Nothing was left behind.")
			}
			return nil
		},
	}
}

func writeJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
