package terminal

// Bugs of keys, screens and receipts.
const (
	defectKeysLost      = "keys-lost"
	defectKeysDoubled   = "keys-doubled"
	defectNotIdle       = "not-back-to-idle"
	defectScreenFrozen  = "screen-frozen"
	defectFlash         = "result-flashes"
	defectAboutStays    = "about-stays"
	defectTypedAhead    = "typed-ahead"
	defectCancelIgnored = "cancel-ignored"
	defectClearIgnored  = "clear-ignored"
	defectReceiptEarly  = "receipt-before-reply"
	defectReceiptAmount = "receipt-wrong-amount"
	defectCopyUnmarked  = "copy-unmarked"
)

// interfaceDefects are listed with the rule that each breaks.
func interfaceDefects() []Defect {
	return []Defect{
		{
			Name: defectKeysLost, Group: groupInterface,
			What: "the same key pressed again within a second is taken for bouncing: 11.00 becomes 1.00",
			Rule: "each press counts once",
		},
		{
			Name: defectKeysDoubled, Group: groupInterface,
			What: "every eighth key of an entry counts twice: the ring buffer is read wrong where it wraps",
			Rule: "each press counts once",
		},
		{
			Name: defectNotIdle, Group: groupInterface,
			What: "a failed transaction stays on the screen until a key is pressed",
			Rule: "every result gives way to the idle screen by itself",
		},
		{
			Name: defectScreenFrozen, Group: groupInterface,
			What: "a screen whose first row is the same is not drawn again: what is typed does not appear",
			Rule: "what is typed is shown",
		},
		{
			Name: defectAboutStays, Group: groupInterface,
			What: "only ENTER leads back from what the terminal says of itself, CANCEL does nothing",
			Rule: "any key ends a screen that nobody has to answer",
		},
		{
			Name: defectFlash, Group: groupInterface,
			What: "a result stands for a twentieth of its time: nobody can read it",
			Rule: "every result stands long enough to be read",
		},
		{
			Name: defectTypedAhead, Group: groupInterface,
			What: "keys pressed while the terminal was busy begin the next sale",
			Rule: "keys that nobody asked for are lost",
		},
		{
			Name: defectCancelIgnored, Group: groupInterface,
			What: "CANCEL does nothing while an amount is typed",
			Rule: "CANCEL leaves an entry",
		},
		{
			Name: defectClearIgnored, Group: groupInterface,
			What: "CLEAR does nothing while an amount is typed",
			Rule: "CLEAR empties an entry",
		},
		{
			Name: defectReceiptEarly, Group: groupReceipt,
			What: "the receipt is printed when the request leaves",
			Rule: "nothing says approved before the host has",
		},
		{
			Name: defectReceiptAmount, Group: groupReceipt,
			What: "the last digit of the amount is 0 on the receipt",
			Rule: "the receipt has the amount that was charged",
		},
		{
			Name: defectCopyUnmarked, Group: groupReceipt,
			What: "a reprint can not be told from the receipt",
			Rule: "F-02: a reprint says that it is one",
		},
	}
}
