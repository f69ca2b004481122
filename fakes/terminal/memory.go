package terminal

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strconv"
)

// The memory is written whole, in turn into one of two records of NVRAM, each with a number and a checksum. A
// write that a power cut has torn is seen by its checksum; the record before it is then what holds, and
// that is as if the cut had come a moment earlier.
func slots() []string { return []string{"memory.0", "memory.1"} }

const (
	// checksumDigits is the length of the CRC-32 behind a record, in hexadecimal.
	checksumDigits = 8
	maxSTAN        = 999999
	maxBatch       = 999999
)

// state is all that must not be forgotten.
type state struct {
	// Write counts the writes: the record with the highest is the newest.
	Write uint64 `json:"write"`
	STAN  int    `json:"stan"`  // the last one used
	Batch int    `json:"batch"` // the open one
	// Journal are the transactions of the open batch that were approved.
	Journal []journalRow `json:"journal,omitempty"`
	// Pending is the transaction whose end is not known; at most one.
	Pending *pendingReversal `json:"pending,omitempty"`
	// Dropped are reversals that were given up: the host may have charged what the shop has not sold.
	Dropped []pendingReversal `json:"dropped,omitempty"`
	// Scripts are results of issuer scripts, Advices what took place without the host; both wait to be told.
	Scripts []message `json:"scripts,omitempty"`
	Advices []message `json:"advices,omitempty"`
	// Settling: the totals were sent and no verdict on them is known. The host may have closed the batch.
	Settling bool `json:"settling,omitempty"`
	// Upload is a batch upload under way.
	Upload *upload `json:"upload,omitempty"`
	// Slip is the receipt that was printed last, or is still to be.
	Slip *slip `json:"slip,omitempty"`
}

// message is a request to be sent later; its STAN is its own already.
type message struct {
	Operation string         `json:"operation"`
	MTI       string         `json:"mti"`
	Fields    map[int]string `json:"fields"`
}

// memory holds the state in RAM and in NVRAM.
type memory struct {
	state
	// logon is what the last sign-on brought; nil: there was none yet, or what it brought is lost.
	logon   *workingKeys
	loads   loads
	nvram   *NVRAM
	defects planted
	// limit is how many rows fit into the journal.
	limit int
}

// errMemory: neither record of the memory can be trusted. Guessing would lose money.
var errMemory = ending{promptMemoryError}

// loadMemory reads NVRAM. It returns errMemory when records are there and none is whole.
func loadMemory(nvram *NVRAM, limit int, defects planted) (*memory, error) {
	m := &memory{nvram: nvram, limit: limit, defects: defects, state: state{Batch: 1}}
	m.readBacked()
	found, whole := false, false
	for _, slot := range slots() {
		raw := nvram.Get(slot)
		if len(raw) == 0 {
			continue
		}
		found = true
		s, err := unseal[state](raw)
		if err != nil && defects.has(defectTornAccepted) {
			return &memory{nvram: nvram, limit: limit, defects: defects, state: state{Batch: 1}}, nil
		}
		if err == nil && s.Write >= m.Write {
			m.state, whole = s, true
		}
	}
	if found && !whole {
		return m, errMemory
	}
	if defects.has(defectSTANRestarts) {
		m.STAN = 0
		for _, row := range m.Journal {
			_, _ = fmt.Sscanf(row.STAN, "%d", &m.STAN) // the last one stands
		}
	}
	return m, nil
}

// seal writes a record: JSON and its checksum.
func seal(what any) []byte {
	raw, err := json.Marshal(what)
	if err != nil {
		panic(fmt.Sprintf("terminal: memory: %v", err)) // the types above always have a JSON form
	}
	return fmt.Appendf(raw, "%08x", crc32.ChecksumIEEE(raw))
}

// unseal reads one. Error: errMemory, when it is torn or none.
func unseal[T any](raw []byte) (T, error) {
	var what T
	body := len(raw) - checksumDigits
	if body < 0 {
		return what, errMemory
	}
	sum, err := strconv.ParseUint(string(raw[body:]), 16, 32)
	if err != nil || uint32(sum) != crc32.ChecksumIEEE(raw[:body]) {
		return what, errMemory
	}
	return what, json.Unmarshal(raw[:body], &what)
}

// Age makes an empty NVRAM that of a terminal which has used trace numbers up to one, and settled all of that. It has signed on
// before.
func Age(nvram *NVRAM, trace int) {
	used := state{Write: 1, Batch: 1, STAN: trace}
	_ = nvram.Commit(map[string][]byte{slots()[used.Write%2]: seal(used), recordLogon: seal(workingKeys{})}) // an NVRAM that can't be written is not aged
}

// save writes what change makes of the state. When that fails nothing has changed, in RAM neither.
func (m *memory) save(change func(*state)) error {
	next := m.state
	change(&next)
	next.Write++
	slot := slots()[next.Write%2]
	if err := m.nvram.Commit(map[string][]byte{slot: seal(next)}); err != nil {
		return ending{promptFileError}
	}
	m.state = next
	return nil
}

// nextSTAN takes the next number, from 1 to 999999 and around. Without a memory it goes on in RAM: the number
// is needed for what must not be kept back.
func (m *memory) nextSTAN() string {
	next := m.STAN%maxSTAN + 1
	if m.defects.has(defectSTANZero) {
		next = (m.STAN + 1) % (maxSTAN + 1)
	}
	if m.save(func(s *state) { s.STAN = next }) != nil {
		m.STAN = next
	}
	return fmt.Sprintf("%06d", m.STAN)
}

func (m *memory) savePending(p pendingReversal) error {
	return m.save(func(s *state) { s.Pending = &p })
}

func (m *memory) dropPending() error {
	return m.save(func(s *state) { s.Pending = nil })
}

func (m *memory) batchNumber() string { return fmt.Sprintf("%06d", m.Batch) }
