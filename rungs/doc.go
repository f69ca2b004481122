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
	"io"
	"slices"

	"github.com/assay-hil/assay/fakes/bench"
	"github.com/assay-hil/assay/fakes/bench/tap"
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
	// NoPackets says why packet faults of a kind can't be made here; "" when they can.
	NoPackets(kind string) string
	// Worlds is how many calls of Do are served at the same time; further ones wait.
	Worlds() int
	// Do gives body a session with such a terminal. The error says why
	// there is none; a fault of the rig is a *rigs.Error. Whether the same bench
	// serves the next call depends on body's result: after anything but a clean pass it does not.
	Do(ctx context.Context, wanted Wanted, body func(context.Context, *harness.Session) record.Result) error
	// Close takes the world down, bounded in time.
	Close() error
}

// Wanted is what a scenario needs of its world.
type Wanted struct {
	Profile *terminals.Profile
	Lang    string // that the terminal shows
	// Packets wants a network between terminal and host whose packets can be spoilt.
	Packets bool
	// Stage is how its terminal's life begins; only in virtual time can that be chosen.
	Stage Stage
}

// Options choose a rung and what is wrong with it on purpose.
type Options struct {
	Rig string // "virtual", "sim", or a rig file
	// Defects are planted in the simulated terminal, Faults in the simulated instruments.
	Defects []string
	Faults  []string
	// ProfileFiles are files of terminal profiles, besides the embedded ones, that a simulated terminal can have.
	ProfileFiles []string
	// Benches is how many simulated benches work side by side in real time, 1 to MaxBenches; 0 is as many as
	// the machine's cores can serve. A lab has one.
	Benches int
	// Planning opens a rung that is only asked what it can do: a lab's rig is not taken, and Do fails.
	Planning bool
	// In and Out are the console of whoever is at the rig, for instruments that are a person; nil where
	// nobody is.
	In  io.Reader
	Out io.Writer
	// Hosts says where issuer and injector run: Embedded, which "" means, or Containers.
	Hosts string
	// State is the folder in which is kept what is known about rigs from run to run; "" as package state
	// says.
	State string
	// Evidence opens a file, by its path within the run's evidence, for what is not in a timeline:
	// the logs of containers. nil drops it. It is not called before the first Do.
	Evidence func(path string) (io.WriteCloser, error)
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
	rung, err := o.open()
	if err != nil || o.Hosts != Containers {
		return rung, err
	}
	inRealTime, ok := rung.(*realtime)
	if !ok {
		return nil, fmt.Errorf("--hosts %s: a container knows no virtual time; use --rig sim, or --hosts %s", Containers, Embedded)
	}
	if err := inRealTime.hosted(o); err != nil {
		return nil, errors.Join(err, rung.Close())
	}
	return rung, nil
}

func (o Options) open() (Rung, error) {
	switch o.Rig {
	case Virtual:
		return newVirtual(o)
	case Sim:
		return newSim(o)
	}
	if len(o.ProfileFiles) > 0 {
		return nil, errors.New("a lab's rig file names its terminal's profile; a profile from elsewhere is for --rig virtual or --rig sim")
	}
	if len(o.Defects)+len(o.Faults) > 0 {
		return nil, errors.New("defects and bench faults can be planted in a simulated bench only: use --rig virtual or --rig sim")
	}
	return newLab(o)
}

// profiles are those that a simulated terminal can have.
func (o Options) profiles() ([]*terminals.Profile, error) {
	all, err := terminals.All()
	if err != nil {
		return nil, err
	}
	for _, name := range o.ProfileFiles {
		p, err := terminals.LoadFile(name)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(all, func(known *terminals.Profile) bool { return known.ID == p.ID }) {
			return nil, fmt.Errorf("%s: there is a profile %s already; give this one an id of its own", name, p.ID)
		}
		all = append(all, tap.Spoken(p))
	}
	return all, nil
}

// check holds the names against those that there are.
func (o Options) check() error {
	for _, d := range o.Defects {
		if names := terminal.DefectNames(); !slices.Contains(names, d) {
			return errors.New(strict.UnknownMessage("defect", d, names))
		}
	}
	if o.Hosts != "" && !slices.Contains(HostsWords(), o.Hosts) {
		return errors.New(strict.UnknownMessage("place for --hosts", o.Hosts, HostsWords()))
	}
	switch {
	case o.Benches == 0:
	case o.Rig != Sim:
		return fmt.Errorf("--benches is for --rig %s: a lab's rig is one bench, and virtual time has as many worlds as the machine has cores", Sim)
	case o.Benches < 0 || o.Benches > MaxBenches:
		return fmt.Errorf("--benches %d: give 1 to %d", o.Benches, MaxBenches)
	case o.Benches > 1 && o.Hosts == Containers:
		return fmt.Errorf("--benches %d: containers serve one bench", o.Benches)
	}
	for _, f := range o.Faults {
		if o.Rig == Virtual && slices.Contains(HostFaults(), f) {
			continue
		}
		if !slices.Contains(bench.Faults(), f) {
			return errors.New(strict.UnknownMessage("bench fault", f, bench.Faults()))
		}
	}
	return nil
}

// Defect is a bug that can be planted in the simulated terminal.
type Defect = terminal.Defect

// Defects lists the defects that can be planted in the simulated terminal, by group and name.
func Defects() []Defect { return terminal.Defects() }

// Faults lists the faults that can be planted in the simulated instruments.
func Faults() []string { return bench.Faults() }
