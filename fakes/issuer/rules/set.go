package rules

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/protocol/mask"
)

// Limits of a set.
const (
	MaxRules     = 1000
	MaxPriority  = 1000
	MaxAnswers   = 1000 // of one rule
	MaxScenarios = 100
	MaxStates    = 100 // of one scenario
	MaxName      = 200 // bytes of the name of a rule, a scenario or a state
)

// Set is a set of rules that is without fault: every word is known, and no two rules claim the same
// message. It does not change.
type Set struct {
	terms     Terms
	source    client.Setup
	rules     []*rule // by priority
	otherwise string
}

// unexpected is the reason that messages which no rule expects are declined for.
const unexpected = "system-error"

// rule is a rule made ready for use. It does not change; its counts are the engine's.
type rule struct {
	source   client.Rule
	index    int // in the setup
	priority int
	match    *Matcher
	rest     string // what two rules share that select the same messages, occurrences apart
	times    occurrences
	answers  []*answer
	cycle    bool
}

// FromSetup makes a set of rules that came over the API. The error joins an *Error for everything that is
// wrong.
func FromSetup(s client.Setup, t Terms) (*Set, error) {
	return compile(s, t, &complaints{place: inSetup(s)})
}

// Setup gives the rules as they were written.
func (s *Set) Setup() client.Setup { return s.source }

// With gives a set with one rule more, behind the others.
func (s *Set) With(r client.Rule) (*Set, error) {
	more := s.source
	more.Rules = append(slices.Clone(more.Rules), r)
	return FromSetup(more, s.terms)
}

// Without gives a set without the rule of this name; false if there is none.
func (s *Set) Without(name string) (*Set, bool, error) {
	fewer := s.source
	fewer.Rules = slices.DeleteFunc(slices.Clone(fewer.Rules), func(r client.Rule) bool { return r.Name == name })
	if len(fewer.Rules) == len(s.source.Rules) {
		return s, false, nil
	}
	next, err := FromSetup(fewer, s.terms)
	return next, true, err
}

func compile(source client.Setup, t Terms, c *complaints) (*Set, error) {
	s := &Set{terms: t, source: source, otherwise: cmp.Or(source.Otherwise, client.OtherwiseViolation)}
	words := []string{client.OtherwiseViolation, client.OtherwiseBooks}
	if !slices.Contains(words, s.otherwise) {
		c.add([]string{"otherwise"}, "%s", strict.UnknownMessage("word", s.otherwise, words))
	}
	checkScenarios(source.Scenarios, c)
	if n := len(source.Rules); n > MaxRules {
		c.add([]string{"rules"}, "%d rules, at most %d", n, MaxRules)
		return nil, c.err()
	}
	names := map[string]int{}
	for i, r := range source.Rules {
		place := []string{"rules", strconv.Itoa(i)}
		if first, taken := names[r.Name]; taken {
			c.add(at(place, "name"), "the name is taken by rule %d", first+1)
		} else {
			names[r.Name] = i
		}
		s.rules = append(s.rules, s.rule(i, r, c, place))
	}
	if err := c.err(); err != nil { // conflicts between rules that are wrong themselves explain nothing
		return nil, err
	}
	s.conflicts(c)
	slices.SortStableFunc(s.rules, func(a, b *rule) int { return cmp.Compare(a.priority, b.priority) })
	if err := c.err(); err != nil {
		return nil, err
	}
	return s, nil
}

// rule makes one rule ready.
func (s *Set) rule(i int, r client.Rule, c *complaints, place []string) *rule {
	out := &rule{source: r, index: i, priority: cmp.Or(r.Priority, client.DefaultPriority), cycle: r.Cycle}
	switch {
	case r.Name == "":
		c.add(at(place, "name"), "it has no name")
	case len(r.Name) > MaxName:
		c.add(at(place, "name"), "%d bytes, at most %d", len(r.Name), MaxName)
	case mask.Text(r.Name) != r.Name: // it stands in journals and reports
		c.add(at(place, "name"), "the name has what looks like a card number in it")
	}
	switch {
	case s.source.Ordered && r.Priority != 0:
		c.add(at(place, "priority"), "ordered rules have their place as priority: leave out one of the two")
	case s.source.Ordered:
		out.priority = i
	case r.Priority < 0 || r.Priority > MaxPriority:
		c.add(at(place, "priority"), "%d: want 1 to %d", r.Priority, MaxPriority)
	}
	var wrong string
	if out.times, wrong = occurrencesOf(r.Match); wrong != "" {
		c.add(at(place, "match"), "%s", wrong)
	}
	out.match = newMatcher(r.Match, s.terms, c, at(place, "match"))
	out.rest = restOf(r)
	s.checkWhen(r, c, place)
	s.answers(out, c, place)
	return out
}

// answers makes a rule's answers ready.
func (s *Set) answers(out *rule, c *complaints, place []string) {
	r := out.source
	switch n := len(r.Answers); {
	case n == 0:
		if r.Cycle {
			c.add(at(place, "cycle"), "only a rule with answers, one after the other, can begin again")
		}
		out.answers = []*answer{newAnswer(r.Answer, s.terms, c, at(place, "answer"))}
		return
	case n > MaxAnswers:
		c.add(at(place, "answers"), "%d, at most %d", n, MaxAnswers)
		return
	case !plain(r.Answer):
		c.add(at(place, "answers"), "answer and answers exclude each other")
	}
	for i, a := range r.Answers {
		out.answers = append(out.answers, newAnswer(a, s.terms, c, at(place, "answers", strconv.Itoa(i))))
	}
}

// restOf writes down what a rule selects, occurrences apart.
func restOf(r client.Rule) string {
	m, when := r.Match, client.When{}
	m.Nth, m.Every, m.From, m.To = 0, 0, 0, 0
	if r.When != nil {
		when = *r.When
	}
	text := fmt.Sprintf("%q %q %q %q %q", m.MTI, m.Operation, m.Card, m.Terminal, when)
	if m.Amount != nil {
		text += fmt.Sprintf(" %d-%d", m.Amount.Min, upper(m.Amount))
	}
	for _, path := range slices.Sorted(maps.Keys(m.Fields)) {
		text += fmt.Sprintf(" %q=%q", path, m.Fields[path])
	}
	return text
}

// conflicts complains of rules that claim the same message, and of rules that can never be used.
func (s *Set) conflicts(c *complaints) {
	for j, later := range s.rules {
		for i, earlier := range s.rules[:j] {
			first, second := earlier, later
			if first.priority > second.priority {
				first, second = second, first
			}
			switch {
			case earlier.priority == later.priority && !earlier.excludes(later):
				c.add([]string{"rules", strconv.Itoa(j)}, "ambiguous: rule %d %q has the priority %d too, and both can match the same message; "+
					"give one of them a lower priority, which is tried first, or conditions that exclude each other",
					i+1, earlier.source.Name, earlier.priority)
			case first.priority < second.priority && first.times.all() && first.rest == second.rest:
				c.add([]string{"rules", strconv.Itoa(second.index)}, "it is never used: rule %d %q matches the same messages and comes before it",
					first.index+1, first.source.Name)
			}
		}
	}
}
