package terminal

import (
	"slices"
	"time"
)

// defaultJournal is how many transactions fit into a batch of a profile that doesn't say.
const defaultJournal = 300

// journalRow is one approved transaction.
type journalRow struct {
	Kind   string    `json:"kind"`   // the operation
	MTI    string    `json:"mti"`    // of its request
	STAN   string    `json:"stan"`   // of its request
	Batch  string    `json:"batch"`  // in which it was made
	Amount int64     `json:"amount"` // minor units, as approved
	RRN    string    `json:"rrn,omitempty"`
	Auth   string    `json:"auth,omitempty"`
	Card   string    `json:"card"` // masked
	PAN    string    `json:"pan"`  // for void and batch upload; as little as the reversal's it leaves NVRAM for anything but the host
	Expiry string    `json:"expiry,omitempty"`
	At     time.Time `json:"at"`
	// Void: it was taken back. Closed: an authorisation that was completed. Offline: the host hears of it
	// by an advice.
	Void    bool `json:"void,omitempty"`
	Closed  bool `json:"closed,omitempty"`
	Offline bool `json:"offline,omitempty"`
	// Refunded is how much of it was given back, minor units.
	Refunded int64 `json:"refunded,omitempty"`
}

// credit says that the row gives money to the card.
func (r journalRow) credit() bool { return r.Kind == opRefund }

// counts says that the row is part of the batch's totals: an authorisation only holds money.
func (r journalRow) counts() bool { return !r.Void && r.Kind != opAuthorisation }

// row is what the journal keeps of a transaction.
func (a *app) row(s *sale) journalRow {
	return journalRow{
		Kind: s.kind, MTI: s.mti, STAN: s.stan, Batch: a.memory.batchNumber(), Amount: s.amount, RRN: s.rrn, Auth: s.auth,
		Card: maskedPAN(s.card.pan), PAN: s.card.pan, Expiry: s.card.expiry, At: s.at,
	}
}

// enter adds a row, notes on the one with the original STAN what became of it, forgets the reversal and keeps the receipt
// that is to be printed, with what else changes: all of it or nothing.
func (m *memory) enter(row journalRow, original string, receipt *slip, also func(*state)) error {
	return m.save(func(s *state) {
		s.Journal = append(slices.Clone(s.Journal), row)
		for i := range s.Journal {
			if s.Journal[i].STAN == original {
				row.mark(&s.Journal[i])
			}
		}
		s.Pending, s.Slip = nil, receipt
		also(s)
	})
}

// mark notes on the transaction that a row is about what became of it.
func (r journalRow) mark(original *journalRow) {
	switch r.Kind {
	case opRefund:
		original.Refunded += r.Amount
	case opCompletion:
		original.Closed = true
	}
}

// amend changes the row with a STAN, and what else.
func (m *memory) amend(stan string, change func(*journalRow), also func(*state)) error {
	return m.save(func(s *state) {
		s.Journal = slices.Clone(s.Journal)
		for i := range s.Journal {
			if s.Journal[i].STAN == stan {
				change(&s.Journal[i])
			}
		}
		also(s)
	})
}

// find gives the newest row with a STAN; nil when there is none.
func (m *memory) find(stan string) *journalRow {
	for _, row := range slices.Backward(m.Journal) {
		if row.STAN == stan {
			return &row
		}
	}
	return nil
}

// totals are counts and sums (minor units) of a batch.
type totals struct {
	debitCount, creditCount   int
	debitAmount, creditAmount int64
}

func (m *memory) totals() totals {
	var t totals
	for _, row := range m.Journal {
		switch {
		case !row.counts():
		case row.credit():
			t.creditCount++
			t.creditAmount += row.Amount
		default:
			t.debitCount++
			t.debitAmount += row.Amount
		}
	}
	return t
}

// closeBatch empties the journal and opens the next batch. Authorisations that were not completed stay.
func (m *memory) closeBatch(receipt *slip) error {
	return m.save(func(s *state) {
		var open []journalRow
		for _, row := range s.Journal {
			if row.Kind == opAuthorisation && !row.Void && !row.Closed {
				open = append(open, row)
			}
		}
		s.Journal, s.Upload, s.Slip, s.Settling = open, nil, receipt, false
		s.Dropped = nil // they are on the slip
		s.Batch = s.Batch%maxBatch + 1
	})
}

// full says that no further transaction fits into the batch.
func (m *memory) full() bool { return len(m.Journal) >= m.limit }
