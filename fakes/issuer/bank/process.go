package bank

import (
	"github.com/assay-hil/assay/protocol/iso8583"
)

// outcome is what came of a request, in the words and values of its answer.
type outcome struct {
	reason string
	code   string // instead of the reason's
	effect string
	t      *transaction // the one that was decided on, for its references
	amount int64        // approved, where it is not what was asked for; 0
	change func(*iso8583.Message) error
}

// Process decides by the books and posts. What it checks, in this order; the first that fails is the
// answer:
//
//	format       unreadable, missing fields, fields that contradict each other   format-error
//	MAC          where the message has one                                       mac-error
//	operation    one that the dialect has                                        invalid-transaction
//	repeat       answered as the first time, checked no further                  invalid-transaction, if it was undone
//	terminal     signed on, in its batch, where the policy wants it              batch-mismatch
//	amount       where the operation has one: above zero, within the limit       invalid-amount
//	card         known                                                           unknown-card
//	expiry       the card's own, and not over                                    expired
//	CVV, CVV2    where the card has a verification key                           security
//	PIN          not blocked; a block of the host's format; right                pin-tries, pin-format, wrong-pin
//	cryptogram   where there is chip data                                        bad-cryptogram
//	original     of a void, completion or refund                                 no-original, amount-differs, …
//	funds                                                                        insufficient-funds
func (b *Bank) Process(r Request) Result { return b.ProcessWith(r, Options{}) }

// ProcessWith is Process with an approval as the options say.
func (b *Bank) ProcessWith(r Request, o Options) Result {
	q := &inquiry{Request: r, options: o}
	if reason := b.read(q); reason != "" {
		return b.result(q, outcome{reason: reason})
	}
	b.prove(q)
	if !q.proof.mac {
		return b.result(q, outcome{reason: macError})
	}
	b.misread(q)
	b.contradicts(q)
	return b.result(q, b.decide(q))
}

// decide does what the operation is about.
func (b *Bank) decide(q *inquiry) outcome {
	switch name := q.Operation.Name; name {
	case opSignOn:
		return b.signOn(q)
	case opSignOff:
		return b.signOff(q)
	case opEcho:
		return outcome{reason: approved}
	case opParameters:
		return b.download(q)
	case opSettlement:
		return b.settlement(q)
	case opUpload:
		return b.batchUpload(q)
	case opBatchEnd:
		return b.batchEnd(q)
	case opScript:
		return b.scriptResult(q)
	case opReversal, opReversalAdvice:
		return b.reversal(q)
	}
	return b.transact(q)
}

// Refuse answers with this DE39 and posts nothing, whatever the code says.
func (b *Bank) Refuse(r Request, code string) Result {
	q := &inquiry{Request: r}
	if reason := b.read(q); reason == "" {
		b.prove(q)
	}
	out := outcome{code: code}
	for reason, c := range b.host.Codes {
		if c == code && (out.reason == "" || reason < out.reason) {
			out.reason = reason
		}
	}
	return b.result(q, out)
}
