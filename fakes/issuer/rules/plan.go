package rules

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// End is what becomes of a connection after an act.
type End string

// The ends of an act. A stalled connection stays open, and nothing more is written to it.
const (
	Stay  End = ""
	Close End = client.EndClose
	Reset End = client.EndReset
	Stall End = client.EndStall
)

// Act is one thing to do with a connection.
type Act struct {
	Wait  time.Duration // before it, from the act before
	Bytes []byte        // to write, frames and all; may be empty
	// Chunk is how many of the bytes are written at a time, with Gap between two writes; 0 is all of them.
	Chunk int
	Gap   time.Duration
	// Hold keeps the bytes back and sends them in one write with the connection's next ones.
	Hold bool
	End  End
}

// Plan is how an answer goes out.
type Plan struct {
	// Message and Payload are the answer as it is sent, for the journal; empty when none is sent.
	Message iso8583.Message
	Payload []byte
	Acts    []Act
}

// Seal packs a message, with a MAC where it has a place for one: a value in the MAC's field, which is replaced.
type Seal func(iso8583.Message) ([]byte, error)

// ErrNothing: an answer has nothing where a rule wants to make something wrong.
var ErrNothing = errors.New("the answer has none")

// Plan says how a reply goes out. A reply without MTI is none. An error means that the rule
// cannot be applied to this reply, or that the reply cannot be packed: nothing is to be sent then, and it is a
// violation. Errors have no card data.
func (d Decision) Plan(codec *iso8583.Codec, reply iso8583.Message, seal Seal) (Plan, error) {
	a := d.answer
	if a == nil {
		a = &answer{plain: true}
	}
	if a.source.Never || reply.MTI == "" {
		return a.silence(), nil
	}
	p, err := a.plan(codec, d.request, reply, seal)
	if err != nil && d.Rule != "" {
		err = fmt.Errorf("rule %q cannot be applied: %w", d.Rule, err)
	}
	return p, err
}

// silence is the plan without an answer.
func (a *answer) silence() Plan {
	if a.source.End == "" {
		return Plan{}
	}
	return Plan{Acts: []Act{{Wait: a.source.Late, End: End(a.source.End)}}}
}

func (a *answer) plan(codec *iso8583.Codec, request, reply iso8583.Message, seal Seal) (Plan, error) {
	if !a.plain {
		changed, err := a.change(codec, request, reply)
		if err != nil {
			return Plan{}, err
		}
		reply = changed
		if a.noMAC {
			seal = codec.Pack
		}
	}
	payload, err := seal(reply)
	if err != nil {
		return Plan{}, err
	}
	if !a.plain {
		if payload, err = a.spoil(codec, payload); err != nil {
			return Plan{}, err
		}
	}
	return Plan{Message: reply, Payload: payload, Acts: a.acts(codec.Dialect().Framing, payload)}, nil
}

// change applies what changes fields to a copy of the reply.
func (a *answer) change(codec *iso8583.Codec, request, reply iso8583.Message) (iso8583.Message, error) {
	reply.Fields = maps.Clone(reply.Fields)
	if a.source.Exact {
		mac := codec.Dialect().MAC
		maps.DeleteFunc(reply.Fields, func(n int, _ string) bool { return n != fieldCode && (mac == nil || n != mac.Field) })
	}
	for _, path := range a.copy {
		value, ok := codec.Get(request, path)
		if !ok {
			continue
		}
		if err := codec.Set(&reply, path, value); err != nil {
			return reply, fmt.Errorf("copy %s: %w", path, err)
		}
	}
	for _, x := range a.set {
		if err := codec.Set(&reply, x.path, x.value); err != nil {
			return reply, fmt.Errorf("set %s: %w", x.path, err)
		}
	}
	for _, word := range a.source.Wrong {
		if err := a.falsify(codec, &reply, word); err != nil {
			return reply, fmt.Errorf("wrong %s: %w", word, err)
		}
	}
	for _, n := range a.drop {
		delete(reply.Fields, n)
	}
	return reply, nil
}

// falsify makes one named part of a reply wrong; the MAC's turn comes when it is made.
func (a *answer) falsify(codec *iso8583.Codec, m *iso8583.Message, word string) error {
	field := map[string]int{"stan": fieldSTAN, "terminal": fieldTerminal, "amount": fieldAmount}[word]
	value, present := m.Fields[field]
	if field != 0 && (!present || value == "") {
		return ErrNothing
	}
	switch word {
	case "stan", "amount":
		m.Fields[field] = oneMore(value)
	case "terminal":
		m.Fields[field] = value[:len(value)-1] + oneMore(value[len(value)-1:])
	case "mti":
		m.MTI = otherClass(m.MTI)
	case "arpc":
		value, ok := codec.Get(*m, a.arpc)
		if !ok {
			return ErrNothing
		}
		return codec.Set(m, a.arpc, otherBits(value))
	}
	return nil
}

// oneMore counts digits up by one, in as many places; what is no number becomes as many zeroes.
func oneMore(s string) string {
	n, _ := strconv.ParseUint(s, 10, 64)
	if strings.Trim(s, "0123456789") != "" {
		return strings.Repeat("0", len(s))
	}
	text := fmt.Sprintf("%0*d", len(s), n+1)
	return text[len(text)-len(s):]
}

// otherClass gives an MTI of another class: financial, or reversal for one that is financial already.
func otherClass(mti string) string {
	class := "2"
	if mti[1] == '2' {
		class = "4"
	}
	return mti[:1] + class + mti[2:]
}

// otherBits changes the first byte of hexadecimal text.
func otherBits(s string) string {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) == 0 {
		return s
	}
	b[0] ^= 0xFF
	return strings.ToUpper(hex.EncodeToString(b))
}

// acts gives the acts that bring a payload onto the wire.
func (a *answer) acts(f iso8583.Framing, payload []byte) []Act {
	frame := a.frame(f, payload)
	s := a.source
	first := Act{Wait: s.Late, Bytes: frame, Hold: s.Merge && s.Duplicate == 0}
	if s.Merge {
		for range s.Duplicate {
			first.Bytes = append(first.Bytes, frame...)
		}
	}
	if s.Dribble != nil {
		first.Chunk, first.Gap = s.Dribble.Bytes, s.Dribble.Every
	}
	acts := []Act{first}
	if !s.Merge {
		for range s.Duplicate {
			copied := first
			copied.Wait = 0
			acts = append(acts, copied)
		}
	}
	acts[len(acts)-1].End = End(s.End)
	return acts
}

// Unsolicited makes a message that nobody asked for. DE41 is the terminal's unless u sets it; with any value
// in the MAC's field it gets a MAC. The
// error is a *iso8583.PathError for an unknown path, else says why the message cannot be packed.
func Unsolicited(codec *iso8583.Codec, u client.Unsolicited, terminal string, seal Seal) (Plan, error) {
	m := iso8583.Message{MTI: u.MTI, Fields: map[int]string{}}
	if _, has := codec.Dialect().Fields[fieldTerminal]; has && terminal != "" {
		m.Fields[fieldTerminal] = terminal
	}
	for text, value := range u.Fields {
		p, err := codec.Path(text)
		if err != nil {
			return Plan{}, err
		}
		if err := codec.Set(&m, p, value); err != nil {
			return Plan{}, fmt.Errorf("%s: %w", text, err)
		}
	}
	payload, err := seal(m)
	if err != nil {
		return Plan{}, err
	}
	frame, err := codec.Dialect().Framing.AppendFrame(nil, payload)
	if err != nil {
		return Plan{}, err
	}
	return Plan{Message: m, Payload: payload, Acts: []Act{{Wait: u.After, Bytes: frame}}}, nil
}
