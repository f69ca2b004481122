package bank

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fakes/issuer/ledger"
)

// State is what the bank knows: charges, holds, refunds, settlements, sessions and script results.
// Journal and violations are its owner's.
func (b *Bank) State() client.State {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := client.State{Charges: []client.Charge{}, Settlements: slices.Clone(b.settlements), Scripts: slices.Clone(b.scripts)}
	if s.Settlements == nil {
		s.Settlements = []client.Settlement{}
	}
	for i := range s.Settlements {
		s.Settlements[i].Differences = slices.Clone(s.Settlements[i].Differences)
	}
	entries := b.book.Entries()
	for _, e := range entries {
		switch state := became(entries, e); e.Kind {
		case ledger.Charge, ledger.Capture:
			s.Charges = append(s.Charges, client.Charge{
				Terminal: e.Terminal, STAN: e.Memo.STAN, RRN: e.Memo.RRN, Amount: e.Amount, Currency: e.Currency,
				Card: b.masked(e.Account), At: e.At, State: state, Settled: e.Settled, CustomerID: e.Memo.Customer,
				Operation: e.Memo.Operation, Refunded: e.Refunded, Asked: e.Memo.Asked,
			})
		case ledger.Hold:
			s.Holds = append(s.Holds, client.Hold{
				Terminal: e.Terminal, STAN: e.Memo.STAN, RRN: e.Memo.RRN, Amount: e.Amount, Currency: e.Currency,
				Card: b.masked(e.Account), At: e.At, Captured: e.Captured, Held: e.Held, State: state,
			})
		case ledger.Refund:
			s.Refunds = append(s.Refunds, client.Refund{
				Terminal: e.Terminal, STAN: e.Memo.STAN, RRN: e.Memo.RRN, Amount: e.Amount, Currency: e.Currency,
				Card: b.masked(e.Account), At: e.At, State: state, Settled: e.Settled,
			})
		}
	}
	for _, terminal := range slices.Sorted(maps.Keys(b.sessions)) {
		x := b.sessions[terminal]
		s.Sessions = append(s.Sessions, client.Session{
			Terminal: terminal, SignedOn: x.signedOn, At: x.at, Batch: fmt.Sprintf("%0*d", batchDigits, x.batch)})
	}
	return s
}

// became is the word for what has become of an entry.
func became(entries []ledger.Standing, e ledger.Standing) string {
	if e.UndoneBy != 0 {
		if entries[e.UndoneBy-1].Memo.Operation == opVoid {
			return client.StateVoided
		}
		return client.StateReversed
	}
	switch e.Kind {
	case ledger.Hold:
		if e.Captured > 0 {
			return client.StateCaptured
		}
		return client.StateHeld
	case ledger.Refund:
		return client.StateRefunded
	}
	return client.StateCharged
}

// masked leaves the first six and the last four digits of a card's number, as on a receipt (PCI DSS 3.4).
func (b *Bank) masked(id string) string {
	const head, tail, shortest = 6, 4, 13
	c := b.ids[id]
	if c == nil || len(c.PAN) < shortest {
		return "[" + id + "]"
	}
	stars := make([]byte, len(c.PAN)-head-tail)
	for i := range stars {
		stars[i] = '*'
	}
	return c.PAN[:head] + string(stars) + c.PAN[len(c.PAN)-tail:]
}

// Reset begins anew with the cards' first balances: books, references, PIN tries, settlements and batch
// numbers. Terminals stay signed on with the keys that they have: a terminal signs on once after
// power-on and could not know.
func (b *Bank) Reset() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.book.Reset(b.accounts); err != nil {
		return err
	}
	b.forget()
	b.lastReference.Store(0)
	for _, s := range b.sessions {
		s.batch, s.upload, s.closed = 1, nil, nil
	}
	return nil
}

// Inherit takes over the terminals' sessions of another bank of the same host: who is signed on, and with which
// keys. Batches begin anew, as after Reset. The other bank must not process messages any more.
func (b *Bank) Inherit(from *Bank) {
	from.mu.Lock()
	sessions := from.sessions
	from.sessions = make(map[string]*session)
	from.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range sessions {
		s.batch, s.upload, s.closed = 1, nil, nil
	}
	b.sessions = sessions
}

// Restart forgets what a host has in memory only, as when it is started again: sessions with their keys, PIN
// tries, the lists of settlements and script results. What is in the books stays known.
func (b *Bank) Restart() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sessions = make(map[string]*session)
	b.forget()
	return b.restore()
}

func (b *Bank) forget() {
	b.known = newTransactions()
	b.tries = make(map[string]int)
	b.settlements, b.scripts = nil, nil
}

// restore learns from the books what is in them.
func (b *Bank) restore() error {
	entries := b.book.Entries()
	for _, e := range entries {
		if n, err := strconv.ParseInt(e.Memo.RRN, 10, 64); err == nil && n > b.lastReference.Load() {
			b.lastReference.Store(n)
		}
		switch {
		case e.Kind == ledger.Settle:
			if s := b.session(e.Terminal); s != nil {
				s.batch, s.closed = nextBatch(e.Memo.Batch), closedBy(e.Entry)
			}
		case e.Memo.Operation == opReversal, e.Memo.Operation == opReversalAdvice:
			b.restoreReversal(e)
		case financial(e.Memo.Operation):
			b.known.remember(remembered(e))
		}
	}
	return b.finish()
}

// remembered is a transaction as the books have it.
func remembered(e ledger.Standing) *transaction {
	t := &transaction{memo: e.Memo, terminal: e.Terminal, card: e.Account, asked: e.Amount, amount: e.Amount, currency: e.Currency}
	if e.Memo.Asked != 0 {
		t.asked = e.Memo.Asked
	}
	if t.approved() {
		t.entry = e.Seq
	}
	return t
}

// restoreReversal learns from a reversal: of an unknown transaction that it is buried; of one that came
// after it, that it was declined.
func (b *Bank) restoreReversal(e ledger.Standing) {
	if e.Kind == ledger.Note {
		b.known.buried[e.Memo.Identity] = true
		return
	}
	if t := b.known.identified(e.Memo.Identity, ""); t != nil && b.known.buried[e.Memo.Identity] {
		t.memo.Reason, t.memo.Auth = invalidTransaction, ""
		delete(b.known.buried, e.Memo.Identity)
	}
}

// finish undoes what was posted although its reversal had come first, when the process died between the
// two entries.
func (b *Bank) finish() error {
	for identity := range b.known.buried {
		t := b.known.identified(identity, "")
		if t == nil {
			continue
		}
		if t.entry != 0 && t.memo.Operation != opBalance {
			memo := t.memo
			memo.Operation = opReversal
			if _, err := b.book.Post(ledger.Entry{Kind: ledger.Undo, Of: t.entry, Memo: memo}); err != nil {
				return err
			}
			t.memo.Reason, t.memo.Auth = invalidTransaction, ""
		}
		delete(b.known.buried, identity)
	}
	return nil
}
