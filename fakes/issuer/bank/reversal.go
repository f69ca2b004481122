package bank

import (
	"errors"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fakes/issuer/ledger"
)

// reversal takes a transaction back. It may come any number of times, and before its original; the first one
// counts and all are answered the same.
func (b *Bank) reversal(q *inquiry) outcome {
	b.mu.Lock()
	defer b.mu.Unlock()
	t, identity := b.reversed(q)
	if t == nil {
		return b.bury(q, identity)
	}
	if !b.fits(q, t) {
		return outcome{reason: formatError}
	}
	differs := 0
	switch {
	case q.pan != "" && (t.card != q.Card || t.pan != "" && t.pan != q.pan):
		differs = fieldPAN
	case q.amount >= 0 && q.amount != t.asked && q.amount != t.amount:
		differs = fieldAmount
	case q.currency != "" && q.currency != t.currency:
		differs = fieldCurrency
	}
	if differs != 0 {
		q.fault("field %d differs from the original's", differs)
		return outcome{reason: invalidTransaction, t: t}
	}
	q.unrepeated(t)
	return b.undo(q, t)
}

// reversed finds the transaction that a reversal is about: the one with the same identity, or else the one
// whose identity it names. Without one it gives the identity that it would have.
func (b *Bank) reversed(q *inquiry) (*transaction, string) {
	sent := q.f[fieldRRN]
	if t := b.known.identified(q.identity, sent); t != nil {
		return t, q.identity
	}
	named := b.identityOf(q.Message, q.named)
	return b.known.identified(named, sent), named
}

// fits says whether a reversal's original data elements name the transaction that it was found by.
func (b *Bank) fits(q *inquiry, t *transaction) bool {
	if mti := q.named["mti"]; mti != "" && mti != t.memo.MTI {
		q.fault("its original data name an %.4q, the original is an %s", mti, t.memo.MTI)
		return false
	}
	if stan := q.named["stan"]; stan != "" && stan != t.memo.STAN {
		q.fault("its original data name STAN %.6q, the original has %s", stan, t.memo.STAN)
		return false
	}
	if when := q.named["time"]; when != "" && !t.when(when) {
		q.fault("its original data do not have the original's time")
	}
	return true
}

// bury remembers a reversal whose original is not known (yet).
func (b *Bank) bury(q *inquiry, identity string) outcome {
	out := outcome{reason: noOriginal, effect: client.EffectUnknown}
	if b.known.buried[identity] {
		return out
	}
	memo := b.memo(q)
	memo.Identity, memo.Reason, memo.Code = identity, noOriginal, b.host.Code(q.Operation, noOriginal)
	t := &transaction{memo: memo}
	_, err := b.book.Post(ledger.Entry{Kind: ledger.Note, Account: q.Card, Terminal: q.Terminal(), Currency: q.currency, Memo: memo})
	if err != nil {
		q.fault("%v", err)
		return outcome{reason: systemError, t: t}
	}
	b.known.buried[identity] = true
	out.t = t
	return out
}

// undo gives the money back, once. A declined transaction has nothing to give back.
func (b *Bank) undo(q *inquiry, t *transaction) outcome {
	out := outcome{reason: approved, t: t}
	if t.entry == 0 || t.memo.Operation == opBalance {
		return out
	}
	before, _ := b.book.Get(t.entry)
	memo := t.memo
	memo.Operation, memo.MTI, memo.Code = q.Operation.Name, q.Operation.Request, q.f[fieldCode]
	_, err := b.book.Post(ledger.Entry{Kind: ledger.Undo, Of: t.entry, Memo: memo})
	switch {
	case err == nil:
		out.effect = client.EffectReversed
		if before.Settled {
			q.fault("the original is settled already")
		}
	case errors.Is(err, ledger.ErrUndone):
		out.effect = client.EffectRepeat
	case reasonOf(err) != "":
		q.fault("%v", err)
		out.reason = reasonOf(err)
	default:
		q.fault("%v", err)
		out.reason = systemError
	}
	return out
}
