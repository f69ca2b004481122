package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-hil/assay/rungs/upkeep"
)

// stateFlag adds --state to a command that opens a rig or asks about it.
func stateFlag(cmd *cobra.Command, root *string) {
	cmd.Flags().StringVar(root, "state", "", "folder for what is known about rigs from run to run (default: ASSAY_STATE, else in the user's state folder)")
}

func newRigsHealth() *cobra.Command {
	var root string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "health RIG",
		Short: "Say who has a rig, whether it can be trusted, and how worn it is",
		Long: `Tells what is known of a rig without opening it: its health (good, unknown, bad, or maintenance) with
reason and history, who holds it, and what wore it out, in all and since its last service.

Exit codes: 0 good or unknown, 2 the rig file is wrong, 3 bad or in maintenance.`,
		Example: "  assay rigs health lab7.yaml\n  assay rigs health lab7.yaml --json",
		Args:    oneRig,
		RunE: func(cmd *cobra.Command, args []string) error {
			rig, err := upkeep.Open(args[0], root)
			if err != nil {
				return usage(err)
			}
			report, err := rig.Report()
			if err != nil {
				return &exit{exitInconclusive, err}
			}
			if asJSON {
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetIndent("", "  ")
				err = enc.Encode(report)
			} else {
				showHealth(cmd.OutOrStdout(), report)
			}
			if err == nil && (report.Word == "bad" || report.Word == "maintenance") {
				return &exit{code: exitInconclusive}
			}
			return err
		},
	}
	stateFlag(cmd, &root)
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON, for other programs")
	return cmd
}

// shownHistory is how many of the last changes are shown; all are in the JSON.
const shownHistory = 10

func showHealth(out io.Writer, r upkeep.Report) {
	day := func(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }
	fmt.Fprintf(out, "rig %s: %s\n", r.Rig, r.Word)
	if m := r.Health.Maintenance; m != nil {
		fmt.Fprintf(out, "  maintenance since %s, by %s: %s\n", day(m.Since), m.By, m.Reason)
	}
	fmt.Fprintf(out, "  found %s: %s\n", r.Health.Status, r.Health.Reason)
	switch {
	case r.Held:
		fmt.Fprintf(out, "  in use by %s\n", r.Holder)
	case r.Holder != nil && r.Holder.Unsafe != "":
		fmt.Fprintf(out, "  not safe since %s: %s; the next run makes it safe first\n", r.Holder, r.Holder.Unsafe)
	default:
		fmt.Fprintln(out, "  free")
	}
	for _, kind := range upkeep.Kinds() {
		if c := r.Wear.Counts[kind]; c.Total > 0 {
			fmt.Fprintf(out, "  %-12s %8d, %d since its service\n", kind, c.Total, c.Service)
		}
	}
	history := r.Health.History
	for _, c := range history[max(0, len(history)-shownHistory):] {
		fmt.Fprintf(out, "  %s %-11s %s\n", day(c.At), c.To, c.Reason)
	}
}

func newRigsMaintenance() *cobra.Command {
	var root, reason string
	var end, replaced bool
	cmd := &cobra.Command{
		Use:   "maintenance RIG",
		Short: "Take a rig out of service, or put it back",
		Long: `A rig in maintenance refuses runs, with the reason given here. Its health as it was found out is kept apart and
stays. With --end it is put back into service; its health is then unknown until the next self-check.`,
		Example: "  assay rigs maintenance lab7.yaml --reason 'new plunger'\n  assay rigs maintenance lab7.yaml --end --replaced",
		Args:    oneRig,
		RunE: func(cmd *cobra.Command, args []string) error {
			if replaced && !end {
				return usage(errors.New("--replaced goes with --end: it says what was done"))
			}
			rig, err := upkeep.Open(args[0], root)
			if err != nil {
				return usage(err)
			}
			if end {
				if err := rig.Return(reason, replaced); err != nil {
					return usage(err)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "rig %s is in service; next: assay rigs check %s\n", rig.Name, args[0])
				return nil
			}
			if err := rig.Maintain(reason); err != nil {
				return usage(err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "rig %s is in maintenance: %s\n", rig.Name, reason)
			return nil
		},
	}
	stateFlag(cmd, &root)
	cmd.Flags().StringVar(&reason, "reason", "", "why, for others to read")
	cmd.Flags().BoolVar(&end, "end", false, "put the rig back into service")
	cmd.Flags().BoolVar(&replaced, "replaced", false, "worn parts were replaced: count wear anew")
	return cmd
}

func newRigsUnlock() *cobra.Command {
	var root, reason string
	cmd := &cobra.Command{
		Use:   "unlock RIG",
		Short: "Say who holds a rig and, with a reason, ask for it back",
		Long: `Without --reason it only says who holds the rig and since when. With it the holder is asked to end its run,
make the rig safe and let go; its report names you and the reason. A process that was killed holds nothing: its rig is
free already. A process that hangs holds the devices too and has to be ended by hand.

Exit codes: 0 the rig is free, 2 the rig file is wrong, 3 it is still held.`,
		Example: "  assay rigs unlock lab7.yaml\n  assay rigs unlock lab7.yaml --reason 'release candidate to certify'",
		Args:    oneRig,
		RunE: func(cmd *cobra.Command, args []string) error {
			rig, err := upkeep.Open(args[0], root)
			if err != nil {
				return usage(err)
			}
			out := cmd.OutOrStdout()
			report, err := rig.Report()
			switch {
			case err != nil:
				return &exit{exitInconclusive, err}
			case !report.Held:
				fmt.Fprintf(out, "rig %s is free\n", rig.Name)
				return nil
			case reason == "":
				fmt.Fprintf(out, "rig %s is in use by %s\n", rig.Name, report.Holder)
				return &exit{exitInconclusive, fmt.Errorf("to ask for it back: assay rigs unlock %s --reason WHY", args[0])}
			}
			fmt.Fprintf(out, "asking %s to let go of rig %s\n", report.Holder, rig.Name)
			if _, _, err := rig.Unlock(cmd.Context(), reason); err != nil {
				return &exit{exitInconclusive, fmt.Errorf("%w; it does not answer: end process %d on %s", err, report.Holder.PID, report.Holder.Host)}
			}
			fmt.Fprintf(out, "rig %s is free\n", rig.Name)
			return nil
		},
	}
	stateFlag(cmd, &root)
	cmd.Flags().StringVar(&reason, "reason", "", "why the holder has to let go, for its report")
	return cmd
}
