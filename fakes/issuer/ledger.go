package issuer

import (
	"errors"
	"fmt"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// MaxSales bounds the sales of a setup, approved or not, and the reversals of unknown ones.
const MaxSales = 2000

// key tells one sale from every other: a repeat and a reversal carry the same.
type key struct{ terminal, stan, time, date string }

func keyOf(m iso8583.Message) key {
	return key{m.Fields[fieldTerminal], m.Fields[fieldSTAN], m.Fields[fieldTime], m.Fields[fieldDate]}
}

// account is the money behind one card.
type account struct {
	card    cards.Card
	balance int64 // minor units
	tries   int   // wrong PINs in a row
}

// charge is a posted sale.
type charge struct {
	account *account
	record  client.Charge
}

func (c *charge) open() bool { return c.record.State == client.StateCharged }

// sale is a purchase that was answered by the books.
type sale struct {
	request iso8583.Message
	out     outcome
	charge  *charge // nil: declined
}

// batch is what a terminal has settled last.
type batch struct {
	number, currency string
	count, amount    int64
}

// ledger is the books. Money moves in post only, and never without the books being checked.
type ledger struct {
	accounts map[string]*account // by card number
	charges  []*charge
	sales    map[key]*sale
	// tombstones are sales that were reversed before they were heard of.
	tombstones map[key]bool
	settled    map[string]batch // by terminal
}

func newLedger(list []cards.Card) *ledger {
	l := &ledger{
		accounts: make(map[string]*account), sales: make(map[key]*sale),
		tombstones: make(map[key]bool), settled: make(map[string]batch),
	}
	for _, c := range list {
		l.accounts[c.PAN] = &account{card: c, balance: c.Balance}
	}
	return l
}

// full says whether another sale can't be remembered.
func (l *ledger) full() bool { return len(l.sales)+len(l.tombstones) >= MaxSales }

// charge takes the amount from the account. An error means that nothing was posted.
func (l *ledger) charge(a *account, record client.Charge) (*charge, error) {
	c := &charge{account: a, record: record}
	c.record.State, c.record.Card, c.record.At = client.StateCharged, maskPAN(a.card.PAN), time.Now()
	l.charges = append(l.charges, c)
	a.balance -= record.Amount
	if err := l.check(); err != nil {
		l.charges = l.charges[:len(l.charges)-1]
		a.balance += record.Amount
		return nil, err
	}
	return c, nil
}

// reverse gives the amount back; done before, it changes nothing and says so.
func (l *ledger) reverse(c *charge) (again bool, err error) {
	if !c.open() {
		return true, nil
	}
	c.record.State = client.StateReversed
	c.account.balance += c.record.Amount
	if err := l.check(); err != nil {
		c.record.State = client.StateCharged
		c.account.balance -= c.record.Amount
		return false, err
	}
	return false, nil
}

// errBooks: the books contradict themselves, a fault of the issuer itself.
var errBooks = errors.New("the books do not balance")

// check proves the books after a posting: no account is overdrawn, and what has left an account since the setup
// is exactly the sum of its sales that stand.
func (l *ledger) check() error {
	spent := make(map[*account]int64, len(l.accounts))
	for _, c := range l.charges {
		if c.record.Amount <= 0 {
			return fmt.Errorf("%w: a sale of %d", errBooks, c.record.Amount)
		}
		if c.open() {
			spent[c.account] += c.record.Amount
		}
	}
	for _, a := range l.accounts {
		if a.balance < 0 {
			return fmt.Errorf("%w: card %s is overdrawn", errBooks, a.card.ID)
		}
		if a.card.Balance-a.balance != spent[a] {
			return fmt.Errorf("%w: card %s has spent %d, its sales are %d", errBooks, a.card.ID, a.card.Balance-a.balance, spent[a])
		}
	}
	return nil
}

// totals are a terminal's sales since its last settlement: those that stand, in one currency.
func (l *ledger) totals(terminal, currency string) (count, amount int64) {
	for _, c := range l.batch(terminal, currency) {
		count++
		amount += c.record.Amount
	}
	return count, amount
}

// settle closes a terminal's batch.
func (l *ledger) settle(terminal string, b batch) {
	for _, c := range l.batch(terminal, b.currency) {
		c.record.Settled = true
	}
	l.settled[terminal] = b
}

func (l *ledger) batch(terminal, currency string) (open []*charge) {
	for _, c := range l.charges {
		r := c.record
		if c.open() && !r.Settled && r.Terminal == terminal && r.Currency == currency {
			open = append(open, c)
		}
	}
	return open
}

// list copies the charges in the order of posting.
func (l *ledger) list() []client.Charge {
	out := make([]client.Charge, 0, len(l.charges))
	for _, c := range l.charges {
		out = append(out, c.record)
	}
	return out
}

// maskPAN leaves the first six and the last four digits, as on a receipt (PCI DSS 3.4).
func maskPAN(pan string) string {
	const head, tail = 6, 4
	if len(pan) < cardNumberMin {
		return fmt.Sprintf("[pan %d]", len(pan))
	}
	stars := make([]byte, len(pan)-head-tail)
	for i := range stars {
		stars[i] = '*'
	}
	return pan[:head] + string(stars) + pan[len(pan)-tail:]
}

// cardNumberMin is the shortest number of which ten digits may be shown.
const cardNumberMin = 13
