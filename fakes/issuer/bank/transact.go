package bank

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fakes/issuer/ledger"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// transact handles a financial request: each is decided once, and a repeat is answered as the first time.
func (b *Bank) transact(q *inquiry) outcome {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.adopt(q)
	if first := b.known.identified(q.identity, q.f[fieldRRN]); first != nil {
		return b.repeat(q, first)
	}
	b.misbatched(q)
	if reason := b.admitted(q); reason != "" {
		return outcome{reason: reason}
	}
	q.goesOn(b.sessions[q.Terminal()])
	t := &transaction{
		memo: b.memo(q), terminal: q.Terminal(), card: q.Card, pan: q.pan,
		asked: max(0, q.amount), currency: q.currency, said: q.said(),
	}
	if err := b.settleOn(q, t); err != nil {
		q.fault("%v", err)
		return outcome{reason: systemError}
	}
	b.known.remember(t)
	out := b.answer(t)
	out.effect = t.effect(q)
	if b.known.buried[q.identity] {
		b.net(q, t, &out)
	}
	return out
}

// adopt gives a request that names no card the one of its original.
func (b *Bank) adopt(q *inquiry) {
	if q.pan != "" {
		return
	}
	if o := b.known.named(q.Terminal(), q.named, about(q.Operation.Name)...); o != nil {
		q.card, q.Card = b.ids[o.card], o.card
	}
}

// about are the operations that one can be about.
func about(operation string) []string {
	switch operation {
	case opCompletion:
		return []string{opAuthorisation}
	case opRefund:
		return []string{opPurchase, opCompletion, opAdvice}
	case opVoid:
		return []string{opPurchase, opAuthorisation, opCompletion, opAdvice, opRefund}
	}
	return nil
}

// effect says in a word what a new transaction did.
func (t *transaction) effect(q *inquiry) string {
	switch {
	case t.approved():
		return effectOf(t.memo.Operation)
	case t.memo.Reason == badCryptogram && !q.proof.cryptogram:
		return client.EffectCryptogram
	}
	return ""
}

// answer is how a transaction is answered, every time.
func (b *Bank) answer(t *transaction) outcome {
	out := outcome{reason: t.memo.Reason, t: t}
	if t.memo.Reason == partial {
		out.amount = t.amount
	}
	if t.memo.Operation == opBalance && t.approved() && b.has(fieldBalance) {
		funds := b.funds(t)
		out.change = func(reply *iso8583.Message) error { reply.Fields[fieldBalance] = funds; return nil }
	}
	return out
}

// repeat answers a transaction that was answered before: as the first time, unless it was reversed or voided since.
// The same identity with another card or amount is no repeat but a terminal's mistake.
func (b *Bank) repeat(q *inquiry, first *transaction) outcome {
	differs := 0
	switch {
	case first.memo.Operation != q.Operation.Name:
		q.fault("%s with the identity of another operation, %s", q.Operation.Name, first.memo.Operation)
		return outcome{reason: invalidTransaction}
	case first.card != q.Card || first.pan != "" && first.pan != q.pan:
		differs = fieldPAN
	case first.asked != max(0, q.amount):
		differs = fieldAmount
	case first.currency != q.currency:
		differs = fieldCurrency
	}
	if differs != 0 {
		q.fault("field %d differs from the transaction with the same identity", differs)
		return outcome{reason: invalidTransaction}
	}
	out := b.answer(first)
	if x, ok := b.book.Get(first.entry); ok && x.UndoneBy != 0 {
		// Whoever asks again must not take for paid what was given back meanwhile.
		out = outcome{reason: invalidTransaction, t: first}
	}
	out.effect = client.EffectRepeat
	return out
}

// settleOn decides on a new transaction and posts it, a declined one as a note. An error is the books',
// and leaves nothing posted.
func (b *Bank) settleOn(q *inquiry, t *transaction) error {
	reason := b.verify(q)
	e, reason := b.entryFor(q, t, reason)
	if reason == "" {
		t.memo.Reason = approved
		if t.amount = e.Amount; t.amount < t.asked && e.Kind != ledger.Undo && e.Kind != ledger.Note {
			t.memo.Reason, t.memo.Asked = partial, t.asked
		}
		t.memo.Code = b.host.Code(q.Operation, t.memo.Reason)
		if t.memo.Operation != opBalance {
			t.memo.Auth = authOf(q.options, t.memo.RRN)
		}
		e.Memo = t.memo
		posted, err := b.book.Post(e)
		if reason = reasonOf(err); reason == "" {
			t.entry = posted.Seq
			return err
		}
	}
	t.memo.Reason, t.memo.Code, t.memo.Auth, t.memo.Asked = reason, b.host.Code(q.Operation, reason), "", t.asked
	_, err := b.book.Post(ledger.Entry{Kind: ledger.Note, Account: t.card, Terminal: t.terminal, Currency: t.currency, Memo: t.memo})
	return err
}

// reasonOf turns a refusal of the ledger into a reason to decline; "" for none, or for an error that is
// not the terminal's.
func reasonOf(err error) string {
	switch {
	case errors.Is(err, ledger.ErrFunds):
		return insufficientFunds
	case errors.Is(err, ledger.ErrExceeds):
		return invalidAmount
	case errors.Is(err, ledger.ErrUndone), errors.Is(err, ledger.ErrBuiltOn), errors.Is(err, ledger.ErrClosed), errors.Is(err, ledger.ErrUnknown):
		return invalidTransaction
	}
	return ""
}

// verify checks a transaction up to its cryptogram and gives the reason to decline; "" for none.
func (b *Bank) verify(q *inquiry) string {
	if reason := b.verifyAmount(q); reason != "" {
		return reason
	}
	if q.card == nil {
		if q.pan == "" && len(about(q.Operation.Name)) > 0 {
			return noOriginal
		}
		return unknownCard
	}
	if isAdvice(q.Message.MTI) {
		return "" // it has taken place already
	}
	if q.expiry != "" && q.expiry != q.card.Expiry || expired(q.card.Expiry, time.Now()) {
		return expiredCard
	}
	if !q.proof.stripe || !q.proof.printed {
		return security
	}
	if reason := b.verifyPIN(q); reason != "" {
		return reason
	}
	if !q.proof.cryptogram {
		return badCryptogram
	}
	return ""
}

func (b *Bank) verifyAmount(q *inquiry) string {
	name := q.Operation.Name
	switch _, has := q.f[fieldAmount]; {
	case name == opBalance, name == opVoid && !has:
		return ""
	case q.amount <= 0, b.policy.Limit > 0 && q.amount > b.policy.Limit:
		return invalidAmount
	}
	return ""
}

// verifyPIN counts wrong PINs in a row. A block that cannot be opened is the terminal's mistake, not the
// cardholder's, and is not counted.
func (b *Bank) verifyPIN(q *inquiry) string {
	if q.proof.pin == pinNone {
		return ""
	}
	if b.tries[q.Card] >= MaxTries {
		return pinTries
	}
	switch q.proof.pin {
	case pinRight:
		b.tries[q.Card] = 0
		return ""
	case pinBroken:
		return pinFormat
	}
	if b.tries[q.Card]++; b.tries[q.Card] >= MaxTries {
		return pinTries
	}
	return wrongPIN
}

// entryFor is what an operation posts, or the reason why it cannot be. It passes on a reason that is there.
func (b *Bank) entryFor(q *inquiry, t *transaction, reason string) (ledger.Entry, string) {
	if reason != "" {
		return ledger.Entry{}, reason
	}
	e := ledger.Entry{Account: t.card, Terminal: t.terminal, Currency: t.currency, Amount: t.asked}
	switch t.memo.Operation {
	case opPurchase:
		e.Kind, e.Amount = ledger.Charge, b.part(q, t)
	case opAdvice:
		e.Kind, e.Force = ledger.Charge, true
	case opAuthorisation:
		e.Kind, e.Amount = ledger.Hold, b.part(q, t)
		const hundred = 100
		e.Ceiling = min(ledger.MaxAmount, e.Amount+e.Amount/hundred*b.policy.Tolerance+e.Amount%hundred*b.policy.Tolerance/hundred)
	case opBalance:
		e.Kind, e.Amount = ledger.Note, 0
	case opCompletion:
		e.Kind, e.Final, e.Force = ledger.Capture, true, isAdvice(q.Message.MTI)
		return b.original(q, e)
	case opRefund:
		e.Kind = ledger.Refund
		switch {
		case len(q.named) > 0:
			return b.original(q, e)
		case b.mustName(q.Operation):
			return e, noOriginal
		}
		return e, "" // of a sale that nobody names: the merchant's word
	case opVoid:
		e.Kind = ledger.Undo
		return b.original(q, e)
	}
	return e, ""
}

// mustName says whether the dialect wants an operation's original named: a field that does so is mandatory. Zeros in it
// name nothing.
func (b *Bank) mustName(o *hosts.Operation) bool {
	for _, path := range b.paths.original[o] {
		if slices.Contains(o.Require, path.Field()) {
			return true
		}
	}
	return false
}

// part is how much of a purchase is approved: as much as asked, or, for a card of the policy's or by an
// option, what there is.
func (b *Bank) part(q *inquiry, t *transaction) int64 {
	amount := t.asked
	if q.options.Amount > 0 {
		amount = min(amount, q.options.Amount)
	}
	if available := b.book.Available(t.card, t.currency); b.partialFor(t.card) && available > 0 {
		amount = min(amount, available)
	}
	return amount
}

// original finds the transaction that an entry is about.
func (b *Bank) original(q *inquiry, e ledger.Entry) (ledger.Entry, string) {
	o := b.known.named(q.Terminal(), q.named, about(q.Operation.Name)...)
	if o == nil || o.entry == 0 {
		return e, noOriginal
	}
	if o.card != q.Card || q.currency != "" && o.currency != q.currency {
		q.fault("the original is of another card or currency")
		return e, invalidTransaction
	}
	if e.Kind == ledger.Undo {
		if q.amount >= 0 && q.amount != o.amount {
			return e, amountDiffers
		}
		if x, _ := b.book.Get(o.entry); x.Settled {
			return e, invalidTransaction // its batch is closed: it can only be refunded
		}
	}
	b.unreferenced(q, o)
	if e.Kind == ledger.Capture {
		q.completes(o.amount)
	}
	e.Of, e.Currency = o.entry, o.currency
	return e, ""
}

// net undoes a transaction whose reversal came first. The terminal has given it up, so it is declined.
func (b *Bank) net(q *inquiry, t *transaction, out *outcome) {
	delete(b.known.buried, q.identity)
	if t.entry == 0 || !t.approved() || t.memo.Operation == opBalance {
		return
	}
	memo := t.memo
	memo.Operation = opReversal
	if _, err := b.book.Post(ledger.Entry{Kind: ledger.Undo, Of: t.entry, Memo: memo}); err != nil {
		q.fault("%v", err)
		*out = outcome{reason: systemError, effect: out.effect, t: t}
		return
	}
	t.memo.Reason, t.memo.Auth = invalidTransaction, ""
	*out = outcome{reason: invalidTransaction, effect: client.EffectReversed, t: t}
}

// Parts of DE54: account type 00 (default), amount type 02 (available), sign C (ISO 8583:1987, 4.4.21).
const (
	balanceType   = "0002"
	balanceDigits = 12
)

// funds is DE54 of a balance inquiry: what is available, or the most that the field can say.
func (b *Bank) funds(t *transaction) string {
	available := min(b.book.Available(t.card, t.currency), ledger.MaxAmount)
	currency := t.currency
	if currency == "" {
		currency = strings.Repeat("0", 3)
	}
	return fmt.Sprintf("%s%sC%0*d", balanceType, currency, balanceDigits, available)
}
