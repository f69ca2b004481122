package rungs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/assay-hil/assay/fakes/bench"
	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/calibration"
	"github.com/assay-hil/assay/rigs/human"
	"github.com/assay-hil/assay/rigs/keypad/grbl"
	"github.com/assay-hil/assay/rigs/serial"
)

// lines opens the line of an instrument by its name ("keypad", "card", "display", "power",
// "printer"). It is asked only for instruments whose driver needs one.
type lines func(name string) (*serial.Line, error)

// settings are what a rig says about its instruments.
type settings struct {
	name        string
	uncertainty time.Duration
	// instruments are the drivers and their options; nil is a simulated bench's full set.
	instruments *rigs.Instruments
	// dir is the rig file's folder, which references to secrets are relative to.
	dir string
	// console is where a person is asked; nil where no driver needs one.
	console *human.Console
	// calibration is how the keypad lies under the finger; nil: level at its origin.
	calibration *calibration.Calibration
	// The simulated finger's: contact where the rig file gives none, speed, limits.
	contact time.Duration
	plunge  float64 // mm/min; 0 is the driver's usual
	keypad  grbl.Limits
}

// simulated are the drivers of a simulated bench.
func simulated() *rigs.Instruments {
	return &rigs.Instruments{
		Keypad: &rigs.KeypadLine{Driver: "grbl"}, Card: &rigs.CardLine{Driver: "relay"}, Display: &rigs.DisplayLine{Driver: "debug-line"},
		Power: &rigs.PowerLine{Driver: "numato", Parts: bench.PartChannels()}, Printer: &rigs.PrinterLine{Driver: "esc-pos"},
	}
}

// opening is what a driver gets to open its instrument with.
type opening struct {
	line     *serial.Line // nil for a driver that needs none; the driver owns it from then on
	profile  *terminals.Profile
	settings settings
}

// opener opens one instrument. After an error the line is closed.
type opener func(ctx context.Context, o opening) (rigs.Instrument, error)

// order is the one in which instruments are opened: listeners first, so that nothing that the terminal
// says is missed.
var order = []string{"display", "printer", "power", "card", "keypad"}

// openRig opens every instrument. What was opened is in the teardown also when it fails; a failure is a
// fault of the rig.
func openRig(ctx context.Context, t *teardown, p *terminals.Profile, open lines, s settings) (*rigs.Rig, error) {
	if s.instruments == nil {
		s.instruments = simulated()
	}
	rig := &rigs.Rig{Name: s.name, Uncertainty: s.uncertainty}
	there := s.instruments.Lines()
	for _, name := range order {
		l, ok := there[name]
		if !ok {
			continue
		}
		d, err := openInstrument(ctx, name, l.Driver, p, open, s)
		if err != nil {
			return nil, err
		}
		t.add(name, d.Close)
		put(rig, d)
	}
	return rig, nil
}

// openInstrument opens one instrument by its driver. Its error is a fault of the rig.
func openInstrument(ctx context.Context, name, driver string, p *terminals.Profile, open lines, s settings) (rigs.Instrument, error) {
	new, known := drivers()[name][driver]
	if !known {
		return nil, rigs.Fault(name, "open", fmt.Errorf("%s", strict.UnknownMessage("driver", driver, slices.Sorted(maps.Keys(drivers()[name])))))
	}
	o := opening{profile: p, settings: s}
	if len(rigs.Drivers()[name][driver].Connections) > 0 {
		line, err := open(name)
		if err != nil {
			return nil, rigs.Fault(name, "open", err)
		}
		o.line = line
	}
	d, err := new(ctx, o)
	if err != nil {
		return nil, rigs.Fault(name, "open", err)
	}
	return d, nil
}

// put gives an instrument its place on the rig.
func put(rig *rigs.Rig, d rigs.Instrument) {
	switch d := d.(type) {
	case rigs.Keypad:
		rig.Keypad = d
	case rigs.CardEmulator:
		rig.Card = d
	case rigs.Display:
		rig.Display = d
	case rigs.Power:
		rig.Power = d
	case rigs.Printer:
		rig.Printer = d
	}
}
