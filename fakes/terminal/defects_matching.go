package terminal

// Bugs of telling a reply from somebody else's, of its MAC, and of keys.
const (
	defectReplyUnchecked    = "reply-unchecked"
	defectSTANOnly          = "match-stan-only"
	defectAmountUnchecked   = "amount-not-compared"
	defectTerminalUnchecked = "terminal-not-compared"
	defectLateAccepted      = "late-reply-accepted"
	defectMTIUnchecked      = "mti-not-compared"
	defectCodeMissing       = "no-code-approves"
	defectMACUnchecked      = "mac-unchecked"
	defectMACOnDecline      = "mac-checked-on-decline"
	defectKCVUnchecked      = "kcv-unchecked"
	defectHeaderIgnored     = "re-sign-on-ignored"
	defectPasswordIgnored   = "operator-password-ignored"
)

// matchingDefects are listed with the rule that each breaks.
func matchingDefects() []Defect {
	return []Defect{
		{
			Name: defectReplyUnchecked, Group: groupMatching,
			What: "a reply is not compared with its request: somebody else's approval approves this sale",
			Rule: "E-10 to E-15: a reply matches in MTI, processing code, amount, STAN, terminal and merchant",
		},
		{
			Name: defectSTANOnly, Group: groupMatching,
			What: "only MTI and trace number of a reply are compared: another terminal counts them too",
			Rule: "E-12 to E-15: processing code, amount, terminal and merchant match",
			Seen: "hosts that mix up terminals behind one concentrator",
		},
		{
			Name: defectAmountUnchecked, Group: groupMatching,
			What: "the amount of a reply is not compared: 0.01 approves 12.50",
			Rule: "E-15: the amount matches",
		},
		{
			Name: defectTerminalUnchecked, Group: groupMatching,
			What: "the terminal number of a reply is not compared",
			Rule: "E-13: the terminal matches",
		},
		{
			Name: defectLateAccepted, Group: groupMatching,
			What: "the trace number of a reply is not compared: a late reply approves the next sale of the same amount",
			Rule: "E-09, E-10: the answer to another sale is refused",
		},
		{
			Name: defectMTIUnchecked, Group: groupMatching,
			What: "the message type of a reply is not compared: the answer to a reversal approves a sale",
			Rule: "E-11: the message type matches",
		},
		{
			Name: defectCodeMissing, Group: groupMatching,
			What: "a reply without a response code counts as approved: the field is 00 until it is read",
			Rule: "E-18: a reply without a code is no approval",
		},
		{
			Name: defectMACUnchecked, Group: groupSecurity,
			What: "the MAC of an approval is not verified",
			Rule: "E-16: an approval with a wrong MAC is refused and reversed",
		},
		{
			Name: defectMACOnDecline, Group: groupSecurity,
			What: "the MAC of a decline is verified too: where hosts leave it out the decline becomes a reversal",
			Rule: "E-17: the MAC is looked at in approvals only",
		},
		{
			Name: defectKCVUnchecked, Group: groupSecurity,
			What: "check values of downloaded keys are not compared: the terminal works on with keys that nobody has",
			Rule: "F-11: a key whose check value differs is refused",
		},
		{
			Name: defectHeaderIgnored, Group: groupSecurity,
			What: "the processing request in the header of a reply is not looked at",
			Rule: "F-09: digit 3 makes the terminal sign on after the transaction",
		},
		{
			Name: defectPasswordIgnored, Group: groupSecurity,
			What: "any operator password will do",
			Rule: "void and refund need the operator's password",
		},
	}
}
