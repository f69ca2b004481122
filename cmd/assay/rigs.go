package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-hil/assay/rungs/bringup"
)

func newRigs() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rigs",
		Short: "Build, check and look after a rig",
		Long: `A rig is a terminal on a plate and the instruments around it, described by a rig file. These commands
bring one up, one instrument at a time, and keep it in order. None of them judges the terminal.`,
		Example: `  assay rigs discover                  what is plugged in; moves nothing
  assay rigs new --minimal > lab7.yaml a rig file to begin with
  assay rigs check lab7.yaml           every instrument opened, identified, tried
  assay rigs press lab7.yaml 1 2 3     press keys by hand
  assay rigs calibrate lab7.yaml       teach the robot where the keypad lies`,
		Args: cobra.ArbitraryArgs,
		RunE: group,
	}
	cmd.AddCommand(newRigsNew(), newRigsDiscover(), newRigsCheck(), newRigsPress(), newRigsCard(), newRigsShow(), newRigsCalibrate(),
		newRigsHealth(), newRigsMaintenance(), newRigsUnlock())
	return cmd
}

func newRigsNew() *cobra.Command {
	var minimal, byHand bool
	var out string
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Print a commented rig file to begin with",
		Example: `  assay rigs new > lab7.yaml
  assay rigs new --minimal --out lab7.yaml
  assay rigs new --human`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			kind := "full"
			switch {
			case minimal && byHand:
				return usage(errors.New("--minimal and --human are two different rig files"))
			case minimal:
				kind = "minimal"
			case byHand:
				kind = "human"
			}
			text, _ := bringup.Example(kind)
			return writeNew(cmd.OutOrStdout(), out, text)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&minimal, "minimal", false, "a robot at the keypad and nothing else")
	flags.BoolVar(&byHand, "human", false, "without a robot: a person presses the keys")
	flags.StringVar(&out, "out", "", "write this file, which must not be there yet (default: standard output)")
	return cmd
}

// writeNew writes a file that must not be there, or to stdout.
func writeNew(stdout io.Writer, path, text string) error {
	if path == "" {
		_, err := io.WriteString(stdout, text)
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return usage(fmt.Errorf("%s is there already; choose another name", path))
	}
	if err != nil {
		return usage(err)
	}
	_, err = file.WriteString(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return usage(err)
	}
	_, err = fmt.Fprintf(stdout, "wrote %s; next: assay rigs discover, then assay rigs check %s\n", path, path)
	return err
}

func newRigsDiscover() *cobra.Command {
	return &cobra.Command{
		Use:   "discover [PORT…]",
		Short: "Say what is plugged in and what answers on it; moves nothing",
		Long: `Opens every USB serial port, or the named ones, listens, and asks questions that make nothing move: GRBL its
status and build, ChameleonUltra and Numato their versions, Marlin and a supply their names. Opening a port
restarts some boards, which then have to be homed. Prints what answered and the beginning of a rig file.`,
		Example: "  assay rigs discover\n  assay rigs discover /dev/ttyACM0",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			ports, file, err := bringup.Discover(cmd.Context(), args)
			if err != nil {
				return rigFault(err)
			}
			out := cmd.OutOrStdout()
			if len(ports) == 0 {
				fmt.Fprintln(out, "no USB serial device is plugged in: look at cable and hub, or name a port: assay rigs discover /dev/ttyS0")
				return &exit{code: exitInconclusive}
			}
			for _, p := range ports {
				fmt.Fprintf(out, "# %s\n#   %s\n", p.Path, p.What)
			}
			fmt.Fprint(out, "\n", file)
			return nil
		},
	}
}

func newRigsCheck() *cobra.Command {
	var asJSON bool
	var root string
	cmd := &cobra.Command{
		Use:   "check RIG",
		Short: "Open, identify and try every instrument of a rig, safely",
		Long: `Opens, identifies and tries every instrument: the robot homes and touches a corner key (CANCEL), the screen must
follow a key, the relay switches if the rig file allows it, an empty card goes into the field, issuer and
injector start and answer on the rig's own addresses. One line each, with ok or what to do. Measures the rig's own
latencies and their uncertainty and keeps them for the runs that follow.

Exit codes: 0 nothing failed, 2 the rig file is wrong, 3 something failed.`,
		Example: "  assay rigs check lab7.yaml\n  assay rigs check lab7.yaml --json | jq '.findings[] | select(.status != \"ok\")'",
		Args:    oneRig,
		RunE: func(cmd *cobra.Command, args []string) error {
			out := cmd.OutOrStdout()
			console, closeConsole := consoleOf(cmd)
			defer closeConsole()
			o := bringup.CheckOptions{State: root, Console: console}
			if !asJSON {
				o.Each = func(f bringup.Finding) { showFinding(out, f) }
			}
			report, err := bringup.Check(cmd.Context(), args[0], o)
			if err != nil {
				return rigFault(err)
			}
			if asJSON {
				enc := json.NewEncoder(out)
				enc.SetIndent("", "  ")
				err = enc.Encode(report)
			} else {
				showReport(out, report)
			}
			if err == nil && !report.OK {
				return &exit{code: exitInconclusive}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON, for other programs")
	stateFlag(cmd, &root)
	return cmd
}

// showFinding is one line, and one more where there is something to do.
func showFinding(out io.Writer, f bringup.Finding) {
	fmt.Fprintf(out, "%-8s %-16s %-14s %s\n", f.Status, f.Subject, f.Step, strings.ReplaceAll(f.Detail, "\n", "; "))
	if f.Fix != "" {
		fmt.Fprintf(out, "         → %s\n", f.Fix)
	}
}

func showReport(out io.Writer, r bringup.Report) {
	fmt.Fprintln(out)
	for _, l := range r.Latencies {
		fmt.Fprintf(out, "latency  %-8s %8.1f ms, varying by %.1f ms over %d: %s\n", l.Name, float64(l.Median), float64(l.Spread), l.Count, l.From)
	}
	if r.Uncertainty > 0 {
		fmt.Fprintf(out, "a time between two instruments of this rig is uncertain by %.1f ms; runs take that into account\n", float64(r.Uncertainty))
	}
	if r.OK {
		fmt.Fprintf(out, "rig %s is ready\n", r.Rig)
	} else {
		fmt.Fprintf(out, "rig %s is not ready\n", r.Rig)
	}
}
