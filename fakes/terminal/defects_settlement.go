package terminal

// Bugs of settlement, batch upload, void and refund.
const (
	defectTotalsReset       = "totals-reset-on-failure"
	defectBatchTwice        = "batch-sent-twice"
	defectMismatchIgnored   = "mismatch-ignored"
	defectUploadRestarts    = "upload-restarts"
	defectUploadForgotten   = "upload-forgotten"
	defectSettlingForgotten = "settling-forgotten"
	defectAdvicesLate       = "advices-after-settlement"
	defectVoidCounted       = "void-counted"
	defectVoidTwice         = "void-twice"
	defectRefundOver        = "refund-over-limit"
)

// settlementDefects are listed with the rule that each breaks.
func settlementDefects() []Defect {
	return []Defect{
		{
			Name: defectTotalsReset, Group: groupSettlement,
			What: "the journal is emptied when a settlement fails: the batch can never be in balance again",
			Rule: "a batch is closed when the host has taken it, and not before",
		},
		{
			Name: defectBatchTwice, Group: groupSettlement,
			What: "the totals are sent twice: the second settlement is one of an empty batch",
			Rule: "a batch is settled once",
		},
		{
			Name: defectMismatchIgnored, Group: groupSettlement,
			What: "totals that the host says differ are taken for agreed: nothing is uploaded",
			Rule: "F-04: after a mismatch every transaction is uploaded",
		},
		{
			Name: defectUploadRestarts, Group: groupSettlement,
			What: "an interrupted upload begins with the first row again",
			Rule: "F-03: the upload goes on where it was interrupted",
		},
		{
			Name: defectUploadForgotten, Group: groupSettlement,
			What: "an interrupted upload is not taken up again after a power cut",
			Rule: "F-03: the upload goes on where it was interrupted",
		},
		{
			Name: defectSettlingForgotten, Group: groupSettlement,
			What: "a settlement without a verdict is forgotten: a sale goes into a batch that the host may have closed",
			Rule: "F-03: a settlement that was begun is ended before anything else is entered",
		},
		{
			Name: defectAdvicesLate, Group: groupSettlement,
			What: "sales made offline are not told before the totals: the batch differs",
			Rule: "F-07: offline advices go before the settlement",
		},
		{
			Name: defectVoidCounted, Group: groupSettlement,
			What: "a sale that was voided stays in the totals",
			Rule: "totals leave out what was voided",
		},
		{
			Name: defectVoidTwice, Group: groupSettlement,
			What: "a sale can be voided twice",
			Rule: "F-15: a voided sale can not be voided again",
		},
		{
			Name: defectRefundOver, Group: groupSettlement,
			What: "more can be refunded than was paid",
			Rule: "F-17: a refund is at most what is left of the sale",
		},
	}
}
