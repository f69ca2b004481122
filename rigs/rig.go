// Package rigs says what a rig is: the contracts of its instruments, the rig
// file, and how a fault of the bench is told apart from a fault of the
// terminal. Drivers live in the packages below it, one package a driver; they
// bind to these contracts and never to each other.
//
// Rules that hold for every instrument:
//   - ctx comes first and bounds the call; a driver adds its own, named limits.
//   - A method that fails returns an *Error: the rig's fault, never the terminal's.
//   - Halt puts the instrument into its safe state. It may be called at any time, more than
//     once, also after a failed call, and must work with a context of its own.
//   - Close releases the line. It implies no movement.
//   - Methods are safe for use by several goroutines; commands are carried out one at a time.
package rigs

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Instrument is anything on the bench that we command or listen to.
type Instrument interface {
	// Name is the instrument's place on the rig: "keypad", "card", "display", "power", "printer".
	Name() string
	// Probe asks the instrument for a sign of life without moving anything.
	Probe(ctx context.Context) error
	// Halt puts it into its safe state: plunger up, card out, power on.
	Halt(ctx context.Context) error
	Close() error
}

// Watched is an instrument that says when its line ends, also while nobody speaks to it: a wait for
// something else must not go on to its own limit when a cable was pulled. Display and Printer say it by closing
// their streams, an instrument without a line has nothing to lose.
type Watched interface {
	Instrument
	// Ended is closed when the line has ended: lost, or closed by us.
	Ended() <-chan struct{}
	// Err is nil until then, and afterwards why: rigs.ErrClosed after Close, else the fault.
	Err() error
}

// Press is one contact of the finger with a key.
type Press struct {
	// Begin is when the press was commanded: the key cannot have closed earlier.
	Begin time.Time
	// End is when the plunger was seen back above the contact plane. The key was closed
	// at some time between Begin and End.
	End time.Time
}

// Keypad presses the terminal's keys.
type Keypad interface {
	Instrument
	// Home finds the machine's zero. It must be called once before the first Press and
	// after any error of Press.
	Home(ctx context.Context) error
	// Press pushes one key, named as in the terminal profile, once. A press is never
	// repeated by the driver: after an error the key may or may not have been pushed.
	Press(ctx context.Context, key string) (Press, error)
}

// Chip is a card's application, run on the harness side. The emulator relays to it.
type Chip interface {
	// ATR is the answer to reset, ISO/IEC 7816-3; empty for a mute chip.
	ATR() []byte
	// Reset starts the application anew, as a reset of the real card does.
	Reset()
	// Transmit answers one command APDU (ISO/IEC 7816-4) with data and SW1 SW2.
	Transmit(capdu []byte) []byte
}

// Tracks are a stripe's symbols as they go over the head, a byte a symbol with its parity
// bit: 7 bits on track 1, 5 bits on tracks 2 and 3, sentinels and LRC included. An empty
// track is not on the card.
type Tracks [3][]byte

// Exchange is one APDU pair as the relay saw it. Its bytes are card data: they must not
// reach disk.
type Exchange struct {
	At       time.Time     // when the command came
	Took     time.Duration // until the answer was handed to the emulator
	Command  []byte
	Response []byte
}

// CardEvent is something that happened between terminal and card.
type CardEvent struct {
	At       time.Time
	Kind     string    // "reset", "power-off", "field-on", "field-off", "exchange"
	Exchange *Exchange // with kind "exchange"
}

// CardEmulator stands in for a card in the slot, on the stripe reader or in the field.
type CardEmulator interface {
	Instrument
	Insert(ctx context.Context, c Chip) error
	Remove(ctx context.Context) error
	Swipe(ctx context.Context, t Tracks) error
	// Tap brings a contactless card with the UID and ATS into the field; Leave takes it out.
	Tap(ctx context.Context, c Chip, uid, ats []byte) error
	Leave(ctx context.Context) error
	// Events is a bounded stream of what the terminal did with the card. It is closed by Close.
	Events() <-chan CardEvent
}

// Crowd is a card emulator that can bring a second card into the field together with the first.
type Crowd interface {
	CardEmulator
	// Beside has a second card with this UID enter with the next Tap; Leave takes both away. nil has it stay away again.
	Beside(ctx context.Context, uid []byte) error
}

// Screen is what the terminal shows from At on.
type Screen struct {
	At    time.Time // arrival of the first byte of this change
	Lines []string  // top to bottom, without trailing blanks
	// Noise is set instead of Lines for a line that no pattern knows.
	Noise string
	// Early is by how much the screen can have come before At: 0 for one that arrived over a line, the time since
	// the last look for one that somebody read.
	Early time.Duration
}

// Display reads the terminal's screen.
type Display interface {
	Instrument
	// Screens is a bounded stream of screen changes in order. It is closed when the line
	// ends; Err then says why.
	Screens() <-chan Screen
	Err() error
}

// Looker is a Display that shows nothing by itself: somebody has to look. Who waits for a screen has it asked again and
// again, and gives it Patience on top of what the terminal may take.
type Looker interface {
	Display
	// Look asks once what the terminal shows; the answer comes over Screens. It returns when it was answered, or with
	// ctx's error when ctx ended before, or with a fault of the instrument.
	Look(ctx context.Context) error
	// Patience is how long one answer may take.
	Patience() time.Duration
}

// Parts are what a Breaker may be able to take out of order.
var Parts = []string{"antenna", "battery", "memory", "paper", "pin-pad", "printer", "sim"}

// Breaker is an instrument that takes parts of the terminal out of order and mends them again: relays in the PIN pad's cable, at
// the paper sensor, at the write-protect pin of the memory, in the leads of the backup battery, the SIM card
// and the antenna. Halt mends all.
type Breaker interface {
	Instrument
	Break(ctx context.Context, part string, broken bool) error
}

// Power switches the terminal's supply.
type Power interface {
	Instrument
	On(ctx context.Context) error
	Off(ctx context.Context) error
}

// Paper is one line of a receipt, or the cut that ends it.
type Paper struct {
	At   time.Time // arrival of the line's first byte
	Text string
	Cut  bool
}

// Printer takes what the terminal prints.
type Printer interface {
	Instrument
	// Paper is a bounded stream of printed lines in order. It is closed when the line
	// ends; Err then says why.
	Paper() <-chan Paper
	Err() error
}

// Error is a fault of the rig. It names the instrument and what it was doing.
type Error struct {
	Instrument string
	Op         string
	Err        error
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s: %v", e.Instrument, e.Op, e.Err) }

// Unwrap gives the driver's own error.
func (e *Error) Unwrap() error { return e.Err }

// Fault wraps err as a fault of the named instrument; nil stays nil, and an *Error stays as it is.
func Fault(instrument, op string, err error) error {
	if err == nil {
		return nil
	}
	if known := (*Error)(nil); errors.As(err, &known) {
		return err
	}
	return &Error{Instrument: instrument, Op: op, Err: err}
}

// ErrClosed is returned by calls on a closed instrument or line.
var ErrClosed = errors.New("closed")

// ErrNoAnswer is returned when an instrument did not answer within its driver's limit.
var ErrNoAnswer = errors.New("no answer")

// ErrLost is returned when the line to an instrument ended: unplugged, or its device is gone.
var ErrLost = errors.New("line lost")
