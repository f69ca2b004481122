package card

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/assay-hil/assay/rigs"
)

const (
	// MaxResponse is the longest short response APDU: 256 bytes and SW1 SW2 (ISO/IEC 7816-4).
	MaxResponse = 258
	// MaxCommand is the longest short command APDU: header, Lc, 255 bytes and Le.
	MaxCommand = 261
)

// ErrAnswer is the fault when a chip's answer is no response APDU: shorter than SW1 SW2 or longer
// than 256 bytes and SW1 SW2.
var ErrAnswer = errors.New("chip's answer is not a response APDU")

// Transmit asks a chip. It gets and gives copies, so that records do not change with its buffers. No
// answer at all is a mute chip and no error. Errors: ErrAnswer, *PanicError.
func Transmit(chip rigs.Chip, command []byte) ([]byte, error) {
	var response []byte
	err := Guard("Transmit", func() { response = slices.Clone(chip.Transmit(slices.Clone(command))) })
	if err != nil {
		return nil, err
	}
	if n := len(response); n == 1 || n > MaxResponse {
		return nil, fmt.Errorf("%d bytes: %w", n, ErrAnswer)
	}
	return response, nil
}

// Guard calls into a chip, which is other people's code, and turns a panic into a *PanicError that
// names the call.
func Guard(name string, call func()) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = newPanicError(name, value)
		}
	}()
	call()
	return nil
}

// PanicError is the fault when a chip panicked. The panic's own value is left out unless it is the
// runtime's, because it could hold card data.
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

// maxFrames is how deep the stack is searched for the frame that panicked.
const maxFrames = 64

// panicFrame finds the frame that panicked: the first below the runtime's own.
func panicFrame() string {
	pcs := make([]uintptr, maxFrames)
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
