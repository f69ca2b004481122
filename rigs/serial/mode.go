package serial

import (
	"errors"
	"fmt"
)

// DefaultBaud is used where a Mode sets none. USB devices ignore the rate.
const DefaultBaud = 115200

// Mode is how a line is set; always 8 data bits, no parity, one stop bit, no flow control.
type Mode struct {
	Baud int // bits per second; 0 = DefaultBaud
}

// ErrInUse is returned by Open when the device is locked by another Line; the error names the
// process that holds it.
var ErrInUse = errors.New("device in use")

func openError(path string, err error) error {
	return fmt.Errorf("serial %s: open: %w", path, err)
}
