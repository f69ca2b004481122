package rules

import (
	"math"
	"strconv"

	"github.com/assay-hil/assay/fakes/issuer/client"
)

// excludes says that no message can meet the conditions of both. It is a proof where it says so; where
// it does not, there may still be none.
func (x *Matcher) excludes(y *Matcher) bool {
	switch {
	case x.mti != nil && y.mti != nil && x.mti.excludes(*y.mti),
		x.operation != "" && y.operation != "" && x.operation != y.operation,
		x.mti != nil && y.operation != "" && !answerable(*x.mti, y.operations),
		y.mti != nil && x.operation != "" && !answerable(*y.mti, x.operations),
		x.card != "" && y.card != "" && x.card != y.card,
		x.terminal != nil && y.terminal != nil && x.terminal.excludes(*y.terminal),
		x.amount != nil && y.amount != nil && apart(x.amount, y.amount):
		return true
	}
	for i := range x.fields {
		for j := range y.fields {
			if x.fields[i].excludes(&y.fields[j]) {
				return true
			}
		}
	}
	return false
}

// excludes says that no message meets both conditions: they want different things of the same path, or
// one wants a field not to be there of which the other wants a part.
func (k *condition) excludes(l *condition) bool {
	switch {
	case k.text != l.text:
		return k.path.Field() == l.path.Field() && k.absent != l.absent && (k.absent && k.whole() || l.absent && l.whole())
	case k.absent || l.absent:
		return k.absent != l.absent
	case k.present || l.present:
		return false
	}
	return k.pattern.excludes(l.pattern)
}

// whole says if the condition is about a whole field.
func (k *condition) whole() bool { return k.text == strconv.Itoa(k.path.Field()) }

func apart(a, b *client.Amount) bool {
	return upper(a) < b.Min || upper(b) < a.Min
}

func upper(a *client.Amount) int64 {
	if a.Max == nil {
		return math.MaxInt64
	}
	return *a.Max
}

// excludes says that no message can be answered by both rules.
func (r *rule) excludes(q *rule) bool {
	if r.match.excludes(q.match) {
		return true
	}
	a, b := r.source.When, q.source.When
	if a != nil && b != nil && a.Scenario == b.Scenario && a.State != "" && b.State != "" && a.State != b.State {
		return true
	}
	// Occurrences count what the rest of the rule selects: they are the same numbers only when it is the same.
	return r.rest == q.rest && r.times.excludes(q.times)
}
