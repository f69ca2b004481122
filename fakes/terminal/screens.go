package terminal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-hil/assay/fixtures/terminals"
)

// The prompts that the application shows, by the ids of the profile.
const (
	promptBoot             = "boot"
	promptSigningOn        = "signing-on"
	promptIdle             = "idle"
	promptAmount           = "amount"
	promptCustomerID       = "customer-id"
	promptCustomerIDFormat = "customer-id-format"
	promptCustomerIDLength = "customer-id-length"
	promptCustomerIDEmpty  = "customer-id-empty"
	promptCard             = "card"
	promptCardReadError    = "card-read-error"
	promptUseChip          = "use-chip"
	promptCardChipError    = "card-chip-error"
	promptCardUnsupported  = "card-unsupported"
	promptCardDeclined     = "card-declined"
	promptPIN              = "pin"
	promptConnecting       = "connecting"
	promptProcessing       = "processing"
	promptReversing        = "reversing"
	promptReversalFailed   = "reversal-failed"
	promptApproved         = "approved"
	promptRemoveCard       = "remove-card"
	promptCommFailed       = "comm-failed"
	promptCommTimeout      = "comm-timeout"
	promptCommError        = "comm-error"
	promptReplyInvalid     = "reply-invalid"
	promptCancelled        = "cancelled"
	promptTimedOut         = "timed-out"
	promptMenu             = "menu"
	promptSettleConfirm    = "settle-confirm"
	promptSettling         = "settling"
	promptSettled          = "settled"
	promptSettleMismatch   = "settle-mismatch"
)

// Needed lists the prompt ids that every profile must word in the terminal's language. The
// prompts named by Profile.Codes come on top.
func Needed() []string {
	return []string{
		promptBoot, promptSigningOn, promptIdle, promptAmount,
		promptCustomerID, promptCustomerIDFormat, promptCustomerIDLength, promptCustomerIDEmpty,
		promptCard, promptCardReadError, promptUseChip, promptCardChipError, promptCardUnsupported,
		promptCardDeclined, promptPIN, promptConnecting, promptProcessing, promptReversing,
		promptReversalFailed, promptApproved, promptRemoveCard, promptCommFailed, promptCommTimeout,
		promptCommError, promptReplyInvalid, promptCancelled, promptTimedOut, promptMenu,
		promptSettleConfirm, promptSettling, promptSettled, promptSettleMismatch,
	}
}

// ErrPrompt is returned by New when the profile lacks prompts; the message names them.
var ErrPrompt = errors.New("profile lacks prompts")

func checkPrompts(p *terminals.Profile, lang string) error {
	needed := Needed()
	for _, id := range p.Codes {
		needed = append(needed, id)
	}
	slices.Sort(needed)
	var missing []string
	for _, id := range slices.Compact(needed) {
		if _, ok := p.Prompt(id, lang); !ok {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w: profile %q has no wording in %q for %s", ErrPrompt, p.ID, lang, strings.Join(missing, ", "))
	}
	if _, ok := p.Codes["default"]; !ok {
		return fmt.Errorf("%w: profile %q names none for response codes that it does not list (codes: default)", ErrPrompt, p.ID)
	}
	return nil
}

// promptForCode is what the terminal shows for a DE39 that is no approval.
func (t *Terminal) promptForCode(code string) string {
	if code == "96" && t.defects[defectWrongPrompt96] {
		return promptCustomerIDLength
	}
	return t.profile.PromptForCode(code)
}

// show replaces the screen: the prompt, then a row for each datum that is not empty. A screen
// that is already there is not drawn again.
func (a *app) show(prompt string, data ...string) {
	text, _ := a.profile.Prompt(prompt, a.lang)
	rows := strings.Split(text, "\n")
	for _, datum := range data {
		if datum != "" {
			rows = append(rows, datum)
		}
	}
	if slices.Equal(rows, a.shown) {
		return
	}
	a.shown = rows
	a.hw.Display.Show(slices.Clone(rows))
}

// notice shows a screen for Timers.ResultDwell. Any key cuts it short and is lost, and so is
// every key pressed before: nobody can answer a screen that is not there yet.
func (a *app) notice(ctx context.Context, prompt string) error {
	a.drainKeys()
	a.show(prompt)
	dwell := time.NewTimer(a.profile.Timers.ResultDwell)
	defer dwell.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-a.hw.Keys:
	case <-dwell.C:
	}
	return nil
}
