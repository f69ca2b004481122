package ledger

// Available is what a card can spend in a currency; 0 for an unknown one.
func (b *Book) Available(account, currency string) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.card(account, currency); a != nil {
		return a.balance
	}
	return 0
}

// Held is what is set aside of a card's money.
func (b *Book) Held(account, currency string) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.accounts[accountKey{"held:" + account, currency}]; a != nil {
		return a.balance
	}
	return 0
}

// Suspended is what the suspense account has paid in a currency.
func (b *Book) Suspended(currency string) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.accounts[accountKey{"suspense", currency}]; a != nil {
		return -a.balance
	}
	return 0
}

// Len is the number of entries.
func (b *Book) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.items)
}

// Get gives an entry and what has become of it.
func (b *Book) Get(seq uint64) (Standing, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if it := b.item(seq); it != nil {
		return it.standing(), true
	}
	return Standing{}, false
}

// Entries copies all entries, in their order.
func (b *Book) Entries() []Standing {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]Standing, 0, len(b.items))
	for _, it := range b.items {
		list = append(list, it.standing())
	}
	return list
}

func (it *item) standing() Standing {
	return Standing{Entry: it.entry, UndoneBy: it.undone, Settled: it.settled,
		Captured: it.captured, Held: it.held, Refunded: it.refunded}
}
