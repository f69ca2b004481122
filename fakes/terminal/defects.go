package terminal

import (
	"slices"

	"github.com/assay-hil/assay/fixtures/strict"
)

// The defects that can be planted. Each acts in exactly one place of the application.
const (
	defectNoReversal      = "no-reversal-after-timeout"
	defectLengthUnchecked = "id-length-unchecked"
	defectWrongPrompt96   = "wrong-prompt-96"
	defectSavedLate       = "reversal-saved-late"
	defectReplyUnchecked  = "reply-unchecked"
	defectPANOnReceipt    = "pan-on-receipt"
	defectPINOnScreen     = "pin-on-screen"
)

// Defects lists the names of the defects that can be planted with Config.Defects, sorted.
func Defects() []string {
	return []string{
		defectLengthUnchecked,
		defectNoReversal,
		defectPANOnReceipt,
		defectPINOnScreen,
		defectReplyUnchecked,
		defectSavedLate,
		defectWrongPrompt96,
	}
}

// DescribeDefect says in one line what a defect does; "" for an unknown name.
func DescribeDefect(name string) string {
	switch name {
	case defectNoReversal:
		return "the reversal record is deleted when the reply timer runs out: the customer pays, the shop has no sale"
	case defectLengthUnchecked:
		return "a customer ID of any length is accepted and sent to the host"
	case defectWrongPrompt96:
		return "code 96 (system error) is shown as a customer ID that is too long"
	case defectSavedLate:
		return "the reversal record is saved only when the wait has failed: a power cut in between loses it"
	case defectReplyUnchecked:
		return "a reply is not compared with its request: somebody else's approval approves this sale"
	case defectPINOnScreen:
		return "the PIN is shown in clear while it is typed"
	case defectPANOnReceipt:
		return "the receipt shows the whole card number"
	}
	return ""
}

// UnknownDefectError is returned by New for a defect that it does not know. Its message names
// the nearest that it does.
type UnknownDefectError struct{ Name string }

func (e *UnknownDefectError) Error() string {
	return strict.UnknownMessage("defect", e.Name, Defects())
}

// plant checks the names and makes them a set.
func plant(names []string) (map[string]bool, error) {
	planted := make(map[string]bool, len(names))
	for _, name := range names {
		if !slices.Contains(Defects(), name) {
			return nil, &UnknownDefectError{Name: name}
		}
		planted[name] = true
	}
	return planted, nil
}
