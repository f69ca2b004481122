package rungs

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/card/relay"
	"github.com/assay-hil/assay/rigs/display/debugline"
	"github.com/assay-hil/assay/rigs/keypad/grbl"
	"github.com/assay-hil/assay/rigs/power/numato"
	"github.com/assay-hil/assay/rigs/printer/escpos"
	"github.com/assay-hil/assay/rigs/serial"
)

// lines opens the line of an instrument by its name ("keypad", "card", "display", "power",
// "printer"); nil when the rig has none.
type lines func(name string) (*serial.Line, error)

// settings are what a rig says about its instruments.
type settings struct {
	name           string
	origin         grbl.Point
	contact        time.Duration
	plunge         float64 // mm/min; 0 is the driver's usual
	keypad         grbl.Limits
	channel        int
	normallyClosed bool
	uncertainty    time.Duration
}

// openRig opens every instrument, listeners first, so that nothing that the terminal says is
// missed. What was opened is in the teardown also when it fails; a failure is a fault of the
// rig.
func openRig(ctx context.Context, t *teardown, p *terminals.Profile, open lines, s settings) (*rigs.Rig, error) {
	rig := &rigs.Rig{Name: s.name, Uncertainty: s.uncertainty}
	for _, instrument := range []struct {
		name string
		open func(*serial.Line) (rigs.Instrument, error)
	}{
		{"display", func(l *serial.Line) (_ rigs.Instrument, err error) {
			d, err := debugline.New(l, debugline.Config{Screen: p.Screen})
			if err == nil {
				rig.Display = d
			}
			return d, err
		}},
		{"printer", func(l *serial.Line) (rigs.Instrument, error) {
			d, err := escpos.New(l, escpos.Config{Receipt: p.Receipt})
			if err == nil {
				rig.Printer = d
			}
			return d, err
		}},
		{"power", func(l *serial.Line) (rigs.Instrument, error) {
			d, err := numato.New(l, numato.Config{Channel: s.channel, NormallyClosed: s.normallyClosed})
			if err == nil {
				rig.Power = d
			}
			return d, err
		}},
		{"card", func(l *serial.Line) (rigs.Instrument, error) {
			d, err := relay.Open(ctx, l, relay.Config{})
			if err == nil {
				rig.Card = d
			}
			return d, err
		}},
		{"keypad", func(l *serial.Line) (rigs.Instrument, error) {
			d, err := grbl.Open(ctx, l, grbl.Config{Keypad: p.Keypad, Origin: s.origin, Contact: s.contact, PlungeFeed: s.plunge, Limits: s.keypad})
			if err == nil {
				rig.Keypad = d
			}
			return d, err
		}},
	} {
		line, err := open(instrument.name)
		if err != nil {
			return nil, rigs.Fault(instrument.name, "open", err)
		}
		if line == nil {
			continue
		}
		d, err := instrument.open(line)
		if err != nil {
			return nil, rigs.Fault(instrument.name, "open", fmt.Errorf("%w", err))
		}
		t.add(instrument.name, d.Close)
	}
	return rig, nil
}
