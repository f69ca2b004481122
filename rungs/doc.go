// Package rungs builds the world that a scenario runs in. There are three rungs, and the
// scenarios, drivers and judge are the same on each:
//
//	virtual  simulated bench, in-memory lines, virtual time (testing/synctest): milliseconds
//	sim      simulated bench behind real pseudo-terminals, loopback TCP, real time
//	a file   a lab: the instruments of a rig file, a real terminal
//
// It is the only package that knows rigs and fakes both.
package rungs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/assay-hil/assay/fakes/bench"
	"github.com/assay-hil/assay/fakes/terminal"
	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/harness"
	"github.com/assay-hil/assay/harness/record"
)

// Rung runs scenarios in its world.
type Rung interface {
	// Name is "virtual", "sim" or the rig's name.
	Name() string
	// Has says whether the rig can do what a scenario needs of it.
	Has(capability string) bool
	// Profiles are those that this rung's terminal can have: all of them where it is simulated, one in a lab.
	Profiles() []*terminals.Profile
	// Lang is the language that the terminal is set to; "" where each run can choose.
	Lang() string
	// Do gives body a session with a terminal of that profile, showing that language. The error says why
	// there is none; a fault of the rig is a *rigs.Error. Whether the same bench
	// serves the next call depends on body's result: after anything but a clean pass it does not.
	Do(ctx context.Context, p *terminals.Profile, lang string, body func(context.Context, *harness.Session) record.Result) error
	// Close takes the world down, bounded in time.
	Close() error
}

// Options choose a rung and what is wrong with it on purpose.
type Options struct {
	Rig string // "virtual", "sim", or a rig file
	// Defects are planted in the simulated terminal, Faults in the simulated instruments.
	Defects []string
	Faults  []string
}

// Names of the simulated rungs.
const (
	Virtual = "virtual"
	Sim     = "sim"
)

// Open makes the rung. Nothing is started before the first Do.
func Open(o Options) (Rung, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	switch o.Rig {
	case Virtual:
		return newVirtual(o)
	case Sim:
		return newSim(o)
	}
	if len(o.Defects)+len(o.Faults) > 0 {
		return nil, errors.New("defects and bench faults can be planted in a simulated bench only: use --rig virtual or --rig sim")
	}
	return newLab(o.Rig)
}

// check holds the names against those that there are.
func (o Options) check() error {
	for _, d := range o.Defects {
		if !slices.Contains(terminal.Defects(), d) {
			return errors.New(strict.UnknownMessage("defect", d, terminal.Defects()))
		}
	}
	for _, f := range o.Faults {
		if !slices.Contains(bench.Faults(), f) {
			return errors.New(strict.UnknownMessage("bench fault", f, bench.Faults()))
		}
	}
	return nil
}

// Defects describes the defects that can be planted in the simulated terminal, a line each.
func Defects() string {
	var b strings.Builder
	for _, d := range terminal.Defects() {
		fmt.Fprintf(&b, "  %-28s %s\n", d, terminal.DescribeDefect(d))
	}
	return b.String()
}

// Faults lists the faults that can be planted in the simulated instruments.
func Faults() []string { return bench.Faults() }
