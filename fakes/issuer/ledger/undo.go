package ledger

import "fmt"

// undo takes back another entry.
func (b *Book) undo(e *Entry) (posting, error) {
	o, err := b.original(e, Charge, Hold, Capture, Release, Refund, Undo)
	if err != nil {
		return posting{}, err
	}
	if o.undone != 0 {
		return posting{}, fmt.Errorf("%w: entry %d", ErrUndone, e.Of)
	}
	e.Amount = o.entry.Amount
	var p posting
	switch o.entry.Kind {
	case Charge:
		p, err = b.undoCharge(o)
	case Hold:
		p, err = b.undoHold(o, e)
	case Capture:
		p, err = b.undoCapture(o)
	case Release:
		p, err = b.undoRelease(o)
	case Refund:
		p = b.undoRefund(o)
	case Undo:
		p, err = b.redo(o, e)
	}
	if err != nil {
		return posting{}, err
	}
	seq, then := e.Seq, p.then
	p.then = func(it *item) {
		o.undone = seq
		then(it)
	}
	return p, nil
}

// effect gives the legs by which an entry stands: its own, or of the undo that brought it back.
func (b *Book) effect(o *item) *legs {
	if o.again != 0 {
		return &b.item(o.again).legs
	}
	return &o.legs
}

func (b *Book) undoCharge(o *item) (posting, error) {
	if o.refunded > 0 {
		return posting{}, fmt.Errorf("%w: %d of it are refunded", ErrBuiltOn, o.refunded)
	}
	p := posting{then: func(*item) { b.uncount(o) }}
	for _, x := range b.effect(o).list() {
		p.legs.add(x.account, -x.amount)
	}
	return p, nil
}

func (b *Book) undoHold(o *item, e *Entry) (posting, error) {
	switch {
	case o.captured > 0:
		return posting{}, fmt.Errorf("%w: %d of the hold are captured", ErrBuiltOn, o.captured)
	case o.closed != 0:
		return posting{}, fmt.Errorf("%w: entry %d", ErrClosed, o.entry.Seq)
	}
	var p posting
	p.legs.add(b.account("held:"+o.entry.Account, o.entry.Currency), -o.held)
	p.legs.add(b.card(o.entry.Account, o.entry.Currency), o.held)
	seq := e.Seq
	p.then = func(*item) { o.held, o.closed = 0, seq }
	return p, nil
}

// undoCapture takes a capture back. Its hold is again what it was, as far as the money that had been
// released is still there; a hold that something else has closed meanwhile stays closed.
func (b *Book) undoCapture(o *item) (posting, error) {
	if o.refunded > 0 {
		return posting{}, fmt.Errorf("%w: %d of it are refunded", ErrBuiltOn, o.refunded)
	}
	hold := b.item(o.entry.Of)
	card, held := b.card(o.entry.Account, o.entry.Currency), b.account("held:"+o.entry.Account, o.entry.Currency)
	reopens := hold.closed == 0 || hold.closed == o.entry.Seq
	var back, again int64
	if reopens {
		back, again = o.taken, min(o.released, card.balance)
	}
	suspended := b.effect(o).of("suspense")
	var p posting
	p.legs.add(held, back+again)
	p.legs.add(card, o.entry.Amount+suspended-back-again)
	p.legs.add(b.account("suspense", o.entry.Currency), -suspended)
	p.legs.add(b.account("terminal:"+o.entry.Terminal, o.entry.Currency), -o.entry.Amount)
	p.then = func(*item) {
		hold.captured -= o.entry.Amount
		if reopens {
			hold.held += back + again
			hold.closed = 0
		}
		b.uncount(o)
	}
	return p, nil
}

// of is what an account of this name got or gave.
func (l *legs) of(name string) int64 {
	for _, x := range l.list() {
		if x.account.key.name == name {
			return x.amount
		}
	}
	return 0
}

// undoRelease holds again what was released, as far as it is still there.
func (b *Book) undoRelease(o *item) (posting, error) {
	hold := b.item(o.entry.Of)
	if hold.closed != o.entry.Seq {
		return posting{}, fmt.Errorf("%w: entry %d", ErrClosed, o.entry.Of)
	}
	card := b.card(o.entry.Account, o.entry.Currency)
	again := min(o.released, card.balance)
	var p posting
	p.legs.add(card, -again)
	p.legs.add(b.account("held:"+o.entry.Account, o.entry.Currency), again)
	p.then = func(*item) { hold.held, hold.closed = again, 0 }
	return p, nil
}

func (b *Book) undoRefund(o *item) posting {
	var p posting
	b.pay(&p.legs, b.card(o.entry.Account, o.entry.Currency), o.entry.Amount, true)
	p.legs.add(b.account("terminal:"+o.entry.Terminal, o.entry.Currency), o.entry.Amount)
	p.then = func(*item) {
		if charge := b.item(o.entry.Of); charge != nil {
			charge.refunded -= o.entry.Amount
		}
		b.uncount(o)
	}
	return p
}

// redo takes an undo back: the entry that it was about is posted anew, with force, since all of it has
// taken place already.
func (b *Book) redo(u *item, e *Entry) (posting, error) {
	if u.undoes {
		return posting{}, fmt.Errorf("%w: an undo of an undo is final", ErrUnknown)
	}
	o := b.item(u.entry.Of)
	p, err := b.repost(o, e)
	if err != nil {
		return posting{}, err
	}
	then := p.then
	p.then = func(it *item) {
		it.undoes = true
		o.undone, o.again = 0, it.entry.Seq
		then(it)
	}
	return p, nil
}

// repost works out an undone entry again, against the books as they are now. What is decided when it is
// committed goes to the entry, not to the undo that brings it back.
func (b *Book) repost(o *item, e *Entry) (posting, error) {
	card := b.card(o.entry.Account, o.entry.Currency)
	switch o.entry.Kind {
	case Charge:
		var p posting
		b.pay(&p.legs, card, o.entry.Amount, true)
		p.legs.add(b.account("terminal:"+o.entry.Terminal, o.entry.Currency), o.entry.Amount)
		p.then = func(*item) { b.count(o) }
		return p, nil
	case Hold:
		again := min(o.entry.Amount, card.balance)
		var p posting
		p.legs.add(card, -again)
		p.legs.add(b.account("held:"+o.entry.Account, o.entry.Currency), again)
		p.then = func(*item) { o.held, o.closed = again, 0 }
		return p, nil
	case Capture:
		entry := o.entry
		hold, err := b.openHold(&entry)
		if err != nil {
			return posting{}, err
		}
		if hold.captured+entry.Amount > hold.entry.Ceiling {
			return posting{}, ErrExceeds
		}
		p := b.taking(hold, &entry, true)
		then := p.then
		p.then = func(*item) { then(o) }
		return p, nil
	case Release:
		entry := o.entry
		p, err := b.release(&entry)
		if err != nil {
			return posting{}, err
		}
		then := p.then
		p.then = func(*item) { then(o) }
		return p, nil
	case Refund:
		return b.refundAgain(o)
	}
	return posting{}, fmt.Errorf("%w: entry %d is a %s", ErrUnknown, e.Of, o.entry.Kind)
}

func (b *Book) refundAgain(o *item) (posting, error) {
	charge := b.item(o.entry.Of)
	if charge != nil && (charge.undone != 0 || charge.refunded+o.entry.Amount > charge.entry.Amount) {
		return posting{}, fmt.Errorf("%w: the charge has no such amount left", ErrExceeds)
	}
	var p posting
	p.legs.add(b.account("terminal:"+o.entry.Terminal, o.entry.Currency), -o.entry.Amount)
	p.legs.add(b.card(o.entry.Account, o.entry.Currency), o.entry.Amount)
	p.then = func(*item) {
		if charge != nil {
			charge.refunded += o.entry.Amount
		}
		b.count(o)
	}
	return p, nil
}
