package bringup

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/assay-hil/assay/protocol/mask"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/calibration"
	"github.com/assay-hil/assay/rigs/human"
	"github.com/assay-hil/assay/rungs"
)

// Console is where a person is asked.
type Console = human.Console

// NewConsole reads answers from in and writes requests to out.
func NewConsole(in io.Reader, out io.Writer) *Console { return human.NewConsole(in, out) }

// IsRig says whether an error is the rig's fault: an instrument's, or somebody else's use of it. Any other
// is about what was asked for, or how the rig is described.
func IsRig(err error) bool {
	return errors.As(err, new(*rigs.Error)) || rungs.Busy(err) || errors.As(err, new(*calibration.ExpiredError)) ||
		errors.Is(err, calibration.ErrResidual) || errors.Is(err, errQuit) || errors.Is(err, human.ErrNobody)
}

// clearScreen homes the cursor of a terminal and clears what is below (ECMA-48).
const clearScreen = "\x1b[H\x1b[2J"

// Print shows screens and paper on out. With live the screen is redrawn in place, else each follows the
// last.
func Print(out io.Writer, live bool) ShowOptions {
	return ShowOptions{
		Screen: func(s rigs.Screen) {
			at := s.At.Format("15:04:05.000")
			if s.Noise != "" {
				fmt.Fprintf(out, "%s  not a screen: %s\n", at, visible(s.Noise))
				return
			}
			if live {
				fmt.Fprint(out, clearScreen)
			}
			fmt.Fprintf(out, "%s ┌%s┐\n", at, strings.Repeat("─", width))
			for _, line := range s.Lines {
				fmt.Fprintf(out, "             │ %s\n", visible(line))
			}
			fmt.Fprintf(out, "             └%s┘\n", strings.Repeat("─", width))
		},
		Paper: func(p rigs.Paper) {
			text := visible(p.Text)
			if p.Cut {
				text = "✂ - - - - -"
			}
			fmt.Fprintf(out, "%s  paper: %s\n", p.At.Format("15:04:05.000"), text)
		},
	}
}

// visible masks what could be card data, and drops what would command the console.
func visible(line string) string {
	return mask.Text(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, line))
}

// width of the frame around a screen, in characters.
const width = 24
