package terminal

import "slices"

// Bugs of the reversal.
const (
	defectNoReversal        = "no-reversal-after-timeout"
	defectSavedLate         = "reversal-saved-late"
	defectNotSaved          = "reversal-in-ram"
	defectLostAtBoot        = "reversal-lost-at-boot"
	defectNewSTAN           = "reversal-new-stan"
	defectTriedOnce         = "reversal-tried-once"
	defectDeletedOnReset    = "reversal-deleted-on-reset"
	defectReversalOnRefused = "reversal-on-refused"
	defectReversalTwice     = "reversal-sent-twice"
	defectWrongReason       = "reversal-reason-not-rewritten"
	defectReversalAfter     = "reversal-after-next-sale"
	defectReversalFirst     = "reversal-before-script"
	defectReversal25        = "reversal-25-refused"
	defectDropSilent        = "reversal-drop-silent"
	defectApprovedReversed  = "reversal-of-approved"
)

// reversalDefects are listed with the rule that each breaks.
func reversalDefects() []Defect { return slices.Concat(missingReversals(), wrongReversals()) }

// missingReversals lose a reversal that the host needs, or say nothing of it.
func missingReversals() []Defect {
	return []Defect{
		{
			Name: defectNoReversal, Group: groupReversal,
			What: "the reversal record is deleted when the reply timer runs out: the customer pays, the shop has no sale",
			Rule: "E-03: a request that was sent and not answered is reversed before the next one",
		},
		{
			Name: defectSavedLate, Group: groupReversal,
			What: "the reversal record is saved only when the wait has failed: a power cut in between loses it",
			Rule: "F-01: the reversal is saved before the terminal waits",
			Seen: "terminals that charged twice after brown-outs",
		},
		{
			Name: defectNotSaved, Group: groupReversal,
			What: "the reversal is kept in RAM only: it works until the power goes",
			Rule: "F-01: the reversal survives a power cut",
		},
		{
			Name: defectLostAtBoot, Group: groupReversal,
			What: "booting begins with a clean slate: a pending reversal is deleted",
			Rule: "F-01: after a power cut the reversal goes out before the next sale",
		},
		{
			Name: defectTriedOnce, Group: groupReversal,
			What: "a reversal that is not answered is given up after one try",
			Rule: "E-20, E-22: a reversal is repeated, up to the profile's number of tries",
		},
		{
			Name: defectDeletedOnReset, Group: groupReversal,
			What: "a connection that breaks after the request left counts as one that was never made: no reversal",
			Rule: "E-04: a request that was sent is reversed, however the connection ended",
		},
		{
			Name: defectDropSilent, Group: groupReversal,
			What: "a reversal that is given up leaves no trace in the journal, and the settlement slip does not name it",
			Rule: "E-20: what is dropped is kept for whoever looks into it",
		},
	}
}

// wrongReversals send another than the host needs, or one at the wrong time.
func wrongReversals() []Defect {
	return []Defect{
		{
			Name: defectNewSTAN, Group: groupReversal,
			What: "a reversal takes a trace number of its own: the host knows of no such sale and keeps the charge",
			Rule: "UnionPay 0400: the trace number is that of the original",
		},
		{
			Name: defectReversalOnRefused, Group: groupReversal,
			What: "the reversal is written before dialling: a refused connection leaves one for a sale that was never sent",
			Rule: "E-01: a refused connection writes no reversal",
		},
		{
			Name: defectReversalTwice, Group: groupReversal,
			What: "a reversal that was acknowledged is sent once more",
			Rule: "one reversal for one sale, not one more once it is acknowledged",
		},
		{
			Name: defectWrongReason, Group: groupReversal,
			What: "the reason of a reversal stays 98 (no reply), whatever came: a wrong MAC is never reported",
			Rule: "E-10 to E-18: 98 no reply, A0 wrong MAC, 06 otherwise",
		},
		{
			Name: defectReversalAfter, Group: groupReversal,
			What: "a pending reversal does not go before the next sale, which overwrites it",
			Rule: "the reversal goes before the next request",
		},
		{
			Name: defectReversalFirst, Group: groupReversal,
			What: "the reversal goes before the script result",
			Rule: "E-23: script result, then reversal",
		},
		{
			Name: defectReversal25, Group: groupReversal,
			What: "only 00 ends a reversal: with 25 (no original) the terminal never gets free",
			Rule: "E-21: 25 and 12 end a reversal as 00 does",
		},
		{
			Name: defectApprovedReversed, Group: groupReversal,
			What: "the reversal record of an approved sale is not deleted: the next sale reverses it",
			Rule: "an approved sale leaves no reversal behind",
		},
	}
}
