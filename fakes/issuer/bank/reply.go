package bank

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// authLength is the length of DE38.
const authLength = 6

// result builds the answer to a request.
func (b *Bank) result(q *inquiry, out outcome) Result {
	res := Result{Effect: out.effect, Reason: out.reason, Card: q.Card}
	op := q.Operation
	if op == nil {
		op = b.nearest(q.Message)
	}
	if op != nil {
		reply, err := b.reply(q, op, out)
		if err != nil {
			q.fault("the issuer cannot write its answer: %v", err)
		} else {
			res.Reply = reply
		}
	}
	res.Faults = q.faults
	return res
}

// nearest is an operation with the message's MTI, whose reply also a message can have that means nothing;
// nil where it cannot be answered: an MTI that is no request of this host, or nobody to answer to.
func (b *Bank) nearest(m iso8583.Message) *hosts.Operation {
	if m.Fields[fieldSTAN] == "" || m.Fields[fieldTerminal] == "" {
		return nil
	}
	mti := m.MTI
	if original, repeat := iso8583.RepeatOf(mti); repeat {
		mti = original
	}
	for i := range b.host.Operations {
		if o := &b.host.Operations[i]; o.Request == mti {
			return o
		}
	}
	return nil
}

// reply writes the answer's fields.
func (b *Bank) reply(q *inquiry, op *hosts.Operation, out outcome) (iso8583.Message, error) {
	code := out.code
	if code == "" {
		code = b.host.Code(op, out.reason)
	}
	in := q.Message.Fields
	fields := make(map[int]string, len(op.Echo)+8)
	for _, n := range op.Echo {
		if v, ok := in[n]; ok {
			fields[n] = v
		}
	}
	fields[fieldCode] = code
	reply := iso8583.Message{MTI: op.Reply, Fields: fields, Header: b.codec.ReplyHeader(q.Message.Header)}
	good := out.reason == approved || out.reason == partial
	b.references(q, op, out, good, fields)
	if financial(op.Name) {
		if proof := q.answerProof(code, good); proof != "" {
			fields[fieldChip] = proof
		}
	}
	b.timestamp(op, in, fields)
	if m := b.host.Dialect.MAC; m != nil && !op.Plain {
		fields[m.Field] = noMAC
	}
	if out.amount > 0 {
		fields[fieldAmount] = fmt.Sprintf("%0*d", b.host.Dialect.Fields[fieldAmount].Length, out.amount)
	}
	if out.change != nil {
		if err := out.change(&reply); err != nil {
			return iso8583.Message{}, err
		}
	}
	return reply, nil
}

// noMAC holds the place of a MAC that Seal makes.
const noMAC = "0000000000000000"

// references are DE37 and, in an approval, DE38.
func (b *Bank) references(q *inquiry, op *hosts.Operation, out outcome, good bool, fields map[int]string) {
	if !financial(op.Name) && op.Name != opReversal && op.Name != opReversalAdvice {
		return
	}
	rrn, auth := "", ""
	if out.t != nil {
		rrn, auth = out.t.memo.RRN, out.t.memo.Auth
	}
	if rrn == "" {
		rrn = b.nextReference(q)
	}
	if b.has(fieldRRN) {
		fields[fieldRRN] = rrn
	}
	if !good || !financial(op.Name) || op.Name == opBalance || !b.has(fieldAuth) {
		return
	}
	if auth == "" {
		auth = authOf(q.options, rrn)
	}
	fields[fieldAuth] = auth
}

// authOf is the authorisation code of an approval: as it was wished for, or the end of its reference.
func authOf(o Options, rrn string) string {
	if o.Authorisation != "" {
		return o.Authorisation
	}
	return rrn[max(0, len(rrn)-authLength):]
}

// has says whether the dialect has a field.
func (b *Bank) has(n int) bool {
	_, ok := b.host.Dialect.Fields[n]
	return ok
}

// nextReference gives the next retrieval reference number (DE37), from 000000000001 in each set of books.
func (b *Bank) nextReference(q *inquiry) string {
	if q.options.RRN != "" {
		return q.options.RRN
	}
	n := b.lastReference.Add(1)
	s := strconv.FormatInt(n, 10)
	const length = 12
	return strings.Repeat("0", max(0, length-len(s))) + s
}

// timestamp gives the time where the terminal does not: in dialects whose identity has none.
func (b *Bank) timestamp(op *hosts.Operation, in, fields map[int]string) {
	if _, given := in[fieldTime]; given || b.paths.ownTime || !financial(op.Name) && op.Name != opSignOn {
		return
	}
	now := time.Now()
	switch f, ok := b.host.Dialect.Fields[fieldTime]; {
	case !ok:
	case f.Length == len("060102150405"):
		fields[fieldTime] = now.Format("060102150405")
	default:
		fields[fieldTime] = now.Format("150405")
		if b.has(fieldDate) {
			fields[fieldDate] = now.Format("0102")
		}
	}
}

// answerProof is DE55 of the answer: the issuer's cryptogram (tag 91), the response code that it is over
// where that is not DE39 (tag 8A), and in an approval the issuer script that is wished for; in hexadecimal. It is ""
// where the request had no right cryptogram to answer.
func (q *inquiry) answerProof(code string, good bool) string {
	if !q.proof.proven {
		return ""
	}
	arc, own := cardCode(code, good)
	value, err := q.proof.answer.Response(arc, good)
	if err != nil {
		return ""
	}
	list := emv.List{{Tag: emv.TagIssuerAuth, Value: value}}
	if own {
		list = append(list, emv.TLV{Tag: tagResponseCode, Value: arc[:]})
	}
	answer := list.Encode()
	if len(q.options.Script) > 0 && good {
		script, err := emv.Script{Tag: emv.TagScript2, Commands: q.options.Script}.Encode()
		if err != nil {
			q.fault("the issuer script cannot be sent: %v", err)
			return ""
		}
		answer = append(answer, script...)
	}
	return strings.ToUpper(hex.EncodeToString(answer))
}

// tagResponseCode is the authorisation response code that a card gets (EMV Book 3, annex A).
const tagResponseCode = 0x8A

// cardCode is the response code that a card gets: DE39 where that has its two characters. Three digits (1993)
// are not for cards: 00 approves, 05 declines, which is its own then.
func cardCode(code string, good bool) (arc [2]byte, own bool) {
	switch {
	case len(code) == len(arc):
		return [2]byte([]byte(code)), false
	case good:
		return [2]byte{'0', '0'}, true
	}
	return [2]byte{'0', '5'}, true
}

// Seal packs a reply to a terminal. A reply that has a MAC field gets its MAC made with the terminal's
// key, whatever is in it.
func (b *Bank) Seal(reply iso8583.Message, terminal string) ([]byte, error) {
	m := b.host.Dialect.MAC
	if m == nil {
		return b.codec.Pack(reply)
	}
	if _, ok := reply.Fields[m.Field]; !ok {
		return b.codec.Pack(reply)
	}
	key := b.keys(terminal).mac
	return b.codec.Seal(reply, func(data []byte) ([]byte, error) { return key.Sum(data), nil })
}
