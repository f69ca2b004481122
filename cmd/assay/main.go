// Command assay proves payment terminals: it drives one through failures and recoveries, by robot
// finger, emulated card, fake bank and breaking network, and says from the record whether it did
// what it must.
//
// This package turns flags into calls and results into exit codes; it decides nothing.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/assay-hil/assay/fixtures/strict"
)

// Exit codes.
const (
	exitPass         = 0
	exitFailed       = 1 // the terminal failed
	exitUsage        = 2 // usage or configuration
	exitInconclusive = 3 // rig, fake or harness; interrupted
)

// exit carries an exit code through cobra. Its error may be nil: then everything was said.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// gcPercent lets the heap, which is small, grow fivefold before garbage is collected: a run makes much of it.
const gcPercent = 400

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process: it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var e *exit
	switch {
	case err == nil:
		return exitPass
	case errors.As(err, &e):
		if e.err != nil {
			fmt.Fprintln(stderr, "assay:", e.err)
		}
		return e.code
	default: // cobra's own complaints are about usage
		fmt.Fprintln(stderr, "assay:", err)
		return exitUsage
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "assay",
		Short: "Prove payment terminals",
		Long: `assay drives a payment terminal the way a person and a hostile world would (a robot finger on
its keys, an emulated card in its slot, a bank that answers badly, a network that breaks) and
decides, with evidence, whether every failure gave the right prompt, the right response code and
the right way back, in time, with no money lost.

Exit codes: 0 pass, 1 the terminal failed, 2 usage or configuration, 3 inconclusive (rig, fake
or harness at fault, or interrupted).`,
		Example: `  assay run                      the whole catalogue on the simulated bench, in real time
  assay run --rig virtual        the same in virtual time, in a second
  assay run --rig lab7.yaml      the same on a lab's rig
  assay scenarios list           what there is to run`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE:          group,
	}
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newRun(), newScenarios(), newDefects(), newProof(), newBench(), newIssuer(), newNetwork(), newCard(), newRigs(), newReport(), newVersion())
	return root
}

// group is what a command does that only holds others: it helps, and names the nearest command to
// an unknown one.
func group(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return usage(fmt.Errorf("%s\nSee '%s --help'", strict.UnknownMessage("command", args[0], names), cmd.CommandPath()))
}

// flagError names the nearest flag to an unknown one.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
		err = errors.New(strict.UnknownMessage("flag", "--"+unknown.GetSpecifiedName(), names))
	}
	return &exit{exitUsage, fmt.Errorf("%w\nSee '%s --help'", err, cmd.CommandPath())}
}
