package ledger

import "fmt"

// leg is one side of a posting: an account gets an amount, or gives it when that is negative.
type leg struct {
	account *account
	amount  int64
}

// maxLegs: a forced capture moves held, available, suspended and the terminal's money.
const maxLegs = 4

// legs are a posting's, in a fixed array since there are so many postings.
type legs struct {
	all [maxLegs]leg
	n   int
}

func (l *legs) add(a *account, amount int64) {
	if amount == 0 {
		return
	}
	l.all[l.n] = leg{a, amount}
	l.n++
}

func (l *legs) list() []leg { return l.all[:l.n] }

// check proves that legs sum to zero in each currency and leave no floored account below zero.
func (l *legs) check() error {
	var sum int64
	for _, x := range l.list() {
		if x.account.key.currency != l.all[0].account.key.currency {
			return fmt.Errorf("%w: two currencies in one entry", ErrBooks)
		}
		if x.account.floored && x.account.balance+x.amount < 0 {
			return ErrFunds
		}
		sum += x.amount
	}
	if sum != 0 {
		return fmt.Errorf("%w: an entry's legs sum to %d", ErrBooks, sum)
	}
	return nil
}

// posting is what an entry will do: its legs, and what changes besides once they are posted.
type posting struct {
	legs legs
	then func(*item)
}

// posting works out what an entry does.
func (b *Book) posting(e *Entry) (posting, error) {
	switch e.Kind {
	case Charge:
		return b.charge(e)
	case Hold:
		return b.hold(e)
	case Capture:
		return b.capture(e)
	case Release:
		return b.release(e)
	case Refund:
		return b.refund(e)
	case Undo:
		return b.undo(e)
	case Settle:
		return b.settle(e)
	case Note:
		return posting{}, nil
	}
	return posting{}, fmt.Errorf("%w: kind %.20q", ErrEntry, e.Kind)
}

// pay takes an amount from a card; with force, what it lacks from the suspense account.
func (b *Book) pay(l *legs, card *account, amount int64, force bool) {
	if short := amount - card.balance; force && short > 0 {
		l.add(b.account("suspense", card.key.currency), -short)
		amount -= short
	}
	l.add(card, -amount)
}

func (b *Book) charge(e *Entry) (posting, error) {
	card := b.card(e.Account, e.Currency)
	if card == nil {
		return posting{}, fmt.Errorf("%w: account %.40q", ErrUnknown, e.Account)
	}
	var p posting
	b.pay(&p.legs, card, e.Amount, e.Force)
	p.legs.add(b.account("terminal:"+e.Terminal, e.Currency), e.Amount)
	p.then = b.count
	return p, nil
}

func (b *Book) hold(e *Entry) (posting, error) {
	card := b.card(e.Account, e.Currency)
	if card == nil {
		return posting{}, fmt.Errorf("%w: account %.40q", ErrUnknown, e.Account)
	}
	if e.Ceiling == 0 {
		e.Ceiling = e.Amount
	}
	if e.Ceiling < e.Amount {
		return posting{}, fmt.Errorf("%w: a ceiling below the amount held", ErrEntry)
	}
	var p posting
	p.legs.add(card, -e.Amount)
	p.legs.add(b.account("held:"+e.Account, e.Currency), e.Amount)
	p.then = func(it *item) { it.held = e.Amount }
	return p, nil
}

// original finds the entry that e is about and has e continue it: account, terminal and currency are
// the original's where e has none, and can't be others.
func (b *Book) original(e *Entry, kinds ...Kind) (*item, error) {
	o := b.item(e.Of)
	if o == nil {
		return nil, fmt.Errorf("%w: entry %d", ErrUnknown, e.Of)
	}
	fits := len(kinds) == 0
	for _, k := range kinds {
		fits = fits || o.entry.Kind == k
	}
	if !fits {
		return nil, fmt.Errorf("%w: entry %d is a %s", ErrUnknown, e.Of, o.entry.Kind)
	}
	for _, pair := range []struct {
		mine *string
		its  string
	}{{&e.Account, o.entry.Account}, {&e.Terminal, o.entry.Terminal}, {&e.Currency, o.entry.Currency}} {
		if *pair.mine == "" {
			*pair.mine = pair.its
		}
	}
	if e.Account != o.entry.Account || e.Currency != o.entry.Currency {
		return nil, fmt.Errorf("%w: entry %d has another account or currency", ErrUnknown, e.Of)
	}
	return o, nil
}

// openHold finds the hold that e is about, which must have something left.
func (b *Book) openHold(e *Entry) (*item, error) {
	o, err := b.original(e, Hold)
	switch {
	case err != nil:
		return nil, err
	case o.undone != 0:
		return nil, fmt.Errorf("%w: entry %d", ErrUndone, e.Of)
	case o.closed != 0:
		return nil, fmt.Errorf("%w: entry %d", ErrClosed, e.Of)
	}
	return o, nil
}

func (b *Book) capture(e *Entry) (posting, error) {
	hold, err := b.openHold(e)
	if err != nil {
		return posting{}, err
	}
	if hold.captured+e.Amount > hold.entry.Ceiling {
		return posting{}, fmt.Errorf("%w: a capture of %d, %d left under the ceiling", ErrExceeds, e.Amount, hold.entry.Ceiling-hold.captured)
	}
	return b.taking(hold, e, e.Force), nil
}

// taking is a capture's posting: first from what is held, then from what is available.
func (b *Book) taking(hold *item, e *Entry, force bool) posting {
	card, held := b.card(e.Account, e.Currency), b.account("held:"+e.Account, e.Currency)
	taken := min(e.Amount, hold.held)
	var rest int64
	if e.Final {
		rest = hold.held - taken
	}
	var p posting
	p.legs.add(held, -taken-rest)
	if extra := e.Amount - taken; extra > 0 {
		b.pay(&p.legs, card, extra, force)
	} else {
		p.legs.add(card, rest)
	}
	p.legs.add(b.account("terminal:"+e.Terminal, e.Currency), e.Amount)
	seq, amount, final := e.Seq, e.Amount, e.Final
	p.then = func(it *item) {
		it.taken, it.released = taken, rest
		hold.captured += amount
		hold.held -= taken + rest
		if final || hold.held == 0 {
			hold.closed = seq
		}
		b.count(it)
	}
	return p
}

func (b *Book) release(e *Entry) (posting, error) {
	hold, err := b.openHold(e)
	if err != nil {
		return posting{}, err
	}
	e.Amount = hold.held
	var p posting
	p.legs.add(b.account("held:"+e.Account, e.Currency), -hold.held)
	p.legs.add(b.card(e.Account, e.Currency), hold.held)
	seq := e.Seq
	p.then = func(it *item) {
		it.released, hold.held, hold.closed = hold.held, 0, seq
	}
	return p, nil
}

func (b *Book) refund(e *Entry) (posting, error) {
	var o *item
	if e.Of != 0 {
		var err error
		if o, err = b.original(e, Charge, Capture); err != nil {
			return posting{}, err
		}
		if o.undone != 0 {
			return posting{}, fmt.Errorf("%w: entry %d", ErrUndone, e.Of)
		}
		if o.refunded+e.Amount > o.entry.Amount {
			return posting{}, fmt.Errorf("%w: a refund of %d, %d left", ErrExceeds, e.Amount, o.entry.Amount-o.refunded)
		}
	}
	card := b.card(e.Account, e.Currency)
	if card == nil {
		return posting{}, fmt.Errorf("%w: account %.40q", ErrUnknown, e.Account)
	}
	var p posting
	p.legs.add(b.account("terminal:"+e.Terminal, e.Currency), -e.Amount)
	p.legs.add(card, e.Amount)
	amount := e.Amount
	p.then = func(it *item) {
		if o != nil {
			o.refunded += amount
		}
		b.count(it)
	}
	return p, nil
}
