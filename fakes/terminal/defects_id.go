package terminal

// Bugs of the customer ID.
const (
	defectLengthUnchecked = "id-length-unchecked"
	defectOffByOne        = "id-off-by-one"
	defectShortAccepted   = "id-short-accepted"
	defectFullWidth       = "id-full-width-digits"
	defectWrongLanguage   = "id-message-language"
	defectErrorSwallowed  = "id-error-swallowed"
	defectStaleID         = "id-of-last-sale"
	defectReentryRestarts = "id-reentry-restarts"
	defectIDTruncated     = "id-truncated"
)

// idDefects are listed with the rule that each breaks.
func idDefects() []Defect {
	return []Defect{
		{
			Name: defectLengthUnchecked, Group: groupID,
			What: "a customer ID of any length is accepted and sent to the host",
			Rule: "A-02 to A-05: an ID that the rule forbids is refused at the keypad, and the host hears nothing of it",
			Seen: "the article's case 2: settlement failed over an ID that was too long",
		},
		{
			Name: defectOffByOne, Group: groupID,
			What: "a customer ID may have one character more than the limit: > where >= was meant",
			Rule: "A-02, A-03, A-06: the limit itself is allowed and nothing beyond it",
			Seen: "the article: IDs that the terminal should have refused at the keypad",
		},
		{
			Name: defectShortAccepted, Group: groupID,
			What: "a customer ID that is too short is accepted: only the empty one is refused",
			Rule: "A-04, A-05: an ID below the least length is refused",
			Seen: "the article's case 1: a phone number where 12 digits are wanted",
		},
		{
			Name: defectFullWidth, Group: groupID,
			What: "a full-width digit counts as a digit, because the check asks Unicode and not the rule",
			Rule: "A-01: only characters of the charset are accepted",
			Seen: "input methods that were left in Chinese mode",
		},
		{
			Name: defectWrongLanguage, Group: groupPrompts,
			What: "what is wrong with an ID is said in the other language than the terminal is set to",
			Rule: "A-01 to A-05: the prompt is worded in the language of the terminal",
			Seen: "messages left out of a translation",
		},
		{
			Name: defectErrorSwallowed, Group: groupID,
			What: "a character that the ID may not have does nothing at all: no message says why",
			Rule: "A-01, A-03: the cashier is told what is wrong with the ID",
		},
		{
			Name: defectStaleID, Group: groupID,
			What: "the entry begins with the customer ID of the sale before: ENTER sends it",
			Rule: "each sale has the customer ID that was typed for it",
			Seen: "fields that are cleared on success of the first screen only",
		},
		{
			Name: defectReentryRestarts, Group: groupID,
			What: "an ID that is refused throws the cashier out of the sale, amount and all",
			Rule: "A-01 to A-05, recovery: the ID is typed again and the sale goes on",
		},
		{
			Name: defectIDTruncated, Group: groupID,
			What: "the host gets the first 8 characters of the customer ID: a buffer of the older product",
			Rule: "the host has the customer ID that was typed",
			Seen: "buffers dimensioned for an older rule",
		},
	}
}
