package terminal

import (
	"encoding/json"
	"fmt"
	"time"
)

// The records in NVRAM, all JSON.
const (
	recordSTAN     = "stan"     // the last one used
	recordBatch    = "batch"    // the open one
	recordJournal  = "journal"  // the approved sales of the open batch
	recordReversal = "reversal" // the sale whose end is not known; at most one
)

const (
	maxSTAN  = 999999
	maxBatch = 999999
	// maxJournal is how many sales fit into a batch; then it must be settled.
	maxJournal = 300
)

// Reasons of a reversal (DE39 of a 0400).
const (
	reasonNoReply = "98"
	reasonOther   = "06"
)

// journalRow is one approved sale.
type journalRow struct {
	STAN   string    `json:"stan"`
	Amount int64     `json:"amount"` // minor units
	RRN    string    `json:"rrn,omitempty"`
	Auth   string    `json:"auth,omitempty"`
	Card   string    `json:"card"` // masked
	At     time.Time `json:"at"`
}

// pendingReversal is a sale that the host may have charged and the terminal has not approved.
type pendingReversal struct {
	// Fields of the 0400 by number, complete but for DE7 and DE39, which are those of the sending.
	Fields map[int]string `json:"fields"`
	Reason string         `json:"reason"` // DE39 of the 0400
}

// memory is what the terminal must not forget. It is read once at power-on; every change
// goes to NVRAM at once, and changes that belong together in one commit.
type memory struct {
	nvram   *NVRAM
	stan    int
	batch   int
	rows    []journalRow
	pending *pendingReversal
}

// loadMemory reads NVRAM. A record that can't be read is an error: guessing would lose money.
func loadMemory(nvram *NVRAM) (*memory, error) {
	m := &memory{nvram: nvram, batch: 1}
	for name, into := range map[string]any{
		recordSTAN: &m.stan, recordBatch: &m.batch, recordJournal: &m.rows, recordReversal: &m.pending,
	} {
		raw := nvram.Get(name)
		if len(raw) == 0 {
			continue
		}
		if err := json.Unmarshal(raw, into); err != nil {
			return nil, fmt.Errorf("NVRAM record %q: %w", name, err)
		}
	}
	return m, nil
}

// encode makes a record. The types above always have a JSON form.
func encode(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("terminal: NVRAM record: %v", err))
	}
	return raw
}

// nextSTAN takes the next number, from 1 to 999999 and around.
func (m *memory) nextSTAN() string {
	m.stan = m.stan%maxSTAN + 1
	m.nvram.Commit(map[string][]byte{recordSTAN: encode(m.stan)})
	return fmt.Sprintf("%06d", m.stan)
}

func (m *memory) savePending(p pendingReversal) {
	m.pending = &p
	m.nvram.Commit(map[string][]byte{recordReversal: encode(p)})
}

func (m *memory) dropPending() {
	m.pending = nil
	m.nvram.Commit(map[string][]byte{recordReversal: nil})
}

// approve enters a sale and forgets its reversal, both or neither.
func (m *memory) approve(row journalRow) {
	m.rows = append(m.rows, row)
	m.rows = m.rows[max(0, len(m.rows)-maxJournal):]
	m.pending = nil
	m.nvram.Commit(map[string][]byte{recordJournal: encode(m.rows), recordReversal: nil})
}

// closeBatch empties the journal and opens the next batch, both or neither.
func (m *memory) closeBatch() {
	m.rows = nil
	m.batch = m.batch%maxBatch + 1
	m.nvram.Commit(map[string][]byte{recordJournal: nil, recordBatch: encode(m.batch)})
}

// totals are the count and the sum (minor units) of the open batch.
func (m *memory) totals() (count int, sum int64) {
	for _, row := range m.rows {
		sum += row.Amount
	}
	return len(m.rows), sum
}

// full says that no further sale fits into the batch.
func (m *memory) full() bool { return len(m.rows) >= maxJournal }

func (m *memory) batchNumber() string { return fmt.Sprintf("%06d", m.batch) }
