package bank

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// Request is a message as the bank understands it. Understand makes it.
type Request struct {
	Payload []byte
	Message iso8583.Message // as far as it could be read
	// Operation is what the dialect takes the message for; nil: nothing that it knows.
	Operation *hosts.Operation
	// Card is the ID of the card that it is about, "" where it names none that the bank has.
	Card string
	// Err says why the message could not be read to its end; nil: it could.
	Err error

	pan, expiry string // of field 2 or track 2
	card        *cards.Card
	label       string // an unreadable message in words, for faults
}

// Terminal is the request's DE41.
func (r *Request) Terminal() string { return r.Message.Fields[fieldTerminal] }

// Understand reads a message and finds what it is about. With an error, which is Request.Err too, the
// request is still good for Process (a format error is answered as such) and Refuse.
func (b *Bank) Understand(payload []byte) (Request, error) {
	r := Request{Payload: payload}
	r.Message, r.Err = b.codec.UnpackPartial(payload)
	if r.Err != nil {
		// What was read may be shifted into wrong fields: only what Identify has checked is spoken of.
		id, _ := b.codec.Identify(payload) // its error is in r.Err already
		r.label = label(id.MTI, id.Terminal, id.STAN)
		return r, r.Err
	}
	f := r.Message.Fields
	r.Operation = b.host.Operation(b.codec, r.Message)
	r.pan, r.expiry = f[fieldPAN], f[fieldExpiry]
	if number, rest, found := cutTrack(f[fieldTrack2]); found {
		if r.pan == "" {
			r.pan = number
		}
		if r.expiry == "" && len(rest) >= expiryLength {
			r.expiry = rest[:expiryLength]
		}
	}
	if c := b.cards[r.pan]; c != nil {
		r.card, r.Card = c, c.ID
	}
	return r, nil
}

// expiryLength is YYMM, serviceLength that of the service code after it (ISO/IEC 7813).
const (
	expiryLength  = 4
	serviceLength = 3
)

// cutTrack splits track 2 at its separator.
func cutTrack(track string) (pan, rest string, found bool) {
	i := strings.IndexAny(track, "=D")
	if i < 0 {
		return "", "", false
	}
	return track[:i], track[i+1:], true
}

// label names a message by what could be read of it.
func label(mti, terminal, stan string) string {
	if mti == "" {
		mti = "message"
	}
	if terminal != "" {
		mti += " terminal " + terminal
	}
	if stan != "" {
		mti += " STAN " + stan
	}
	return mti
}

// inquiry is a request on its way through the bank: what it says, and what was found out about it
// without the books.
type inquiry struct {
	Request
	options Options
	f       map[int]string

	amount   int64 // -1: not there or no number
	currency string
	chip     emv.List
	identity string
	named    map[string]string // of the original, by hosts.OriginalKeys
	faults   []string

	proof proof // of the card, see secure.go
}

// fault notes a protocol error. The text must not contain card data.
func (q *inquiry) fault(format string, args ...any) {
	name := q.label
	if name == "" {
		name = label(q.Message.MTI, q.Message.Fields[fieldTerminal], q.Message.Fields[fieldSTAN])
	}
	q.faults = append(q.faults, name+": "+fmt.Sprintf(format, args...))
}

// read takes a request apart and says what is wrong with its form, "" for nothing.
func (b *Bank) read(q *inquiry) (reason string) {
	q.f = q.Message.Fields
	if q.Err != nil {
		q.fault("unreadable message: %v", q.Err)
		return formatError
	}
	if q.Operation == nil {
		q.fault("not a request that this host knows")
		return invalidTransaction
	}
	if missing := q.Operation.Missing(b.codec, q.Message); len(missing) > 0 {
		q.fault("field %d is missing", missing[0])
		return formatError
	}
	q.amount, q.currency = -1, q.f[fieldCurrency]
	if s, ok := q.f[fieldAmount]; ok {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			q.amount = n
		}
	}
	if !q.consistent() {
		return formatError
	}
	q.named = b.namedOriginal(q)
	q.identity = b.identityOf(q.Message, nil)
	return ""
}

// consistent says whether fields that carry the same thing agree.
func (q *inquiry) consistent() bool {
	if track := q.f[fieldTrack2]; track != "" {
		number, rest, _ := cutTrack(track)
		if number != q.pan || !strings.HasPrefix(rest, q.expiry) {
			q.fault("field 35 is not of the card in fields 2 and 14")
			return false
		}
	}
	if q.f[fieldChip] == "" {
		return true
	}
	raw, err := hex.DecodeString(q.f[fieldChip])
	var data emv.Data
	if err == nil {
		data, err = emv.Read(raw)
	}
	q.chip = data.List
	if err != nil {
		q.fault("field 55 is not TLV data")
		return false
	}
	amount, ok := q.chip.Find(emv.TagAmount)
	if ok && q.amount >= 0 && hex.EncodeToString(amount) != q.f[fieldAmount] {
		q.fault("tag 9F02 in field 55 is not the amount in field 4")
		return false
	}
	return true
}

// namedOriginal reads what a request says of the transaction that it is about; zeros say nothing.
func (b *Bank) namedOriginal(q *inquiry) map[string]string {
	var named map[string]string
	for name, path := range b.paths.original[q.Operation] {
		value, ok := b.codec.Get(q.Message, path)
		if !ok || strings.Trim(value, "0 ") == "" {
			continue
		}
		if named == nil {
			named = make(map[string]string)
		}
		named[name] = value
	}
	return named
}

// identityOf are the values that tell a transaction from every other. For the transaction that a message names
// as its original they are the message's own but STAN, time and batch, if those are named.
func (b *Bank) identityOf(m iso8583.Message, named map[string]string) string {
	const usual = 64
	key := make([]byte, 0, usual)
	for i, path := range b.paths.identity {
		if i > 0 {
			key = append(key, '|')
		}
		value, _ := b.codec.Get(m, path)
		other := ""
		switch {
		case path == b.paths.batch && !path.IsZero():
			other = named["batch"]
		case path.Field() == fieldSTAN:
			other = named["stan"]
		case path.Field() == fieldTime || path.Field() == fieldTransmission:
			other = named["time"]
		}
		if other != "" && len(other) == len(value) {
			value = other
		}
		key = append(key, value...)
	}
	return string(key)
}
