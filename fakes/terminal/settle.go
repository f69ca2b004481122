package terminal

import (
	"cmp"
	"context"
	"fmt"

	"github.com/assay-hil/assay/protocol/iso8583"
)

// mustSettle says that the journal has no room for another transaction.
func (a *app) mustSettle() bool {
	return a.memory.full() && a.profile.Has("settlement") && !a.defects.has(defectFullIgnored)
}

// settle closes the batch. First the host is told what it does not know yet; then its books are held against
// the journal, and where they differ everything is uploaded. Like sell it always ends with an error.
func (a *app) settle(ctx context.Context) error {
	if err := a.confirmTotals(ctx); err != nil {
		return err
	}
	return a.handIn(ctx)
}

// handIn is settle after the cashier has agreed to it. It also brings a settlement to its end whose verdict never came, before
// anything is entered into the batch: where the host has closed it, a sale would belong to another one there than here.
func (a *app) handIn(ctx context.Context) error {
	if err := a.prepare(ctx); err != nil {
		return err
	}
	if !a.defects.has(defectAdvicesLate) {
		if err := a.sendAdvices(ctx); err != nil {
			return err
		}
	}
	agrees, err := a.compare(ctx)
	if err != nil {
		if a.defects.has(defectTotalsReset) {
			_ = a.memory.closeBatch(nil)
		}
		return err
	}
	if a.defects.has(defectBatchTwice) {
		if _, err := a.compare(ctx); err != nil {
			return err
		}
	}
	if a.defects.has(defectMismatchIgnored) {
		agrees = true
	}
	return a.closeOrUpload(ctx, agrees)
}

// compare sends the totals and gives the host's verdict.
func (a *app) compare(ctx context.Context) (agrees bool, err error) {
	o := a.dialect.operation(opSettlement)
	request, err := a.compose(o, &sale{kind: opSettlement, stan: a.memory.nextSTAN(), at: now()})
	if err != nil {
		return false, err
	}
	x := exchange{operation: o, request: request, dialling: promptConnecting, waiting: promptSettling}
	x.beforeSend = func() error { return a.memory.settling(!a.defects.has(defectSettlingForgotten)) }
	reply, err := a.do(ctx, x)
	if err != nil {
		return false, err
	}
	return a.verdict(reply)
}

// settling notes whether a verdict on the totals is awaited.
func (m *memory) settling(now bool) error {
	return m.save(func(s *state) { s.Settling = now })
}

// verdict reads whether totals agree. Where the response code itself says so, it is the only other one that is
// no failure.
func (a *app) verdict(reply iso8583.Message) (agrees bool, err error) {
	b, code := a.dialect.host.Batch, reply.Fields[39]
	result, _ := a.dialect.codec.Get(reply, a.dialect.result)
	approved, _ := a.dialect.approves(a.dialect.operation(opSettlement), code)
	switch {
	case !approved && !(a.dialect.result.Field() == 39 && code == b.Differ):
		return false, cmp.Or(a.memory.settling(false), a.declined(&sale{code: code}))
	case result == b.Agree:
		return true, nil
	case result == b.Differ:
		return false, nil
	}
	return false, errBadReply
}

// closeOrUpload ends a settlement that the host has given its verdict on.
func (a *app) closeOrUpload(ctx context.Context, agrees bool) error {
	if agrees {
		if end := a.dialect.operationOf(opBatchEnd, "", "60.function=207"); end != nil {
			if err := a.startUpload(agrees); err != nil {
				return err
			}
			return a.uploadBatch(ctx)
		}
		return a.settled(ctx, true)
	}
	if a.dialect.operation(opBatchUpload) == nil {
		return cmp.Or(a.memory.settling(false), error(ending{promptSettleMismatch}))
	}
	if err := a.startUpload(agrees); err != nil {
		return err
	}
	return a.uploadBatch(ctx)
}

// settled closes the batch and prints the slip.
func (a *app) settled(ctx context.Context, agrees bool) error {
	if err := a.memory.closeBatch(a.newSlip(a.settlementSlip(now(), agrees))); err != nil {
		return err
	}
	prompt := promptSettled
	if !agrees {
		prompt = promptSettleMismatch
	}
	a.show(prompt)
	if err := a.printSlip(ctx); err != nil {
		return err
	}
	return ending{prompt}
}

// confirmTotals shows what would be settled and waits for ENTER.
func (a *app) confirmTotals(ctx context.Context) error {
	t := a.memory.totals()
	for {
		a.show(promptSettleConfirm, line(a.words.count, fmt.Sprint(t.debitCount+t.creditCount)), line(a.words.total, a.money(t.debitAmount-t.creditAmount)))
		key, err := a.waitKey(ctx)
		switch {
		case err != nil:
			return err
		case key == keyCancel:
			return endQuietly
		case key == keyEnter:
			return nil
		}
	}
}
