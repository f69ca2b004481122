package bank

import "github.com/assay-hil/assay/fakes/issuer/client"

// Reasons that this bank gives, of hosts.Reasons.
const (
	approved           = "approved"
	partial            = "partial"
	invalidTransaction = "invalid-transaction"
	invalidAmount      = "invalid-amount"
	unknownCard        = "unknown-card"
	expiredCard        = "expired"
	wrongPIN           = "wrong-pin"
	pinTries           = "pin-tries"
	insufficientFunds  = "insufficient-funds"
	noOriginal         = "no-original"
	amountDiffers      = "amount-differs"
	formatError        = "format-error"
	systemError        = "system-error"
	batchMismatch      = "batch-mismatch"
	macError           = "mac-error"
	pinFormat          = "pin-format"
	badCryptogram      = "bad-cryptogram"
	security           = "security"
)

// Operations, of hosts.OperationNames.
const (
	opPurchase       = "purchase"
	opAuthorisation  = "authorisation"
	opCompletion     = "completion"
	opVoid           = "void"
	opRefund         = "refund"
	opBalance        = "balance"
	opReversal       = "reversal"
	opReversalAdvice = "reversal-advice"
	opAdvice         = "advice"
	opSignOn         = "sign-on"
	opSignOff        = "sign-off"
	opEcho           = "echo"
	opSettlement     = "settlement"
	opUpload         = "batch-upload"
	opBatchEnd       = "batch-end"
	opScript         = "script-result"
	opParameters     = "parameters"
)

// financial says whether an operation is about a card's money: its replies have a retrieval reference.
func financial(operation string) bool {
	switch operation {
	case opPurchase, opAuthorisation, opCompletion, opVoid, opRefund, opBalance, opAdvice:
		return true
	}
	return false
}

// effectOf is the word for what an approved operation did.
func effectOf(operation string) string {
	switch operation {
	case opPurchase, opAdvice:
		return client.EffectCharged
	case opAuthorisation:
		return client.EffectHeld
	case opCompletion:
		return client.EffectCaptured
	case opRefund:
		return client.EffectRefunded
	case opVoid:
		return client.EffectVoided
	}
	return ""
}
