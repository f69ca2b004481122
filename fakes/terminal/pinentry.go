package terminal

import (
	"context"
	"strings"
)

// Lengths of a PIN, ISO 9564-1 §8.1.
const (
	minPIN = 4
	maxPIN = 12
)

// askPIN lets the cardholder type the PIN and returns it as DE52, in hexadecimal. It returns "" on a terminal without PIN entry.
func (a *app) askPIN(ctx context.Context, pan string) (string, error) {
	if !a.profile.Has("pin") {
		return "", nil
	}
	if !a.padWorks() {
		return "", ending{promptPINPadFailed}
	}
	typed, err := a.typePIN(ctx, pinEntry{next: a.waitKey})
	if err != nil {
		return "", err
	}
	return a.sealPIN(typed, pan)
}

// padWorks says whether a PIN can be entered at all.
func (a *app) padWorks() bool { return a.hw.PINPad == nil || a.hw.PINPad() == nil }

// pinEntry says how a PIN is asked for.
type pinEntry struct {
	next   func(ctx context.Context) (string, error) // the next key
	notes  []string                                  // prompts that are shown below
	bypass bool                                      // ENTER at once is an answer: ""
}

// typePIN lets the cardholder type a PIN.
func (a *app) typePIN(ctx context.Context, entry pinEntry) (string, error) {
	notes := make([]string, len(entry.notes))
	for i, id := range entry.notes {
		notes[i], _ = a.profile.Prompt(id, a.lang)
	}
	typed := ""
	for {
		shown := strings.Repeat("*", len(typed))
		if a.defects.has(defectPINOnScreen) {
			shown = typed
		}
		a.show(promptPIN, append(notes, shown)...)
		key, err := entry.next(ctx)
		if err != nil {
			return "", err
		}
		digit, isDigit := a.digit(key)
		switch {
		case key == keyCancel:
			return "", endCancelled
		case key == keyClear:
			typed = ""
		case key == keyEnter && (len(typed) >= minPIN || entry.bypass && typed == ""):
			return typed, nil
		case isDigit && len(typed) < maxPIN:
			typed += digit
		}
	}
}
