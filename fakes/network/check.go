package network

import (
	"errors"
	"fmt"

	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/strict"
)

// ErrPlan: a plan cannot be armed as it is. The plan before it stays in force.
var ErrPlan = errors.New("plan")

// check says what is wrong with a plan, everything at once; the error is ErrPlan.
func check(spec client.Plan) error {
	var wrong []error
	if n := len(spec.Faults); n > MaxFaults {
		return fmt.Errorf("%w: %d faults, at most %d", ErrPlan, n, MaxFaults)
	}
	for i, f := range spec.Faults {
		for _, text := range checkFault(f) {
			wrong = append(wrong, fmt.Errorf("%w: fault %d (%.*q): %s", ErrPlan, i+1, maxName, f.ID, text))
		}
		for _, before := range spec.Faults[:i] {
			if text := checkPair(before, f); text != "" {
				wrong = append(wrong, fmt.Errorf("%w: fault %d (%.*q): %s", ErrPlan, i+1, maxName, f.ID, text))
			}
		}
	}
	return errors.Join(wrong...)
}

func checkFault(f client.Fault) (wrong []string) {
	if f.ID == "" || len(f.ID) > maxName {
		wrong = append(wrong, fmt.Sprintf("id: 1 to %d characters are needed", maxName))
	}
	switch f.Kind {
	case "refuse":
		if f.Message != (client.Select{}) {
			wrong = append(wrong, "message: refuse acts on the port, not on a message")
		}
	case "drop", "delay", "reset":
		if !isMTI(f.Message.MTI) {
			wrong = append(wrong, "message.mti: 4 digits are needed")
		}
		if f.Message.Nth < 0 {
			wrong = append(wrong, "message.nth: 1 or more, or 0 for every one")
		}
	default:
		wrong = append(wrong, strict.UnknownMessage("kind", f.Kind, client.Kinds))
	}
	switch {
	case f.Kind == "delay" && (f.By <= 0 || f.By > MaxDelay):
		wrong = append(wrong, fmt.Sprintf("by: more than 0, at most %v", MaxDelay))
	case f.Kind != "delay" && f.By != 0:
		wrong = append(wrong, "by: only delay has it")
	}
	return wrong
}

// checkPair says why f can't stand after another fault: it would never act.
func checkPair(before, f client.Fault) string {
	switch {
	case f.ID == before.ID:
		return "id: used twice"
	case f.Kind == "refuse" && before.Kind == "refuse":
		return "kind: the port can't be refused twice"
	case f.Kind == "refuse" || before.Kind == "refuse" || f.Message.MTI != before.Message.MTI:
		return ""
	case before.Message.Nth == 0 || before.Message.Nth == f.Message.Nth:
		return fmt.Sprintf("message: fault %q takes it first", before.ID)
	}
	return ""
}

// isMTI and isSTAN keep anything but a message's identity out of events.
func isMTI(s string) bool  { return len(s) == 4 && isDigits(s) }
func isSTAN(s string) bool { return len(s) <= 6 && isDigits(s) }

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
