package terminal

import (
	"context"

	"fmt"
	"slices"
)

// askTrace lets the cashier type the trace number of a transaction in this batch and finds it.
func (a *app) askTrace(ctx context.Context, kinds ...string) (*journalRow, error) {
	typed, err := a.askDigits(ctx, promptTrace, 6, func(s string) string { return s })
	if err != nil {
		return nil, err
	}
	row := a.memory.find(fmt.Sprintf("%06s", typed))
	switch {
	case row == nil, !slices.Contains(kinds, row.Kind):
		return nil, ending{promptNoOriginal}
	case row.Void && !a.defects.has(defectVoidTwice):
		return nil, ending{promptAlreadyVoided}
	}
	return row, nil
}

// askDigits lets the cashier type a number of at most so many digits. shown makes of it what stands on the screen.
func (a *app) askDigits(ctx context.Context, prompt string, most int, shown func(string) string) (string, error) {
	typed := ""
	for {
		a.show(prompt, shown(typed))
		key, err := a.waitKey(ctx)
		if err != nil {
			return "", err
		}
		digit, isDigit := a.digit(key)
		switch {
		case key == keyCancel:
			return "", endQuietly
		case key == keyClear:
			typed = ""
		case key == keyEnter && typed != "":
			return typed, nil
		case isDigit && len(typed) < most:
			typed += digit
		}
	}
}

// voidSale takes back a transaction of the open batch: the operator's password, its trace number, and ENTER when the amount
// is shown.
func (a *app) voidSale(ctx context.Context) error {
	if err := a.askPassword(ctx); err != nil {
		return err
	}
	row, err := a.askTrace(ctx, opPurchase, opCompletion, opAuthorisation)
	if err != nil {
		return err
	}
	if err := a.confirmAmount(ctx, row.Amount); err != nil {
		return err
	}
	o := a.dialect.operationOf(opVoid, row.Kind)
	s := &sale{kind: opVoid, amount: row.Amount, original: row, card: card{pan: row.PAN, expiry: row.Expiry}}
	if row.Offline { // the host does not know it yet: nothing is to be sent
		return a.voidOffline(ctx, row)
	}
	if err := a.online(ctx, o, s); err != nil {
		return err
	}
	return a.finish(ctx, s)
}

// voidOffline takes back a sale that the host was not told of, and never will be.
func (a *app) voidOffline(ctx context.Context, row *journalRow) error {
	s := &sale{kind: opVoid, amount: row.Amount, original: row, stan: row.STAN, at: now(), card: card{pan: row.PAN}}
	err := a.memory.amend(row.STAN, func(r *journalRow) { r.Void = true }, func(st *state) {
		st.Advices = slices.DeleteFunc(slices.Clone(st.Advices), func(m message) bool { return m.Fields[11] == row.STAN })
		st.Slip = a.newSlip(a.saleReceipt(s))
	})
	if err != nil {
		return err
	}
	return a.finish(ctx, s)
}

// keepVoid marks the transaction that was voided. The void itself is no part of the totals.
func (a *app) keepVoid(s *sale) error {
	return a.memory.amend(s.original.STAN, func(row *journalRow) { row.Void = !a.defects.has(defectVoidCounted) }, func(st *state) {
		st.Pending, st.Slip = nil, a.newSlip(a.saleReceipt(s))
	})
}

// confirmAmount shows an amount and waits for ENTER.
func (a *app) confirmAmount(ctx context.Context, amount int64) error {
	for {
		a.show(promptConfirm, a.money(amount))
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
