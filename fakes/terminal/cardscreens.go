package terminal

// The prompts of the card readers, by the ids of the profile.
const (
	promptChooseApplication = "choose-application"
	promptCardRemoved       = "card-removed"
	promptCardDataError     = "card-data-error"
	promptCardBlocked       = "card-blocked"
	promptAppBlocked        = "app-blocked"
	promptAppExpired        = "app-expired"
	promptAppNotEffective   = "app-not-effective"
	promptCardListed        = "card-listed"
	promptCardNotAuthentic  = "card-not-authentic"
	promptCardRefused       = "card-refused"
	promptPINBlocked        = "pin-blocked"
	promptPINAgain          = "pin-again"
	promptPINLast           = "pin-last"
	promptPresentOne        = "present-one"
	promptPresentAgain      = "present-again"
	promptSeePhone          = "see-phone"
	promptInsertCard        = "insert-card"
	promptWalletRefused     = "wallet-refused"
	promptParametersMissing = "parameters-missing"
)

// CardPrompts are those that a terminal with these readers must word.
func CardPrompts(has func(capability string) bool) []string {
	var needed []string
	chip, field := has("chip"), has("contactless")
	if chip || field {
		needed = append(needed, promptCardDataError, promptAppBlocked, promptAppExpired, promptCardListed, promptCardNotAuthentic, promptCardRefused, promptParametersMissing)
	}
	if chip {
		needed = append(needed, promptChooseApplication, promptCardRemoved, promptCardBlocked, promptAppNotEffective, promptPINBlocked)
	}
	if chip && has("pin") {
		needed = append(needed, promptPINAgain, promptPINLast)
	}
	if field {
		needed = append(needed, promptPresentOne, promptPresentAgain, promptSeePhone, promptInsertCard, promptWalletRefused)
	}
	return needed
}
