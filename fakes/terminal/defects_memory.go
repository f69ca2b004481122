package terminal

// Bugs of what must survive a power cut.
const (
	defectTornAccepted     = "torn-record-resets"
	defectFullIgnored      = "journal-full-ignored"
	defectSTANRestarts     = "stan-not-saved"
	defectSTANZero         = "stan-wraps-to-zero"
	defectWriteIgnored     = "write-failure-ignored"
	defectReprintForgotten = "reprint-forgotten"

	defectLogonUnasked        = "logon-unasked"
	defectParametersUnchecked = "parameters-unchecked"
	defectParametersInRAM     = "parameters-in-ram"
)

// memoryDefects are listed with the rule that each breaks.
func memoryDefects() []Defect {
	return []Defect{
		{
			Name: defectTornAccepted, Group: groupMemory,
			What: "a torn record makes the terminal begin with an empty memory, instead of with the record before it: journal and reversal are gone",
			Rule: "a torn record is told by its checksum, and the one before holds",
		},
		{
			Name: defectFullIgnored, Group: groupMemory,
			What: "the full journal is not looked at",
			Rule: "F-06: with a full journal the batch is settled before the next sale",
		},
		{
			Name: defectSTANRestarts, Group: groupMemory,
			What: "after a power cut the trace number counts on from the journal, not from the last one used: numbers come twice",
			Rule: "F-19: a trace number is used once",
		},
		{
			Name: defectSTANZero, Group: groupMemory,
			What: "after 999999 comes 000000",
			Rule: "the trace number goes from 1 to 999999 and around",
		},
		{
			Name: defectWriteIgnored, Group: groupMemory,
			What: "a sale that can not be written to the memory is approved: it is in no settlement",
			Rule: "F-18: what can not be kept is not approved",
		},
		{
			Name: defectReprintForgotten, Group: groupMemory,
			What: "a receipt that a power cut has kept back is not printed when the power is back",
			Rule: "F-02: the receipt of an approved sale is printed after the cut",
		},
		{
			Name: defectLogonUnasked, Group: groupMemory,
			What: "a terminal that has never signed on does so by itself in the middle of a sale: one that was swapped, or has lost its keys, sells and nobody notices",
			Rule: "F-10: a terminal that is not signed on refuses the sale and asks for the sign-on",
		},
		{
			Name: defectParametersUnchecked, Group: groupMemory,
			What: "missing chip parameters are not noticed: no card has an application that the terminal knows, and every chip card falls back to its stripe",
			Rule: "F-12: without its EMV parameters a terminal reads no chip and asks for the download",
			Seen: "a known way to fraud by forced fallback: terminals whose chip side was made useless",
		},
		{
			Name: defectParametersInRAM, Group: groupMemory,
			What: "downloaded parameters are used but not kept: after the next power cut they are missing again",
			Rule: "F-12: what was downloaded is kept",
		},
	}
}
