package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/assay-hil/assay/rungs/bringup"
)

// oneRig wants exactly a rig file.
func oneRig(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usage(fmt.Errorf("a rig file is needed: %s", cmd.UseLine()))
	}
	return nil
}

// rigFault tells what is wrong with the rig, or with its file: the exit code differs.
func rigFault(err error) error {
	if bringup.IsRig(err) {
		return &exit{exitInconclusive, err}
	}
	return usage(err)
}

// consoleOf is the console of whoever runs the command.
func consoleOf(cmd *cobra.Command) (*bringup.Console, func()) {
	console := bringup.NewConsole(cmd.InOrStdin(), cmd.ErrOrStderr())
	return console, func() { _ = console.Close() } // it only ends requests
}

func newRigsPress() *cobra.Command {
	var root string
	cmd := &cobra.Command{
		Use:   "press RIG KEY…",
		Short: "Home the robot and press keys, each once",
		Long: `Homes the robot and presses the keys, one after the other, each once, by their names in the terminal's
profile. It ends at the first that fails; the finger is then up.`,
		Example: "  assay rigs press lab7.yaml 1 2 3 CANCEL",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usage(fmt.Errorf("a rig file and at least one key are needed: %s", cmd.UseLine()))
			}
			out := cmd.OutOrStdout()
			console, closeConsole := consoleOf(cmd)
			defer closeConsole()
			err := bringup.Press(cmd.Context(), args[0], args[1:], bringup.PressOptions{
				State:   root,
				Console: console,
				Homed: func(advice []string) {
					fmt.Fprintln(out, "homed")
					for _, a := range advice {
						fmt.Fprintln(out, "warn:", a)
					}
				},
				Each: func(p bringup.Pressed) {
					fmt.Fprintf(out, "pressed %s (%.0f ms from the command until the finger was up)\n", p.Key, float64(p.Took.Microseconds())/1000)
				},
			})
			if err != nil {
				return rigFault(err)
			}
			return nil
		},
	}
	stateFlag(cmd, &root)
	return cmd
}

func newRigsCard() *cobra.Command {
	var root string
	cmd := &cobra.Command{
		Use:   "card RIG insert|remove|swipe|tap [CARD]",
		Short: "Use a test card by hand",
		Long: `Inserts, swipes or taps one of the test cards. An inserted or tapped card stays and answers the terminal until
Enter or Ctrl-C; what the terminal does with it is shown, without card data.`,
		Example: "  assay rigs card lab7.yaml swipe stripe\n  assay rigs card lab7.yaml insert chip\n  assay rigs card lab7.yaml remove",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 || len(args) > 3 || (len(args) == 2 && args[1] != "remove" && slices.Contains(bringup.CardActions(), args[1])) {
				return usage(fmt.Errorf("a rig file, an action and a card are needed: %s", cmd.UseLine()))
			}
			card := ""
			if len(args) == 3 {
				card = args[2]
			}
			out := cmd.OutOrStdout()
			o := bringup.CardOptions{State: root, Each: func(at time.Time, what string) {
				fmt.Fprintf(out, "%s  %s\n", at.Format("15:04:05.000"), what)
			}}
			if args[1] == "insert" || args[1] == "tap" {
				o.Done = enter(cmd.InOrStdin())
				fmt.Fprintln(cmd.ErrOrStderr(), "Enter or Ctrl-C takes the card out.")
			}
			if err := bringup.Card(cmd.Context(), args[0], args[1], card, o); err != nil {
				return rigFault(err)
			}
			_, err := fmt.Fprintf(out, "%s done\n", args[1])
			return err
		},
	}
	stateFlag(cmd, &root)
	return cmd
}

// enter is closed when a line came in. An input that has ended from the start is nobody's Enter.
func enter(in io.Reader) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		if _, err := bufio.NewReader(in).ReadString('\n'); err == nil {
			close(done)
		}
	}()
	return done
}

func newRigsShow() *cobra.Command {
	var root string
	cmd := &cobra.Command{
		Use:     "show RIG",
		Short:   "Show the terminal's screen and paper as they change, until Ctrl-C",
		Example: "  assay rigs show lab7.yaml",
		Args:    oneRig,
		RunE: func(cmd *cobra.Command, args []string) error {
			console, closeConsole := consoleOf(cmd)
			defer closeConsole()
			out := cmd.OutOrStdout()
			o := bringup.Print(out, isTerminal(out))
			o.State, o.Console = root, console
			if err := bringup.Show(cmd.Context(), args[0], o); err != nil {
				return rigFault(err)
			}
			return nil
		},
	}
	stateFlag(cmd, &root)
	return cmd
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

func newRigsCalibrate() *cobra.Command {
	var o bringup.CalibrateOptions
	var keys string
	cmd := &cobra.Command{
		Use:   "calibrate RIG",
		Short: "Teach the robot where the keypad lies",
		Long: `Leads you through it: bring the fingertip onto three keys and a fourth, by moves typed in mm. Where the fourth is
more than 0.5 mm from where the three others put it, nothing is saved. Then the fourth key is pressed, longer each
time, until the terminal takes it. The result is saved with its date and the terminal's model, and expires.`,
		Example: "  assay rigs calibrate lab7.yaml\n  assay rigs calibrate lab7.yaml --keys 1,CANCEL,ENTER,5 --valid 336h",
		Args:    oneRig,
		RunE: func(cmd *cobra.Command, args []string) error {
			if keys != "" {
				o.Keys = strings.Split(keys, ",")
			}
			if o.Valid < 0 {
				return usage(errors.New("--valid: a calibration can't expire before it is made"))
			}
			console, closeConsole := consoleOf(cmd)
			defer closeConsole()
			o.Console = console
			c, err := bringup.Calibrate(cmd.Context(), args[0], o)
			if err != nil {
				return rigFault(err)
			}
			out := cmd.OutOrStdout()
			fmt.Fprintf(out, "saved %s: the fourth key is %.2f mm off, contact %v, valid until %s\n", c.Path, c.Residual, c.Contact, c.Expires.Local().Format(time.DateOnly))
			if !c.Named {
				fmt.Fprintf(out, "name it in the rig file: calibration: %s\n", c.Path)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&keys, "keys", "", "three keys to teach and a fourth to check, such as 1,CANCEL,ENTER,5 (default: the furthest apart)")
	flags.DurationVar(&o.Valid, "valid", bringup.Validity, "how long it counts")
	stateFlag(cmd, &o.State)
	flags.StringVar(&o.Out, "out", "", "file to write (default: the rig file's, or one beside it)")
	return cmd
}
