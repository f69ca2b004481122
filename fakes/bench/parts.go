package bench

import "errors"

// The relays that take a part of the terminal out of order while they are energised.
const (
	pinPadChannel  = 1
	paperChannel   = 2
	memoryChannel  = 3
	printerChannel = 4
	batteryChannel = 5 // of the memory that holds keys and chip parameters
)

// PartChannels are these relays by the parts that they break.
func PartChannels() map[string]int {
	return map[string]int{
		"pin-pad": pinPadChannel, "paper": paperChannel, "memory": memoryChannel, "printer": printerChannel,
		"battery": batteryChannel,
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
	case batteryChannel:
		b.nvram.Battery(!broken)
	case printerChannel:
		if b.paper != nil {
			b.paper.SetHot(broken)
		}
	}
}

// pinPad is the terminal's own test of its PIN pad.
func (b *Bench) pinPad() error {
	if b.noPIN.Load() {
		return errPINPad
	}
	return nil
}
