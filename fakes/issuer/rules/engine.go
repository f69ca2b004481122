package rules

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// Decision is what is to be done with one message.
type Decision struct {
	// Rule is the name of the rule that was used, "" for none.
	Rule string
	// Unexpected: no rule matched, and the set calls that a violation.
	Unexpected bool
	// Code is the DE39 to refuse with, posting nothing; "" processes by the books.
	Code string
	// Answer is the rule's answer as it was written; the zero Answer without a rule. Whoever executes the
	// plan looks after Late (which is in the plan too), Unsolicited and Restart.
	Answer client.Answer
	answer *answer // nil: the reply goes out as it is

	request iso8583.Message
}

// Engine applies a set of rules, message after message. It is safe for concurrent use.
type Engine struct {
	mu        sync.Mutex
	set       *Set
	cards     map[string]string // IDs by card number
	byCard    bool              // some rule names a card
	counts    map[string]*count // by the name of the rule
	list      []*count          // in the order of set.rules
	states    map[string]string
	unmatched uint64
}

// count is how often a rule was met and used.
type count struct{ seen, used uint64 }

// NewEngine makes an engine at the beginning of a set.
func NewEngine(s *Set) *Engine {
	e := &Engine{cards: map[string]string{}}
	for _, k := range s.terms.Cards {
		e.cards[k.PAN] = k.ID
	}
	e.Replace(s)
	return e
}

// Replace puts another set, of the same terms, in force, and starts counts and scenarios anew.
func (e *Engine) Replace(s *Set) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.counts, e.states, e.unmatched = map[string]*count{}, map[string]string{}, 0
	e.use(s)
}

// use puts a set in force; rules keep the counts of their name.
func (e *Engine) use(s *Set) {
	kept := make(map[string]*count, len(s.rules))
	e.set, e.byCard, e.list = s, false, make([]*count, len(s.rules))
	for i, r := range s.rules {
		n := e.counts[r.source.Name]
		if n == nil {
			n = &count{}
		}
		kept[r.source.Name], e.list[i] = n, n
		e.byCard = e.byCard || r.match.card != ""
	}
	e.counts = kept
	for scenario := range s.source.Scenarios {
		if e.states[scenario] == "" {
			e.states[scenario] = client.StateStarted
		}
	}
}

// Add puts one more rule in force, behind the others; their counts go on. The error is FromSetup's.
func (e *Engine) Add(r client.Rule) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	next, err := e.set.With(r)
	if err != nil {
		return err
	}
	e.use(next)
	return nil
}

// Remove takes a rule away; false if there is none of this name.
func (e *Engine) Remove(name string) (bool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	next, found, err := e.set.Without(name)
	if err == nil && found {
		e.use(next)
	}
	return found, err
}

// Next counts a message and decides on it.
func (e *Engine) Next(v View) Decision {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.byCard && v.Card == "" {
		v.Card = e.cards[number(v.Message)]
	}
	var chosen *rule
	var n *count
	for i, r := range e.set.rules {
		if !e.inState(r) || !r.match.Matches(v) {
			continue
		}
		e.list[i].seen++
		if chosen == nil && r.times.has(e.list[i].seen) {
			chosen, n = r, e.list[i]
		}
	}
	if chosen == nil {
		e.unmatched++
		if e.set.otherwise == client.OtherwiseBooks {
			return Decision{}
		}
		return Decision{Unexpected: true, Code: e.set.terms.Host.Code(v.Operation, unexpected)}
	}
	if chosen.source.Then != "" {
		e.states[chosen.source.When.Scenario] = chosen.source.Then
	}
	a := chosen.next(n.used)
	n.used++
	code := a.source.Code
	if a.source.Reason != "" {
		code = e.set.terms.Host.Code(v.Operation, a.source.Reason)
	}
	return Decision{Rule: chosen.source.Name, Code: code, Answer: a.source, answer: a, request: v.Message}
}

// number gives the card number of a message, from field 2 or track 2.
func number(m iso8583.Message) string {
	if pan := m.Fields[fieldPAN]; pan != "" {
		return pan
	}
	track := m.Fields[fieldTrack2]
	for i := range len(track) {
		if track[i] == '=' || track[i] == 'D' {
			return track[:i]
		}
	}
	return ""
}

func (e *Engine) inState(r *rule) bool {
	when := r.source.When
	return when == nil || when.State == "" || e.states[when.Scenario] == when.State
}

// next gives the answer after so many.
func (r *rule) next(used uint64) *answer {
	n := uint64(len(r.answers))
	if used >= n && !r.cycle {
		used = n - 1
	}
	return r.answers[used%n]
}

// Rules gives the rules in force, by priority, with their counts.
func (e *Engine) Rules() client.Rules {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.set
	out := client.Rules{Ordered: s.source.Ordered, Otherwise: s.otherwise, Scenarios: s.source.Scenarios, Rules: []client.RuleUse{}, Unmatched: e.unmatched}
	for i, r := range s.rules {
		out.Rules = append(out.Rules, client.RuleUse{Rule: r.source, Seen: e.list[i].seen, Used: e.list[i].used})
	}
	return out
}

// Scenarios gives the states of the named scenarios, by name.
func (e *Engine) Scenarios() []client.ScenarioState {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := []client.ScenarioState{}
	for _, name := range slices.Sorted(maps.Keys(e.states)) {
		out = append(out, client.ScenarioState{Name: name, State: e.states[name]})
	}
	return out
}

// ResetScenarios puts every named scenario back to its start.
func (e *Engine) ResetScenarios() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for name := range e.states {
		e.states[name] = client.StateStarted
	}
}

// ForceScenario puts a named scenario into one of its states.
func (e *Engine) ForceScenario(name, state string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	states := e.set.statesOf(name)
	if states == nil {
		return fmt.Errorf("%s", strict.UnknownMessage("scenario", name, slices.Sorted(maps.Keys(e.states))))
	}
	if !slices.Contains(states, state) {
		return fmt.Errorf("%s", strict.UnknownMessage("state of "+name, state, states))
	}
	e.states[name] = state
	return nil
}
