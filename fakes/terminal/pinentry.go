package terminal

import (
	"context"
	"fmt"
	"strings"

	"github.com/assay-hil/assay/protocol/pin"
)

// Lengths of a PIN, ISO 9564-1 §8.1.
const (
	minPIN = 4
	maxPIN = 12
)

// askPIN lets the cardholder type the PIN and returns it as DE52: an ISO 9564 format 0 block under the PIN key,
// in hexadecimal. It returns "" on a terminal without PIN entry.
func (a *app) askPIN(ctx context.Context, pan string) (string, error) {
	if !a.profile.Has("pin") {
		return "", nil
	}
	typed := ""
	for {
		shown := strings.Repeat("*", len(typed))
		if a.defects[defectPINOnScreen] {
			shown = typed
		}
		a.show(promptPIN, shown)
		key, err := a.waitKey(ctx)
		if err != nil {
			return "", err
		}
		digit, isDigit := a.digit(key)
		switch {
		case key == keyCancel:
			return "", endCancelled
		case key == keyClear:
			typed = ""
		case key == keyEnter && len(typed) >= minPIN:
			return a.sealPIN(typed, pan)
		case isDigit && len(typed) < maxPIN:
			typed += digit
		}
	}
}

func (a *app) sealPIN(digits, pan string) (string, error) {
	clear, err := pin.EncodeISO0(digits, pan)
	if err != nil {
		return "", fmt.Errorf("PIN block: %w", err)
	}
	sealed, err := pin.Encrypt(a.pinKey, clear)
	if err != nil {
		return "", fmt.Errorf("PIN block: %w", err)
	}
	return fmt.Sprintf("%X", sealed), nil
}
