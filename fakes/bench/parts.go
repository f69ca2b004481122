package bench

import (
	"errors"

	"github.com/assay-hil/assay/fakes/terminal"
)

// The relays that take a part of the terminal out of order while they are energised.
const (
	pinPadChannel  = 1
	paperChannel   = 2
	memoryChannel  = 3
	printerChannel = 4
	simChannel     = 6 // in the lines of the SIM card
	antennaChannel = 7 // in the antenna's lead
	batteryChannel = 5 // of the memory that holds keys and chip parameters
)

// PartChannels are these relays by the parts that they break.
func PartChannels() map[string]int {
	return map[string]int{
		"pin-pad": pinPadChannel, "paper": paperChannel, "memory": memoryChannel, "printer": printerChannel,
		"battery": batteryChannel, "sim": simChannel, "antenna": antennaChannel,
	}
}

var errPINPad = errors.New("the PIN pad does not answer")

// broken takes a part out of order or mends it.
func (b *Bench) broken(channel int, broken bool) {
	switch channel {
	case pinPadChannel:
		b.noPIN.Store(broken)
	case paperChannel:
		if b.paper != nil {
			b.paper.SetOut(broken)
		}
	case memoryChannel:
		b.nvram.Break(broken)
	case simChannel:
		b.noSIM.Store(broken)
	case antennaChannel:
		b.noSignal.Store(broken)
	case batteryChannel:
		b.nvram.Battery(!broken)
	case printerChannel:
		if b.paper != nil {
			b.paper.SetHot(broken)
		}
	}
}

// modem says what the terminal's modem lacks. A model without one has a cable.
func (b *Bench) modem() error {
	switch {
	case !b.cfg.Profile.Has("modem"):
		return nil
	case b.noSIM.Load():
		return terminal.ErrNoSIM
	case b.noSignal.Load():
		return terminal.ErrNoSignal
	}
	return nil
}

// pinPad is the terminal's own test of its PIN pad.
func (b *Bench) pinPad() error {
	if b.noPIN.Load() {
		return errPINPad
	}
	return nil
}
