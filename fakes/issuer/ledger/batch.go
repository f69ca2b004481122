package ledger

type batchKey struct{ terminal, currency string }

// batch is what a terminal has done in one currency since its last Settle.
type batch struct {
	totals Totals
	list   []*item // that were counted; undone ones too
}

// count enters a charge, capture or refund into its terminal's batch, first or again.
func (b *Book) count(it *item) {
	if it.settled {
		return
	}
	k := batchKey{it.entry.Terminal, it.entry.Currency}
	x := b.batches[k]
	if x == nil {
		x = &batch{}
		b.batches[k] = x
	}
	if !it.listed {
		it.listed = true
		x.list = append(x.list, it)
	}
	x.totals.add(it, 1)
}

// uncount takes an undone one out of the totals.
func (b *Book) uncount(it *item) {
	if it.settled {
		return
	}
	b.batches[batchKey{it.entry.Terminal, it.entry.Currency}].totals.add(it, -1)
}

func (t *Totals) add(it *item, sign int64) {
	if it.entry.Kind == Refund {
		t.CreditCount += sign
		t.CreditAmount += sign * it.entry.Amount
		return
	}
	t.DebitCount += sign
	t.DebitAmount += sign * it.entry.Amount
}

// settle closes a batch: what stands in it is settled. An empty one can be closed too.
func (b *Book) settle(e *Entry) (posting, error) {
	k := batchKey{e.Terminal, e.Currency}
	return posting{then: func(*item) {
		x := b.batches[k]
		if x == nil {
			return
		}
		for _, it := range x.list {
			it.settled, it.listed = it.undone == 0, false
		}
		delete(b.batches, k)
	}}, nil
}

// Totals are what a terminal's entries sum to since its last Settle.
func (b *Book) Totals(terminal, currency string) Totals {
	b.mu.Lock()
	defer b.mu.Unlock()
	if x := b.batches[batchKey{terminal, currency}]; x != nil {
		return x.totals
	}
	return Totals{}
}

// Batch are the entries that Totals counts, in the order of posting.
func (b *Book) Batch(terminal, currency string) []Entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := b.batches[batchKey{terminal, currency}]
	if x == nil {
		return nil
	}
	var list []Entry
	for _, it := range x.list {
		if it.undone == 0 {
			list = append(list, it.entry)
		}
	}
	return list
}
