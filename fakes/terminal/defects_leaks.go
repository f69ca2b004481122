package terminal

// Bugs that show what nobody may see.
const (
	defectPANOnReceipt = "pan-on-receipt"
	defectPINOnScreen  = "pin-on-screen"
	defectPANOnScreen  = "pan-on-screen"
	defectPANOnDebug   = "pan-on-debug-line"
	defectTrackStored  = "track-stored"
)

// leakDefects are listed with the rule that each breaks.
func leakDefects() []Defect {
	return []Defect{
		{
			Name: defectPANOnReceipt, Group: groupLeaks,
			What: "the receipt shows the whole card number",
			Rule: "PCI DSS 3.4: at most the first six and last four digits are shown",
		},
		{
			Name: defectPINOnScreen, Group: groupLeaks,
			What: "the PIN is shown in clear while it is typed",
			Rule: "ISO 9564-1, 7.2: a PIN is never displayed",
		},
		{
			Name: defectPANOnScreen, Group: groupLeaks,
			What: "the card number is shown whole while the host works",
			Rule: "PCI DSS 3.4: at most the first six and last four digits are shown",
		},
		{
			Name: defectPANOnDebug, Group: groupLeaks,
			What: "the debug line has the whole card number",
			Rule: "PCI DSS 3.4: at most the first six and last four digits are shown",
			Seen: "logs of a debug build that went to the field",
		},
		{
			Name: defectTrackStored, Group: groupLeaks,
			What: "the reversal record keeps track 2, and the reversal sends it",
			Rule: "PCI DSS 3.3: sensitive authentication data is not stored after authorisation",
		},
	}
}
