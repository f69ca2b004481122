package issuer

import (
	"fmt"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/client"
)

// Limits of a setup.
const (
	MaxRules = 100
	MaxLate  = 10 * time.Minute
)

// rules chooses the rule for a message.
type rules struct {
	list []client.Rule
	seen map[string]int // requests since the setup, by MTI
}

func newRules(list []client.Rule) rules { return rules{list: list, seen: make(map[string]int)} }

// next counts a request and gives the first rule that matches it; the zero Rule when none does.
func (r *rules) next(mti string) client.Rule {
	r.seen[mti]++
	for _, rule := range r.list {
		if rule.Match.MTI == mti && (rule.Match.Nth == 0 || rule.Match.Nth == r.seen[mti]) {
			return rule
		}
	}
	return client.Rule{}
}

// checkRules refuses rules that could not be told apart in the journal, can never match, or
// say two things at once.
func checkRules(list []client.Rule) error {
	if len(list) > MaxRules {
		return fmt.Errorf("%d rules, at most %d", len(list), MaxRules)
	}
	names := make(map[string]bool)
	for i, r := range list {
		if r.Name == "" {
			return fmt.Errorf("rule %d: it has no name", i+1)
		}
		if names[r.Name] {
			return fmt.Errorf("rule %d: the name %q is taken", i+1, r.Name)
		}
		names[r.Name] = true
		if why := ruleFault(r); why != "" {
			return fmt.Errorf("rule %q: %s", r.Name, why)
		}
	}
	return nil
}

// ruleFault says what is wrong with one rule, "" for nothing.
func ruleFault(r client.Rule) string {
	a := r.Answer
	switch {
	case answerTo(r.Match.MTI) == "":
		return fmt.Sprintf("mti %q: want 0200, 0400, 0500 or 0800", r.Match.MTI)
	case r.Match.Nth < 0:
		return fmt.Sprintf("nth %d: want 1 or more, or 0 for every one", r.Match.Nth)
	case a.Code != "" && len(a.Code) != 2:
		return fmt.Sprintf("code %q: want two characters", a.Code)
	case a.Late < 0 || a.Late > MaxLate:
		return fmt.Sprintf("late %v: want 0 to %v", a.Late, MaxLate)
	case a.Never && (a.Code != "" || a.Late != 0):
		return "never excludes code and late"
	}
	return ""
}
