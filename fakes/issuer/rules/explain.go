package rules

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/protocol/iso8583"
	"github.com/assay-hil/assay/protocol/mask"
)

// nothing is what a difference shows where there is no value.
const nothing = "nothing"

// Differences gives the conditions that do not hold, each with what was wanted and what is there,
// card data masked.
func (x *Matcher) Differences(v View) (all []client.Difference) {
	differ := func(what, want, got string) {
		if got == "" {
			got = nothing
		}
		all = append(all, client.Difference{What: what, Want: want, Got: got})
	}
	m := v.Message
	if x.mti != nil && !x.mti.Matches(m.MTI) {
		differ("mti", x.mti.String(), m.MTI)
	}
	if x.operation != "" && x.operation != v.operation() {
		differ("operation", x.operation, v.operation())
	}
	if x.card != "" && x.card != v.Card {
		differ("card", x.card, v.Card)
	}
	if t := m.Fields[fieldTerminal]; x.terminal != nil && !x.terminal.Matches(t) {
		differ("terminal", x.terminal.String(), mask.Text(t))
	}
	if a := m.Fields[fieldAmount]; x.amount != nil && !within(x.amount, a) {
		differ("amount", rangeText(x.amount), a)
	}
	for i := range x.fields {
		if k := &x.fields[i]; !k.holds(x.codec, m) {
			differ("field "+k.text, k.want, x.shown(k, m))
		}
	}
	return all
}

// String gives the pattern as it was written.
func (p Pattern) String() string {
	if p.open {
		return p.text + "*"
	}
	return p.text
}

func rangeText(a *client.Amount) string {
	switch {
	case a.Max == nil:
		return fmt.Sprintf("%d or more", a.Min)
	case *a.Max == a.Min:
		return strconv.FormatInt(a.Min, 10)
	}
	return fmt.Sprintf("%d to %d", a.Min, *a.Max)
}

// shown gives the value at a path as it may be seen. What is in a field that is masked is masked, but for
// chip data without the card's.
func (x *Matcher) shown(k *condition, m iso8583.Message) string {
	value, ok := x.codec.Get(m, k.path)
	if !ok {
		return nothing
	}
	masked := x.codec.Masked(m)[strconv.Itoa(k.path.Field())]
	f := x.codec.Dialect().Fields[k.path.Field()]
	_, inside, _ := strings.Cut(k.text, ".")
	switch {
	case k.path.Field() < firstAnnounced:
		return mask.Text(value) // the MTI, or a part of the header
	case f.TLV && inside != "":
		if cardTag(inside) || holdsNumber(value, number(m)) {
			return fmt.Sprintf("[%d bytes]", len(value)/2)
		}
		return mask.Text(value)
	case masked != m.Fields[k.path.Field()]:
		return masked
	}
	return mask.Text(value)
}

// holdsNumber says if hexadecimal text has a card number in it, as digits or as text.
func holdsNumber(value, pan string) bool {
	return pan != "" && (strings.Contains(value, pan) || strings.Contains(value, strings.ToUpper(hex.EncodeToString([]byte(pan)))))
}
