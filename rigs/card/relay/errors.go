package relay

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
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

// ErrChipAnswer is the fault when a chip's answer is no response APDU: shorter than SW1 SW2 or
// longer than 256 bytes and SW1 SW2.
var ErrChipAnswer = errors.New("chip's answer is not a response APDU")

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

// PanicError is the fault when a chip panicked. The terminal got 6F00. The panic's own value is left out
// unless it is the runtime's, because it could hold card data.
type PanicError struct {
	Call  string // "ATR", "Reset" or "Transmit"
	Cause string // the runtime's words, or the type of the panic's value
	Where string // function and line
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("chip panicked in %s: %s at %s", e.Call, e.Cause, e.Where)
}

// newPanicError describes a recovered panic. It must be called by the deferred function
// itself, so that the panicking frame is still on the stack.
func newPanicError(call string, value any) *PanicError {
	cause := fmt.Sprintf("%T", value)
	if known, ok := value.(runtime.Error); ok {
		cause = known.Error()
	}
	return &PanicError{Call: call, Cause: cause, Where: panicFrame()}
}

// panicFrame finds the frame that panicked: the first below the runtime's own.
func panicFrame() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs)])
	panicking := false
	for {
		f, more := frames.Next()
		if f.Function == "runtime.gopanic" {
			panicking = true
		} else if panicking && !strings.HasPrefix(f.Function, "runtime.") {
			return fmt.Sprintf("%s:%d", f.Function, f.Line)
		}
		if !more {
			return "unknown place"
		}
	}
}
