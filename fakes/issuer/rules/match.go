package rules

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// Data elements that rules know by their meaning; they are the same in every edition of ISO 8583.
const (
	fieldPAN      = 2
	fieldAmount   = 4
	fieldSTAN     = 11
	fieldTrack2   = 35
	fieldCode     = 39
	fieldTerminal = 41
)

// shownDigits is how many leading digits of a card number a rule may name: enough for an issuer's
// range (ISO/IEC 7812-1), too few for a card.
const shownDigits = 8

// Terms are what rules may speak of.
type Terms struct {
	Host  *hosts.Host
	Codec *iso8583.Codec
	// Cards are the known cards; empty: rules cannot name one.
	Cards []cards.Card
}

// View is a message as rules see it.
type View struct {
	Message   iso8583.Message
	Operation *hosts.Operation // nil for a message that the dialect has none for
	Card      string           // ID of the test card; "" when it is not known (an Engine looks it up by itself)
}

// operation gives the operation's name, "" for none.
func (v View) operation() string {
	if v.Operation == nil {
		return ""
	}
	return v.Operation.Name
}

// Matcher holds messages against the conditions of a client.Match, occurrences apart. It is safe for
// concurrent use.
type Matcher struct {
	codec      *iso8583.Codec
	mti        *Pattern
	operation  string
	card       string
	terminal   *Pattern
	amount     *client.Amount
	fields     []condition
	operations []hosts.Operation // those that operation names
}

// condition is what is wanted of one path.
type condition struct {
	text    string // the path as written
	path    iso8583.Path
	want    string // as written
	absent  bool
	present bool
	pattern Pattern
}

// NewMatcher reads a match; its occurrence is not looked at. The error says everything that is wrong with it.
func NewMatcher(m client.Match, t Terms) (*Matcher, error) {
	c := &complaints{place: func(keys []string, text string) error {
		return &Error{Place: strings.Join(keys, "."), Text: text}
	}}
	compiled := newMatcher(m, t, c, []string{"match"})
	return compiled, c.err()
}

// NewReplyMatcher is NewMatcher for what the issuer sends: MTI may be any.
func NewReplyMatcher(m client.Match, t Terms) (*Matcher, error) {
	mti := m.MTI
	m.MTI = ""
	out, err := NewMatcher(m, t)
	if err != nil {
		return nil, err
	}
	if mti != "" {
		p, err := ParsePattern(mti)
		if err != nil {
			return nil, &Error{Place: "match.mti", Text: err.Error()}
		}
		out.mti = &p
	}
	return out, nil
}

func newMatcher(m client.Match, t Terms, c *complaints, place []string) *Matcher {
	out := &Matcher{codec: t.Codec, operation: m.Operation, card: m.Card, amount: m.Amount}
	out.mti = readPattern(m.MTI, c, at(place, "mti"))
	out.terminal = readPattern(m.Terminal, c, at(place, "terminal"))
	if m.Operation != "" {
		out.operations = operationsNamed(m.Operation, t.Host, c, at(place, "operation"))
	}
	if out.mti != nil && !answerable(*out.mti, t.Host.Operations) {
		c.add(at(place, "mti"), "%q: this host has no such request; it has %s", m.MTI, strings.Join(requests(t.Host), ", "))
	}
	if m.Card != "" && !slices.ContainsFunc(t.Cards, func(k cards.Card) bool { return k.ID == m.Card }) {
		c.add(at(place, "card"), "%s", strict.UnknownMessage("card", m.Card, cardIDs(t.Cards)))
	}
	if a := m.Amount; a != nil && (a.Min < 0 || a.Max != nil && *a.Max < a.Min) {
		c.add(at(place, "amount"), "min 0 or more, and max not below it, in minor units")
	}
	for _, path := range slices.Sorted(maps.Keys(m.Fields)) {
		out.condition(path, m.Fields[path], c, at(place, "fields", path))
	}
	return out
}

func readPattern(s string, c *complaints, place []string) *Pattern {
	if s == "" {
		return nil
	}
	p, err := ParsePattern(s)
	if err != nil {
		c.add(place, "%v", err)
	}
	return &p
}

func operationsNamed(name string, h *hosts.Host, c *complaints, place []string) (found []hosts.Operation) {
	var names []string
	for _, o := range h.Operations {
		names = append(names, o.Name)
		if o.Name == name {
			found = append(found, o)
		}
	}
	if found == nil {
		c.add(place, "%s", strict.UnknownMessage("operation of "+h.ID, name, slices.Compact(slices.Sorted(slices.Values(names)))))
	}
	return found
}

// answerable says if a request, or its repeat, of one of the operations can have such an MTI.
func answerable(p Pattern, operations []hosts.Operation) bool {
	return slices.ContainsFunc(operations, func(o hosts.Operation) bool {
		return p.Matches(o.Request) || p.Matches(repeat(o.Request))
	})
}

// repeat gives the MTI of a request's repeat: its last digit, the origin, is one higher (ISO 8583:1987, 4.1).
func repeat(mti string) string {
	if mti == "" {
		return ""
	}
	return mti[:len(mti)-1] + string(mti[len(mti)-1]+1)
}

func requests(h *hosts.Host) []string {
	var all []string
	for _, o := range h.Operations {
		all = append(all, o.Request)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func cardIDs(all []cards.Card) []string {
	var ids []string
	for _, k := range all {
		ids = append(ids, k.ID)
	}
	return ids
}

// condition adds what is wanted of a path.
func (x *Matcher) condition(path, want string, c *complaints, place []string) {
	p, err := x.codec.Path(path)
	if err != nil {
		c.add(place, "%v", err)
		return
	}
	k := condition{text: path, path: p, want: want, absent: want == client.PatternAbsent, present: want == client.PatternPresent}
	if !k.absent && !k.present {
		if x.codec.Dialect().Fields[p.Field()].Type == "b" { // messages have it as hexadecimal in capitals
			want = strings.ToUpper(want)
		}
		if k.pattern, err = ParsePattern(want); err != nil {
			c.add(place, "%v", err)
			return
		}
		if !x.speakable(p, k.pattern) {
			c.add(place, "the field is sensitive: want present, absent or up to %d digits and \"*\"; name the card by its ID", shownDigits)
			return
		}
	}
	x.fields = append(x.fields, k)
}

// speakable says if a pattern of this path's value may be written down.
func (x *Matcher) speakable(path iso8583.Path, p Pattern) bool {
	f := x.codec.Dialect().Fields[path.Field()]
	_, inside, _ := strings.Cut(path.String(), ".")
	switch {
	case f.Sensitive == "":
		return true
	case f.TLV && inside != "":
		return !cardTag(inside)
	}
	return f.Sensitive == "pan" && p.open && len(p.text) <= shownDigits
}

// Matches says if all conditions hold.
func (x *Matcher) Matches(v View) bool {
	if x.mti != nil && !x.mti.Matches(v.Message.MTI) || x.operation != "" && x.operation != v.operation() ||
		x.card != "" && x.card != v.Card || x.terminal != nil && !x.terminal.Matches(v.Message.Fields[fieldTerminal]) {
		return false
	}
	if x.amount != nil && !within(x.amount, v.Message.Fields[fieldAmount]) {
		return false
	}
	for i := range x.fields {
		if !x.fields[i].holds(x.codec, v.Message) {
			return false
		}
	}
	return true
}

// within says if an amount lies in a range; none does not.
func within(a *client.Amount, value string) bool {
	n, err := strconv.ParseInt(value, 10, 64)
	return err == nil && n >= a.Min && (a.Max == nil || n <= *a.Max)
}

func (k *condition) holds(codec *iso8583.Codec, m iso8583.Message) bool {
	value, ok := codec.Get(m, k.path)
	switch {
	case k.absent:
		return !ok
	case k.present:
		return ok
	}
	return ok && k.pattern.Matches(value)
}
