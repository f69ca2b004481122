// Package cardslot is the firmware of a card emulator in software, by
// rigs/card/relay/PROTOCOL.md: on one side the relay protocol over a serial line, on the other
// the magnetic head, the contact and the contactless interface of a fake terminal. As the protocol wants it, it
// knows nothing of payments: the card's application runs at the other end of the line.
//
//	slot := cardslot.New(port, cardslot.Config{})
//	hw := terminal.Hardware{Stripe: slot.Stripe(), Chip: slot, Field: slot.Field()}
//	…
//	err := slot.Close()
//
// One goroutine owns all state. It never waits for anything but its inputs, so calls into it
// return at once.
package cardslot

import (
	"errors"
	"time"

	"github.com/assay-hil/assay/fakes/terminal"
)

// Times and bounds, by section of PROTOCOL.md where it has one.
const (
	// LineLimit is the longest line without its LF (§1).
	LineLimit = 1100
	// AckWait is how long an event waits for its acknowledgement before it is repeated (§3).
	AckWait = 300 * time.Millisecond
	// Sendings is how often an event is sent before it is dropped (§3).
	Sendings = 3
	// EventLimit is how many events wait behind the unacknowledged one (§3).
	EventLimit = 8
	// CommandLimit is how long the terminal is kept waiting for a command's answer (§4).
	CommandLimit = 5 * time.Second
	// SwipeTime is how long a swipe takes by default; §2 allows 100 to 1000 ms.
	SwipeTime = 200 * time.Millisecond
	// ResetTime is how long the terminal waits for an ATR: 40,000 cycles at 4 MHz are 10 ms
	// (ISO/IEC 7816-3 §6.2.1), twice that after both resets.
	ResetTime = 20 * time.Millisecond
	// HeadHold is how long the head's decoder keeps a swipe that the application does not fetch.
	HeadHold = 500 * time.Millisecond
)

// Bounds of byte strings, in bytes.
const (
	minATR, maxATR         = 2, 33  // ISO/IEC 7816-3 §8.1: TS, T0 and up to 31 more
	minCommand, maxCommand = 4, 261 // ISO/IEC 7816-4, short form
	minAnswer, maxAnswer   = 2, 258
	minATS, maxATS         = 1, 254 // ISO/IEC 14443-4 §5.2.2: TL counts itself
)

// Why the chip interface failed.
var (
	// ErrNoCard: there is no card in the slot, or it was pulled while it worked.
	ErrNoCard = errors.New("no card in the slot")
	// ErrNoPower: the card, or the terminal itself, has no supply.
	ErrNoPower = errors.New("card has no supply")
	// ErrNoAnswer: the card did not answer a command within CommandLimit.
	ErrNoAnswer = errors.New("card did not answer the command")
	// ErrCommand: not a command APDU in short form.
	ErrCommand = errors.New("not a short command APDU")
	// ErrClosed: the simulator was closed.
	ErrClosed = errors.New("card slot closed")
)

// Config says how the emulator behaves. The zero value is a sound one.
type Config struct {
	// Firmware is the word that HELLO reports; "" means sim-1.0.
	Firmware string
	// SwipeTime is how long a swipe takes; 0 means the constant of that name.
	SwipeTime time.Duration
	Faults    Faults
}

// Faults are ways in which the emulator misbehaves; 0 switches one off.
type Faults struct {
	// Silent: dead from the start. It takes no request and sends nothing.
	Silent bool
	// SilentAfter: dead after this many new requests. What is in the slot stays there.
	SilentAfter int
	// DropEvery: of the lines that it sends, every n-th is lost.
	DropEvery int
	// GarbleEvery: of the lines that it sends, every n-th arrives with a bit flipped.
	GarbleEvery int
	// Stale: every answer of the host is refused as stale; the terminal waits in vain.
	Stale bool
	// Holds: a card is never let go, whatever the host is told; STATE tells the truth.
	Holds bool
}

var _ terminal.ChipReader = (*Slot)(nil)
