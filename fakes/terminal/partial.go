package terminal

import (
	"context"
	"strconv"

	"github.com/assay-hil/assay/protocol/iso8583"
)

// takePart asks the cashier what to do with an approval of less than was asked for. Accepted, the rest is to be
// paid in another way; refused, the transaction is voided at once.
func (a *app) takePart(ctx context.Context, s *sale, reversal pendingReversal, reply iso8583.Message) error {
	if a.defects.has(defectPartialFull) {
		return nil
	}
	part, err := strconv.ParseInt(reply.Fields[4], 10, 64)
	if err != nil || part <= 0 || part > s.asked {
		a.takeBack(reversal, s.auth, errBadReply)
		return errBadReply
	}
	for {
		a.show(promptPartial, a.money(part))
		key, err := a.waitKey(ctx)
		if err != nil { // nobody decides: the money goes back
			a.takeBack(reversal, s.auth, err)
			return err
		}
		switch key {
		case keyEnter:
			s.amount = part
			return a.notice(ctx, promptPartialRest, a.money(s.asked-part))
		case keyCancel:
			s.amount = part
			return a.refusePart(ctx, s, reversal)
		}
	}
}

// refusePart voids what was approved. Until the host has agreed the reversal stands, and takes it back if
// the void can't be had.
func (a *app) refusePart(ctx context.Context, s *sale, reversal pendingReversal) error {
	if a.defects.has(defectPartialKept) {
		_ = a.memory.dropPending()
		return endCancelled
	}
	a.takeBack(reversal, s.auth, endCancelled)
	row := a.row(s)
	void := &sale{kind: opVoid, amount: s.amount, original: &row, card: card{pan: row.PAN, expiry: row.Expiry}}
	o := a.dialect.operationOf(opVoid, opPurchase)
	if o == nil {
		return endCancelled
	}
	void.stan, void.at, void.mti = a.memory.nextSTAN(), now(), o.Request
	request, err := a.compose(o, void)
	if err != nil {
		return err
	}
	answer, err := a.do(ctx, exchange{operation: o, request: request, dialling: promptVoiding, waiting: promptVoiding})
	if err != nil {
		return err
	}
	if approved, _ := a.dialect.approves(o, answer.Fields[39]); !approved {
		return ending{a.promptForCode(answer.Fields[39])}
	}
	if err := a.memory.dropPending(); err != nil {
		return err
	}
	return endCancelled
}
