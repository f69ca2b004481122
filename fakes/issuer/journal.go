package issuer

import (
	"strconv"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// MaxJournal bounds the journal; the oldest entries go first and are counted.
const MaxJournal = 5000

// Kinds of feed events; see client.
const (
	eventReceived     = client.EventReceived
	eventSent         = client.EventSent
	eventUndelivered  = client.EventUndelivered
	eventViolation    = client.EventViolation
	eventConnected    = client.EventConnected
	eventDisconnected = client.EventDisconnected
)

// journal is the bounded list of messages, masked before they get here.
type journal struct {
	entries []client.Entry
	seq     uint64
	dropped uint64
}

func (j *journal) add(e client.Entry) {
	j.seq++
	e.Seq = j.seq
	if len(j.entries) == MaxJournal {
		j.entries = j.entries[1:]
		j.dropped++
	}
	j.entries = append(j.entries, e)
}

// list copies the entries; their maps are never changed after they were added.
func (j *journal) list() []client.Entry { return append([]client.Entry{}, j.entries...) }

// received records a message from the terminal.
func (b *bank) received(m iso8583.Message, rule, effect string) {
	b.record(eventReceived, m, rule, effect)
}

// sent records an answer, before it is written.
func (b *bank) sent(d decision) { b.record(eventSent, d.reply, d.rule, d.effect) }

// undelivered records an answer that the terminal cannot have received.
func (b *bank) undelivered(d decision) {
	b.record(eventUndelivered, d.reply, d.rule, client.EffectUndelivered)
}

// record writes a message into journal and feed.
func (b *bank) record(kind string, m iso8583.Message, rule, effect string) {
	amount, _ := strconv.ParseInt(m.Fields[fieldAmount], 10, 64) // 0 without one; n12 was checked by the codec
	e := client.Entry{
		At: time.Now(), In: kind == eventReceived, MTI: m.MTI, Terminal: m.Fields[fieldTerminal], STAN: m.Fields[fieldSTAN],
		RRN: m.Fields[fieldRRN], Code: m.Fields[fieldCode], Amount: amount, Fields: b.codec.Masked(m), Rule: rule, Effect: effect,
	}
	b.journal.add(e)
	fields := map[string]string{"mti": e.MTI}
	for name, value := range map[string]string{
		"stan": e.STAN, "terminal": e.Terminal, "code": e.Code, "rule": rule, "effect": effect,
	} {
		if value != "" {
			fields[name] = value
		}
	}
	b.events.Append(kind, fields)
}
