// Package journal is the issuer's memory of messages: bounded, fast to write, and masked when it is
// read. What was dropped is counted. Verify asks it how many messages fit a pattern.
package journal

import (
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fakes/issuer/rules"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// Bounds of a journal. The oldest entries go first and are counted.
const (
	MaxEntries = 5000
	MaxBytes   = 32 << 20 // as estimated by cost
)

// What an entry takes besides its payload: itself and, for each field, its place in a map and its value.
const (
	costOfEntry = 512
	costOfField = 64
)

// Record is one message as the issuer knows it. The journal keeps a copy of Payload; the fields of
// Message must not be changed any more.
type Record struct {
	At         time.Time
	In         bool   // received; false: sent
	Connection string // its number
	Payload    []byte // as on the wire, without frame
	Message    iso8583.Message
	Operation  *hosts.Operation
	Card       string // ID
	Rule       string
	Effect     string
	Reason     string
}

// Journal is safe for concurrent use.
type Journal struct {
	terms rules.Terms

	mu      sync.Mutex
	ring    []Record // grows up to MaxEntries, then is written over
	oldest  int      // in ring
	count   int
	bytes   int
	last    uint64 // Seq of the newest
	dropped uint64
}

// New makes an empty journal of messages of one dialect.
func New(t rules.Terms) *Journal { return &Journal{terms: t} }

// Append adds a record and gives its Seq.
func (j *Journal) Append(r Record) uint64 {
	r.Payload = slices.Clone(r.Payload)
	size := r.cost()
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.count > 0 && (j.count == MaxEntries || j.bytes+size > MaxBytes) {
		j.drop()
	}
	switch at := j.oldest + j.count; {
	case at < len(j.ring):
		j.ring[at] = r
	case len(j.ring) < MaxEntries:
		j.ring = append(j.ring, r)
	default:
		j.ring[at-len(j.ring)] = r
	}
	j.count++
	j.bytes += size
	j.last++
	return j.last
}

// drop forgets the oldest record.
func (j *Journal) drop() {
	j.bytes -= j.ring[j.oldest].cost()
	j.ring[j.oldest] = Record{}
	if j.oldest++; j.oldest == MaxEntries {
		j.oldest = 0
	}
	j.count--
	j.dropped++
}

// cost estimates the bytes that a record keeps.
func (r *Record) cost() int {
	return costOfEntry + 2*len(r.Payload) + costOfField*len(r.Message.Fields)
}

// Reset empties the journal. Seq goes on, so that nobody takes a new entry for one already seen.
func (j *Journal) Reset() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ring, j.oldest, j.count, j.bytes, j.dropped = nil, 0, 0, 0, 0
}

// numbered is a record with its Seq.
type numbered struct {
	Record
	seq uint64
}

// after copies the records with a greater Seq.
func (j *Journal) after(seq uint64) (list []numbered, last, dropped uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	first := j.last - uint64(j.count) + 1
	for i := range j.count {
		if n := first + uint64(i); n > seq {
			list = append(list, numbered{j.ring[(j.oldest+i)%max(len(j.ring), 1)], n})
		}
	}
	return list, j.last, j.dropped
}

// After gives the entries with a greater Seq, masked; 0 gives all that are kept.
func (j *Journal) After(seq uint64) client.Journal {
	list, last, dropped := j.after(seq)
	out := client.Journal{Entries: make([]client.Entry, 0, len(list)), Last: last, Dropped: dropped}
	for _, r := range list {
		out.Entries = append(out.Entries, j.entry(r))
	}
	return out
}

// Fields that an entry has by name (ISO 8583:1987, 4.4).
const (
	fieldAmount   = 4
	fieldSTAN     = 11
	fieldRRN      = 37
	fieldCode     = 39
	fieldTerminal = 41
)

// sealed puts the MAC that a message has on the wire in place of what stood for it before it was packed.
func (j *Journal) sealed(r numbered) iso8583.Message {
	rule, m := j.terms.Codec.Dialect().MAC, r.Message
	if rule == nil || m.Fields[rule.Field] == "" {
		return m
	}
	_, given, err := j.terms.Codec.MACData(r.Payload)
	if err != nil {
		return m // bytes that a rule has spoilt
	}
	m.Fields = maps.Clone(m.Fields)
	m.Fields[rule.Field] = strings.ToUpper(hex.EncodeToString(given))
	return m
}

// entry masks a record.
func (j *Journal) entry(r numbered) client.Entry {
	m := j.sealed(r)
	amount, _ := strconv.ParseInt(m.Fields[fieldAmount], 10, 64) // 0 without one, or with one that is no number
	operation := ""
	if r.Operation != nil {
		operation = r.Operation.Name
	}
	return client.Entry{
		Seq: r.seq, At: r.At, In: r.In, MTI: m.MTI, Terminal: m.Fields[fieldTerminal], STAN: m.Fields[fieldSTAN],
		RRN: m.Fields[fieldRRN], Code: m.Fields[fieldCode], Amount: amount, Fields: j.terms.Codec.Masked(m),
		Rule: r.Rule, Effect: r.Effect, Connection: r.Connection, Operation: operation, Card: r.Card, Reason: r.Reason,
		Raw: strings.ToUpper(hex.EncodeToString(j.terms.Codec.MaskPayload(r.Payload))),
	}
}
