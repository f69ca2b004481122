package terminal

import "context"

// refund gives money back for a purchase of this terminal's: its trace number, then an amount, at most what is left of it.
func (a *app) refund(ctx context.Context) error {
	if err := a.askPassword(ctx); err != nil {
		return err
	}
	row, err := a.askTrace(ctx, opPurchase, opCompletion)
	if err != nil {
		return err
	}
	amount, err := a.askAmount(ctx, "")
	if err != nil {
		return err
	}
	if amount > row.Amount-row.Refunded && !a.defects.has(defectRefundOver) {
		return ending{promptRefundLimit}
	}
	if row.Offline {
		return ending{promptNoOriginal} // not before the host knows it
	}
	s := &sale{kind: opRefund, amount: amount, original: row, card: card{pan: row.PAN, expiry: row.Expiry}}
	if err := a.online(ctx, a.dialect.operation(opRefund), s); err != nil {
		return err
	}
	return a.finish(ctx, s)
}
