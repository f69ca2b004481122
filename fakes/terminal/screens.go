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
	promptDialTimeout      = "connect-timeout"
	promptNoSIM            = "no-sim"
	promptNoSignal         = "weak-signal"
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

	promptReceiveError    = "receive-error"
	promptReplyMTI        = "reply-mti"
	promptReplyProcessing = "reply-processing-code"
	promptReplyTrace      = "reply-trace"
	promptReplyTerminal   = "reply-terminal"
	promptReplyMerchant   = "reply-merchant"
	promptReplyAmount     = "reply-amount"
	promptReplyMAC        = "reply-mac"
	promptKeyError        = "key-error"
	promptLogonRequired   = "logon-required"
	promptSignedOn        = "signed-on"
	promptDownloading     = "downloading"
	promptDownloaded      = "downloaded"
	promptScriptResult    = "script-result"
	promptSendingOffline  = "sending-offline"
	promptPartial         = "partial-approval"
	promptPartialRest     = "partial-rest"
	promptVoiding         = "voiding"
	promptTrace           = "trace-number"
	promptNoOriginal      = "no-original"
	promptAlreadyVoided   = "already-voided"
	promptRefundLimit     = "refund-limit"
	promptConfirm         = "confirm"
	promptPassword        = "operator-password"
	promptPasswordWrong   = "password-wrong"
	promptBalance         = "balance"
	promptEcho            = "echo"
	promptEchoAnswered    = "echo-answered"
	promptAbout           = "about"
	promptJournalFull     = "journal-full"
	promptUploading       = "uploading"
	promptUploadResumed   = "upload-resumed"
	promptPaperOut        = "paper-out"
	promptPrinterFault    = "printer-fault"
	promptReprinting      = "reprinting"
	promptNoReceipt       = "no-receipt"
	promptFileError       = "file-error"
	promptMemoryError     = "memory-error"
	promptPINPadFailed    = "pin-pad-failed"
)

// always are the prompts that every terminal needs.
func always() []string {
	return []string{
		promptBoot, promptSigningOn, promptIdle, promptAmount,
		promptCard, promptConnecting, promptProcessing, promptReversing,
		promptReversalFailed, promptApproved, promptCommFailed, promptDialTimeout, promptCommTimeout,
		promptCommError, promptReplyInvalid, promptCancelled, promptTimedOut, promptMenu,
		promptReceiveError, promptReplyMTI, promptReplyProcessing, promptReplyTrace, promptReplyTerminal,
		promptReplyMerchant, promptReplyAmount, promptReplyMAC, promptKeyError, promptLogonRequired, promptSignedOn,
		promptDownloading, promptDownloaded, promptScriptResult, promptSendingOffline, promptPartial,
		promptPartialRest, promptVoiding, promptTrace, promptNoOriginal, promptAlreadyVoided, promptRefundLimit,
		promptConfirm, promptPassword, promptPasswordWrong, promptBalance, promptEcho, promptEchoAnswered,
		promptAbout, promptJournalFull, promptFileError, promptMemoryError,
	}
}

// byCapability are those that only a terminal with a capability needs.
func byCapability() map[string][]string {
	return map[string][]string{
		"customer-id": {promptCustomerID, promptCustomerIDFormat, promptCustomerIDLength, promptCustomerIDEmpty},
		"stripe":      {promptCardReadError},
		"chip":        {promptUseChip, promptCardChipError, promptCardUnsupported, promptCardDeclined, promptRemoveCard},
		"pin":         {promptPIN, promptPINPadFailed},
		"settlement": {promptSettleConfirm, promptSettling, promptSettled, promptSettleMismatch, promptUploading,
			promptUploadResumed},
		"modem":   {promptNoSIM, promptNoSignal},
		"printer": {promptPaperOut, promptPrinterFault, promptReprinting, promptNoReceipt},
	}
}

// Needed lists the prompt ids that a terminal with every capability must word in its language, sorted. The
// prompts named by Profile.Codes come on top.
func Needed() []string {
	needed := always()
	for _, ids := range byCapability() {
		needed = append(needed, ids...)
	}
	slices.Sort(needed)
	return needed
}

// ErrPrompt is returned by New when the profile lacks prompts; the message names them.
var ErrPrompt = errors.New("profile lacks prompts")

func checkPrompts(p *terminals.Profile, lang string) error {
	needed := append(always(), CardPrompts(p.Has)...)
	for capability, ids := range byCapability() {
		if p.Has(capability) || capability == "customer-id" && p.CustomerID != nil {
			needed = append(needed, ids...)
		}
	}
	if p.Has("tls") {
		needed = append(needed, promptCertificate)
	}
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
	codes := t.dialect.host.Codes
	switch {
	case code == codes["system-error"] && t.defects.has(defectWrongPrompt96):
		return promptCustomerIDLength
	case code == codes["wrong-pin"] && t.defects.has(defectPINCodeShifted):
		return t.profile.PromptForCode(codes["insufficient-funds"])
	}
	_, listed := t.profile.Codes[code]
	if !listed && t.defects.has(defectUnlistedSilent) {
		return ""
	}
	return t.profile.PromptForCode(code)
}

// show replaces the screen: the prompt, then a row for each datum that is not empty. A screen
// that is already there is not drawn again.
func (a *app) show(prompt string, data ...string) {
	text, _ := a.profile.Prompt(prompt, a.langOf(prompt))
	rows := strings.Split(text, "\n")
	for _, datum := range data {
		if datum != "" {
			rows = append(rows, datum)
		}
	}
	if slices.Equal(rows, a.shown) || a.frozen(rows) {
		return
	}
	a.shown = rows
	a.hw.Display.Show(slices.Clone(rows))
}

// langOf is the terminal's language.
func (a *app) langOf(prompt string) string {
	if a.defects.has(defectWrongLanguage) && strings.HasPrefix(prompt, promptCustomerID+"-") {
		for _, other := range a.profile.Languages {
			if other != a.lang {
				return other
			}
		}
	}
	return a.lang
}

// frozen is a defect: a screen is drawn again only when its first row has changed.
func (a *app) frozen(rows []string) bool {
	return a.defects.has(defectScreenFrozen) && len(a.shown) > 0 && rows[0] == a.shown[0]
}

// notice shows a screen for Timers.ResultDwell. Any key cuts it short and is lost, and so is
// every key pressed before: nobody can answer a screen that is not there yet.
func (a *app) notice(ctx context.Context, prompt string, data ...string) error {
	a.drainKeys()
	a.show(prompt, data...)
	stands := a.profile.Timers.ResultDwell
	if a.defects.has(defectFlash) {
		stands /= 20
	}
	dwell := time.NewTimer(stands)
	defer dwell.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-a.hw.Keys:
	case <-dwell.C:
	}
	return nil
}
