package rungs

import (
	"cmp"
	"context"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/card/cardhopper"
	"github.com/assay-hil/assay/rigs/card/chameleon"
	"github.com/assay-hil/assay/rigs/card/relay"
	"github.com/assay-hil/assay/rigs/display/debugline"
	"github.com/assay-hil/assay/rigs/human"
	"github.com/assay-hil/assay/rigs/keypad/grbl"
	"github.com/assay-hil/assay/rigs/keypad/marlin"
	"github.com/assay-hil/assay/rigs/power/command"
	"github.com/assay-hil/assay/rigs/power/numato"
	"github.com/assay-hil/assay/rigs/power/scpi"
	"github.com/assay-hil/assay/rigs/printer/escpos"
)

// drivers is the table of constructors, by instrument and driver. Its names are those of rigs.Drivers;
// a driver is added in both.
func drivers() map[string]map[string]opener {
	return map[string]map[string]opener{
		"keypad": {
			"grbl": openGRBL, "fluidnc": openGRBL, "marlin": openMarlin, "human": openPerson,
		},
		"card": {
			"relay": openRelay, "chameleon-ultra": openChameleon, "cardhopper": openCardHopper,
		},
		"display": {
			"debug-line": openDebugLine,
			"human":      openReader,
		},
		"power": {
			"numato": openNumato, "scpi": openSCPI, "command": openCommand,
		},
		"printer": {"esc-pos": openPrinter},
	}
}

func openGRBL(ctx context.Context, o opening) (rigs.Instrument, error) {
	k, limits := o.settings.instruments.Keypad, o.settings.keypad
	limits.Homing = cmp.Or(k.Homing, limits.Homing)
	p := lay(o.profile.Keypad, k.Origin, o.settings.calibration)
	return grbl.Open(ctx, o.line, grbl.Config{
		Keypad: p.keypad, Origin: p.origin, Tilt: p.tilt, Contact: cmp.Or(k.Contact, o.settings.contact), Overtravel: k.Overtravel,
		PlungeFeed: cmp.Or(k.PlungeFeed, o.settings.plunge), Limits: limits,
	})
}

func openMarlin(ctx context.Context, o opening) (rigs.Instrument, error) {
	k := o.settings.instruments.Keypad
	p := lay(o.profile.Keypad, k.Origin, o.settings.calibration)
	return marlin.Open(ctx, o.line, marlin.Config{
		Keypad: p.keypad, Origin: p.origin, Tilt: marlin.Tilt(p.tilt), Contact: cmp.Or(k.Contact, o.settings.contact), Overtravel: k.Overtravel,
		PlungeFeed: k.PlungeFeed, Limits: marlin.Limits{Homing: k.Homing},
	})
}

func openPerson(_ context.Context, o opening) (rigs.Instrument, error) {
	return human.NewKeypad(human.Config{Keypad: o.profile.Keypad, Ask: o.settings.console.Ask, Patience: o.settings.instruments.Keypad.Patience})
}

func openReader(_ context.Context, o opening) (rigs.Instrument, error) {
	return human.NewDisplay(human.DisplayConfig{Answer: o.settings.console.Answer, Patience: o.settings.instruments.Display.Patience})
}

func openRelay(ctx context.Context, o opening) (rigs.Instrument, error) {
	return relay.Open(ctx, o.line, relay.Config{})
}

func openChameleon(ctx context.Context, o opening) (rigs.Instrument, error) {
	return chameleon.Open(ctx, o.line, chameleon.Config{Slot: max(0, o.settings.instruments.Card.Slot-1), Partial: o.settings.instruments.Card.Partial})
}

func openCardHopper(ctx context.Context, o opening) (rigs.Instrument, error) {
	return cardhopper.Open(ctx, o.line, cardhopper.Config{FWI: byte(o.settings.instruments.Card.FWI)})
}

func openDebugLine(_ context.Context, o opening) (rigs.Instrument, error) {
	return debugline.New(o.line, debugline.Config{Screen: o.profile.Screen})
}

func openNumato(_ context.Context, o opening) (rigs.Instrument, error) {
	p := o.settings.instruments.Power
	return numato.New(o.line, numato.Config{Channel: p.Channel, NormallyClosed: p.NormallyClosed, Parts: p.Parts})
}

func openSCPI(ctx context.Context, o opening) (rigs.Instrument, error) {
	p := o.settings.instruments.Power
	return scpi.Open(ctx, o.line, scpi.Config{Channel: p.Channel, Volts: p.Volts})
}

// openCommand puts the secrets that the programs' words refer to in their places.
func openCommand(_ context.Context, o opening) (rigs.Instrument, error) {
	p := o.settings.instruments.Power
	c := command.Config{Dir: o.settings.dir, Limit: p.Limit}
	for _, list := range []struct {
		words []string
		to    *[]string
	}{{p.On, &c.On}, {p.Off, &c.Off}, {p.Read, &c.Read}} {
		for _, word := range list.words {
			value, secrets, err := rigs.Reveal(o.settings.dir, word)
			if err != nil {
				return nil, err
			}
			*list.to, c.Secrets = append(*list.to, value), append(c.Secrets, secrets...)
		}
	}
	return command.New(c)
}

func openPrinter(_ context.Context, o opening) (rigs.Instrument, error) {
	return escpos.New(o.line, escpos.Config{Receipt: o.profile.Receipt})
}
