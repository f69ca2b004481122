package rules

import (
	"fmt"
	"math"

	"github.com/assay-hil/assay/fakes/issuer/client"
)

// maxOccurrence bounds the numbers by which a rule names occurrences.
const maxOccurrence = 1_000_000

// occurrences are the multiples of every from from to to, both included.
type occurrences struct{ every, from, to int }

// all has every occurrence.
func (o occurrences) all() bool { return o == occurrences{1, 1, math.MaxInt} }

func (o occurrences) has(n uint64) bool {
	return n >= uint64(o.from) && n <= uint64(o.to) && n%uint64(o.every) == 0
}

// excludes says that no number is in both.
func (o occurrences) excludes(p occurrences) bool {
	from, to := max(o.from, p.from), min(o.to, p.to)
	step := o.every / gcd(o.every, p.every) * p.every
	return from > to || (from+step-1)/step > to/step // the first multiple lies beyond the last
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// occurrencesOf reads the occurrence of a match; the text says what is wrong with it.
func occurrencesOf(m client.Match) (o occurrences, wrong string) {
	for _, x := range []struct {
		name string
		n    int
	}{{"nth", m.Nth}, {"every", m.Every}, {"from", m.From}, {"to", m.To}} {
		if x.n < 0 || x.n > maxOccurrence {
			return o, fmt.Sprintf("%s %d: want 1 to %d, or 0 for none", x.name, x.n, maxOccurrence)
		}
	}
	switch {
	case m.Nth > 0 && (m.Every > 0 || m.From > 0 || m.To > 0):
		return o, "nth excludes every, from and to"
	case m.Nth > 0:
		return occurrences{1, m.Nth, m.Nth}, ""
	}
	o = occurrences{max(m.Every, 1), max(m.From, 1), math.MaxInt}
	if m.To > 0 {
		o.to = m.To
	}
	if o.excludes(o) {
		return o, fmt.Sprintf("every %d from %d to %d is no occurrence at all", o.every, o.from, o.to)
	}
	return o, ""
}
