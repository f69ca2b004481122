package rules

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"0200", "0200", true}, {"0200", "0201", false}, {"0200", "02000", false}, {"0200", "020", false},
		{"02?0", "0210", true}, {"02*", "02", true}, {"02*", "0200", true}, {"02*", "0", false}, {"*", "", true}, {"?", "", false},
	} {
		p, err := ParsePattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Matches(c.text); got != c.want {
			t.Errorf("%q matches %q: %v", c.pattern, c.text, got)
		}
		if p.String() != c.pattern {
			t.Errorf("%q is written as %q", c.pattern, p.String())
		}
	}
	if _, err := ParsePattern("0*0"); err == nil {
		t.Error("a star in the middle is accepted")
	}
}

// excludes is right in both directions for patterns: it says so exactly when no text of a small alphabet
// matches both.
func TestPatternsExclude(t *testing.T) {
	const alphabet = "01"
	var texts []string
	for length, last := 0, []string{""}; length <= 5; length++ {
		texts = append(texts, last...)
		var next []string
		for _, s := range last {
			for _, c := range alphabet {
				next = append(next, s+string(c))
			}
		}
		last = next
	}
	rapid.Check(t, func(t *rapid.T) {
		form := rapid.StringMatching(`[01?]{0,4}\*?`)
		p, _ := ParsePattern(form.Draw(t, "p"))
		q, _ := ParsePattern(form.Draw(t, "q"))
		both := false
		for _, s := range texts {
			both = both || p.Matches(s) && q.Matches(s)
		}
		if p.excludes(q) == both {
			t.Fatalf("%s and %s: excludes %v, but a common text: %v", p, q, p.excludes(q), both)
		}
	})
}

func TestOccurrencesExclude(t *testing.T) {
	const horizon = 200
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) occurrences {
			o := occurrences{rapid.IntRange(1, 6).Draw(t, name+" every"), rapid.IntRange(1, 20).Draw(t, name+" from"), math.MaxInt}
			if rapid.Bool().Draw(t, name+" ends") {
				o.to = o.from + rapid.IntRange(0, 20).Draw(t, name+" length")
			}
			return o
		}
		o, p := draw("o"), draw("p")
		both := false
		for n := range uint64(horizon) {
			both = both || o.has(n) && p.has(n)
		}
		if o.excludes(p) == both {
			t.Fatalf("%v and %v: excludes %v, but a common number: %v", o, p, o.excludes(p), both)
		}
	})
}
