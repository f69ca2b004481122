package kernel

import (
	"context"
	"errors"

	"github.com/assay-hil/assay/protocol/emv"
)

// Card is the card that a reader holds. Every call is bounded by its context.
type Card interface {
	// PowerOn resets the card and returns its ATR, or activates it in the field and returns its ATS.
	PowerOn(ctx context.Context) ([]byte, error)
	// Transmit sends a command APDU and returns the answer with SW1 SW2. ErrRemoved (wrapped or not) says that
	// the card is gone; any other error is a card that doesn't answer.
	Transmit(ctx context.Context, capdu []byte) ([]byte, error)
	PowerOff()
}

// ErrRemoved is a Card's error when the card left slot or field.
var ErrRemoved = errors.New("card was removed")

// Dialogue is what the kernel asks of people. Its errors end the transaction and are returned as they are, but for
// ErrPINBypassed and ErrPINPad, which are outcomes of a PIN entry.
type Dialogue interface {
	// Choose lets the cardholder choose one of several applications, or confirm one (a single label). It returns its index.
	Choose(ctx context.Context, labels []string) (int, error)
	// OfflinePIN asks for the PIN that the card checks: 4 to 12 digits.
	OfflinePIN(ctx context.Context, entry PINEntry) (string, error)
	// OnlinePIN asks for the PIN that the host checks; the dialogue keeps it.
	OnlinePIN(ctx context.Context, pan string) error
}

// PINEntry is what the cardholder is to be told.
type PINEntry struct {
	// Wrong says that the PIN before this entry was wrong.
	Wrong bool
	// Last says that the card takes only one more.
	Last bool
}

// How a PIN entry can end without a PIN and without the end of the transaction.
var (
	ErrPINBypassed = errors.New("PIN entry bypassed")
	ErrPINPad      = errors.New("PIN pad does not work")
)

// Status words that packages beside this one have no name for (Book 3 §6.3.5, ISO/IEC 7816-4).
const (
	swSelectUnsupported uint16 = 0x6A81 // SELECT: function not supported, the card is blocked
	swPINBlocked        uint16 = 0x6983
	swPINUnusable       uint16 = 0x6984
	swSeePhone          uint16 = 0x6986 // GET PROCESSING OPTIONS: the cardholder must act on the device (contactless Book C-3)
	swOtherInterface    uint16 = 0x6984 // so: use another interface
	swTriesLeft         uint16 = 0x63C0 // VERIFY: and how many
)

const (
	insVerify               byte = 0x20
	insInternalAuthenticate byte = 0x88
	insGetData              byte = 0xCA
)

// stop ends the work on a card with a result.
type stop struct {
	outcome Outcome
	reason  Reason
}

func (s stop) Error() string { return s.reason.String() }

var (
	stopError    = stop{Fallback, CardError}   // the chip can't be read: the stripe may
	stopData     = stop{Ended, BadData}        // the chip was read, and its data are wrong
	stopRemoved  = stop{Ended, Removed}        //
	stopRefused  = stop{Declined, CardRefused} // AAC
	stopNotFound = stop{Fallback, NoApplication}
)

// command sends one command and splits the answer. Error: the context's, or a stop.
func (s *Session) command(ctx context.Context, cla, ins, p1, p2 byte, data []byte, le int) ([]byte, uint16, error) {
	answer, err := s.card.Transmit(ctx, emv.BuildCommand(cla, ins, p1, p2, data, le))
	if err != nil {
		return nil, 0, lost(ctx, err)
	}
	body, status, err := emv.SplitResponse(answer)
	if err != nil {
		return nil, 0, stopError
	}
	return body, status, nil
}

// lost is what to do about a card that gave no answer.
func lost(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, ErrRemoved):
		return stopRemoved
	}
	return stopError
}

// getData asks for one data object (Book 3 §6.5.7); nil when the card doesn't give it.
func (s *Session) getData(ctx context.Context, tag uint32) ([]byte, error) {
	answer, status, err := s.command(ctx, 0x80, insGetData, byte(tag>>8), byte(tag), nil, 0)
	if err != nil || status != emv.SWOK {
		return nil, err
	}
	objects, err := emv.Read(answer)
	if err != nil || len(objects.List) != 1 || objects.List[0].Tag != tag {
		return nil, nil //nolint:nilerr // an object that can't be read is one that isn't there
	}
	return objects.List[0].Value, nil
}
