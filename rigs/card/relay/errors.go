package relay

import (
	"errors"
	"fmt"
	"strings"

	cards "github.com/assay-hil/assay/rigs/card"
)

// ErrReply is returned for a reply whose arguments are not those of PROTOCOL.md §2.
var ErrReply = errors.New("reply is not as the protocol says")

// ErrRestarted is returned by Probe when the emulator lost a card that was put in: it
// restarted by itself (PROTOCOL.md §5). Probe has then greeted it anew; it is empty and usable.
var ErrRestarted = errors.New("emulator lost its card: it restarted")

// ErrEventsLost is the fault when the emulator says that it dropped events (LOST).
var ErrEventsLost = errors.New("emulator dropped events")

// ErrNoCard is the fault when the terminal commanded a card although none is put in.
var ErrNoCard = errors.New("command for a card that is not there")

// ErrStale is the fault when the emulator called an answer stale although the terminal had not reset
// or left the card: the emulator gave a command up too early, or lost it.
var ErrStale = errors.New("emulator called an answer stale that the terminal still waited for")

// ErrHeld is returned when the emulator confirmed that it let a card go and has it still.
var ErrHeld = errors.New("emulator confirmed that the card is out and still holds it")

// ErrChipAnswer is the fault when a chip's answer is no response APDU: shorter than SW1 SW2 or
// longer than 256 bytes and SW1 SW2.
var ErrChipAnswer = cards.ErrAnswer

// ReplyError is the emulator's refusal of a request.
type ReplyError struct {
	// Code is VERB, ARGS, CAP, STATE or STALE, PROTOCOL.md §2.
	Code string
}

func (e *ReplyError) Error() string { return "emulator refused: " + e.Code }

// VersionError is returned by Open for an emulator that speaks something else.
type VersionError struct {
	// Got is what it said instead of "relay 1".
	Got string
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("emulator speaks %q, want %q", e.Got, protocolName+" "+protocolVersion)
}

// CapabilityError is returned when the emulator lacks an interface. Nothing was sent.
type CapabilityError struct {
	Need string   // "stripe", "chip" or "field"
	Have []string // what the emulator said in reply to HELLO
}

func (e *CapabilityError) Error() string {
	return fmt.Sprintf("emulator has no %s interface; it has: %s", e.Need, strings.Join(e.Have, ", "))
}

// PanicError is the fault when a chip panicked. The terminal got 6F00.
type PanicError = cards.PanicError
