package terminal

// Bugs of response codes and of the prompts that belong to them.
const (
	defectWrongPrompt96   = "wrong-prompt-96"
	defectPINCodeShifted  = "prompt-table-shifted"
	defectUnlistedSilent  = "unlisted-code-silent"
	defectTimeoutAsID     = "timeout-as-id-error"
	defectUnknownApproved = "unknown-code-approved"
	defectApprovals00     = "only-00-approves"
	defectPartialFull     = "partial-taken-as-full"
	defectPartialKept     = "partial-refusal-not-voided"
)

// codeDefects are listed with the rule that each breaks.
func codeDefects() []Defect {
	return []Defect{
		{
			Name: defectWrongPrompt96, Group: groupPrompts,
			What: "code 96 (system error) is shown as a customer ID that is too long",
			Rule: "D-96: a system error is called one; the cashier waits, instead of typing the ID again",
			Seen: "the article: system faults that were reported as an unsupported customer ID",
		},
		{
			Name: defectPINCodeShifted, Group: groupPrompts,
			What: "a wrong PIN (55) is shown as missing funds: the table is off by a row",
			Rule: "D-55: the cardholder is told that the PIN is wrong",
		},
		{
			Name: defectUnlistedSilent, Group: groupPrompts,
			What: "a code that the table does not list ends the sale without a word",
			Rule: "D-??: an unknown code is shown as a failed transaction",
		},
		{
			Name: defectTimeoutAsID, Group: groupPrompts,
			What: "a host that does not answer is shown as an unsupported customer ID",
			Rule: "A-08: a loss on the network is called one",
			Seen: "the article: network faults among the causes of the ID message",
		},
		{
			Name: defectUnknownApproved, Group: groupCodes,
			What: "a code that the table does not list falls through to the approval: goods for nothing",
			Rule: "D-??: only the codes that approve approve",
		},
		{
			Name: defectApprovals00, Group: groupCodes,
			What: "11, A2, A4, A5 and A6 are taken for declines: the host has charged, the shop has no sale",
			Rule: "success class: 00, 10, 11, A2, A4, A5 and A6 approve",
			Seen: "hosts that answer A2 while a member bank is offline",
		},
		{
			Name: defectPartialFull, Group: groupCodes,
			What: "an approval of a part is taken for the whole: the receipt shows what was asked for",
			Rule: "F-20: a partial approval is accepted or refused by the cashier, and the receipt shows what was approved",
			Seen: "prepaid cards at terminals without the feature",
		},
		{
			Name: defectPartialKept, Group: groupCodes,
			What: "a partial approval that the cashier refuses is forgotten: the host has charged the part",
			Rule: "F-20: a refused part is voided at once",
		},
	}
}
