package kernel

import (
	"fmt"

	"github.com/assay-hil/assay/protocol/emv"
)

// Outcome is what becomes of a transaction, as far as the card is concerned.
type Outcome int

// The outcomes.
const (
	// Ended: the transaction can't go on with this card; Reason says why.
	Ended Outcome = iota
	// Approved: by the card, offline or after the host's answer.
	Approved
	// Declined: by terminal or card.
	Declined
	// Online: the host is to be asked.
	Online
	// Fallback: the chip can't be used, the stripe may be.
	Fallback
	// Again: the card is to be presented once more (contactless).
	Again
	// OtherInterface: the card is to be inserted (contactless).
	OtherInterface
	// Phone: the cardholder is to look at the device and present it once more (contactless).
	Phone
)

func (o Outcome) String() string {
	return word([]string{"ended", "approved", "declined", "online", "fallback", "present again", "other interface", "see phone"}, int(o))
}

// Reason says why.
type Reason int

// The reasons.
const (
	None            Reason = iota
	Mute                   // no answer to reset
	CardError              // no answer, or an answer that no command allows
	BadData                // missing, doubled or malformed data
	Removed                // the card left
	CardBlocked            // SELECT: 6A81
	AppBlocked             // SELECT: 6283, and no other application
	NoApplication          // none in common
	NotAccepted            // no application that may be used so: no confirmation possible, no wallet
	CardRefused            // AAC
	TerminalRefused        // the action codes deny it
	AppExpired             // so, and because of the expiry date
	AppNotEffective        // so, and because of the effective date
	OnExceptionFile        // so, and because of the exception file
	ODAFailed              // so, and because of offline data authentication
	PINTriesOver           // so, and because the PIN is blocked
	OverLimit              // above the contactless limit
	NoVerification         // the cardholder must be verified and can't be
)

func (r Reason) String() string {
	return word([]string{"none", "mute chip", "card error", "bad card data", "card removed", "card blocked", "application blocked",
		"no common application", "not accepted", "card refuses", "terminal refuses", "application expired", "application not yet effective",
		"exception file", "offline data authentication failed", "PIN tries exceeded", "over the contactless limit", "no cardholder verification"}, int(r))
}

func word(words []string, n int) string {
	if n < 0 || n >= len(words) {
		return fmt.Sprintf("(%d)", n)
	}
	return words[n]
}

// Result is what the terminal learns from the kernel. What the card tells is in it: it must not reach disk.
type Result struct {
	Outcome Outcome
	Reason  Reason

	PAN      string // digits
	Expiry   string // YYMM
	Track2   string // of tag 57, as DE35; "" when the card has none
	Sequence string // of tag 5F34, 2 digits; "" when the card has none
	AID      []byte
	Label    string

	// Data are the objects for DE55, with the cryptogram that they belong to. After Complete they are those of the second.
	Data emv.List
	TVR  TVR
	TSI  TSI
	// CVM is 9F34: method, condition, result.
	CVM [3]byte
	// Signature says that the cardholder must sign, OnlinePIN that Dialogue.OnlinePIN was given a PIN.
	Signature, OnlinePIN bool
	// DeviceCVM says that the cardholder was verified on the device (contactless).
	DeviceCVM bool
	// Scripts are the issuer script results (Book 4 annex A5), 5 bytes a script; nil when there was none.
	Scripts []byte
	// Code is the authorisation response code (8A) that the card was told; "" while there is none.
	Code string
}

// Answer is what the host said.
type Answer struct {
	// Code is the authorisation response code, 2 characters; "" when the host could not be asked or did not answer.
	Code string
	// Approved says whether that code approves.
	Approved bool
	// Data are the objects of DE55: 91, 71, 72. Others are ignored.
	Data emv.List
}
