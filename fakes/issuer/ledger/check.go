package ledger

import "fmt"

// Check proves the whole of the books from the entries: every account is the sum of its legs, every
// currency sums to zero, no card is overdrawn, and every hold, charge and batch is what the entries
// about it make of it. An error is ErrBooks.
func (b *Book) Check() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.check()
}

func (b *Book) check() error {
	if err := b.checkAccounts(); err != nil {
		return err
	}
	derived := make(map[uint64]*derivation)
	for _, it := range b.items {
		b.derive(it, derived)
	}
	for _, it := range b.items {
		if err := b.checkItem(it, derived[it.entry.Seq]); err != nil {
			return err
		}
	}
	return b.checkBatches()
}

func (b *Book) checkAccounts() error {
	balances := make(map[*account]int64, len(b.accounts))
	for k, a := range b.accounts {
		for id, first := range b.opening {
			if k.name == "card:"+id {
				balances[a] += first
				balances[b.account("opening", k.currency)] -= first
			}
		}
	}
	for _, it := range b.items {
		var sum int64
		for _, l := range it.legs.list() {
			balances[l.account] += l.amount
			sum += l.amount
		}
		if sum != 0 {
			return fmt.Errorf("%w: entry %d sums to %d", ErrBooks, it.entry.Seq, sum)
		}
	}
	for k, a := range b.accounts {
		if a.balance != balances[a] {
			return fmt.Errorf("%w: account %s in %s has %d, its entries make %d", ErrBooks, k.name, k.currency, a.balance, balances[a])
		}
		if a.floored && a.balance < 0 {
			return fmt.Errorf("%w: account %s in %s is overdrawn", ErrBooks, k.name, k.currency)
		}
	}
	for currency, sum := range b.sums {
		if sum != 0 {
			return fmt.Errorf("%w: %s sums to %d", ErrBooks, currency, sum)
		}
	}
	return nil
}

// derivation is what the entries about an entry make of it.
type derivation struct{ captured, refunded int64 }

// derive adds a standing entry to what it is about.
func (b *Book) derive(it *item, derived map[uint64]*derivation) {
	if it.undone != 0 || it.entry.Of == 0 || it.entry.Kind != Capture && it.entry.Kind != Refund {
		return
	}
	d := derived[it.entry.Of]
	if d == nil {
		d = &derivation{}
		derived[it.entry.Of] = d
	}
	if it.entry.Kind == Capture {
		d.captured += it.entry.Amount
	} else {
		d.refunded += it.entry.Amount
	}
}

func (b *Book) checkItem(it *item, d *derivation) error {
	if d == nil {
		d = &derivation{}
	}
	wrong := func(what string) error {
		return fmt.Errorf("%w: entry %d, a %s: %s", ErrBooks, it.entry.Seq, it.entry.Kind, what)
	}
	switch {
	case it.captured != d.captured:
		return wrong("captured differs from its captures")
	case it.refunded != d.refunded:
		return wrong("refunded differs from its refunds")
	case it.captured > it.entry.Ceiling:
		return wrong("captured beyond its ceiling")
	case it.refunded > it.entry.Amount:
		return wrong("refunded beyond its amount")
	case it.undone != 0 && it.captured+it.refunded > 0:
		return wrong("undone, but something builds on it")
	case it.held < 0 || it.closed != 0 && it.held != 0:
		return wrong("holds what it cannot hold")
	}
	return b.checkUndo(it, wrong)
}

// checkUndo proves that an undone entry and its undo know each other.
func (b *Book) checkUndo(it *item, wrong func(string) error) error {
	if it.undone == 0 {
		return nil
	}
	u := b.item(it.undone)
	if u == nil || u.entry.Kind != Undo || u.entry.Of != it.entry.Seq {
		return wrong("undone by an entry that is about another one")
	}
	return nil
}

// checkBatches proves totals and what is held per card.
func (b *Book) checkBatches() error {
	totals := make(map[batchKey]*Totals)
	held := make(map[accountKey]int64)
	for _, it := range b.items {
		held[accountKey{"held:" + it.entry.Account, it.entry.Currency}] += it.held
		counts := it.entry.Kind == Charge || it.entry.Kind == Capture || it.entry.Kind == Refund
		if !counts || it.settled || it.undone != 0 {
			continue
		}
		k := batchKey{it.entry.Terminal, it.entry.Currency}
		if totals[k] == nil {
			totals[k] = &Totals{}
		}
		totals[k].add(it, 1)
	}
	for k, x := range b.batches {
		if totals[k] == nil {
			totals[k] = &Totals{}
		}
		if x.totals != *totals[k] {
			return fmt.Errorf("%w: terminal %s: its totals differ from its entries", ErrBooks, k.terminal)
		}
		delete(totals, k)
	}
	for k := range totals {
		return fmt.Errorf("%w: terminal %s has entries outside its batch", ErrBooks, k.terminal)
	}
	for k, sum := range held {
		if a := b.accounts[k]; a != nil && a.balance != sum {
			return fmt.Errorf("%w: %s in %s has %d, the holds make %d", ErrBooks, k.name, k.currency, a.balance, sum)
		}
	}
	return nil
}
