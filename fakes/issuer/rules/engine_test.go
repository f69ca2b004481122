package rules

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// sale is a purchase of the ASCII dialect.
func sale(amount string) iso8583.Message {
	return iso8583.Message{MTI: "0200", Fields: map[int]string{
		2: "4111111111111111", 3: "000000", 4: amount, 11: "000007", 12: "120000", 13: "0101", 22: "021", 41: "TERM0001",
	}}
}

// engineFor loads rules for the ASCII dialect.
func engineFor(t testing.TB, s client.Setup) (*Engine, func(iso8583.Message) Decision) {
	t.Helper()
	terms := termsOf(t, "iso87-ascii")
	set, err := FromSetup(s, terms)
	if err != nil {
		t.Fatal(err)
	}
	e := NewEngine(set)
	return e, func(m iso8583.Message) Decision {
		return e.Next(View{Message: m, Operation: terms.Host.Operation(terms.Codec, m)})
	}
}

func amount(least, most int64) *client.Amount { return &client.Amount{Min: least, Max: &most} }

// Each condition selects what it says and not its opposite.
func TestConditions(t *testing.T) {
	for _, c := range []struct {
		name  string
		match client.Match
		want  bool
	}{
		{"nothing", client.Match{}, true},
		{"mti", client.Match{MTI: "0200"}, true},
		{"other mti", client.Match{MTI: "0400"}, false},
		{"mti pattern", client.Match{MTI: "02??"}, true},
		{"operation", client.Match{Operation: "purchase"}, true},
		{"other operation", client.Match{Operation: "refund"}, false},
		{"field", client.Match{Fields: map[string]string{"22": "0?1"}}, true},
		{"other value", client.Match{Fields: map[string]string{"22": "05*"}}, false},
		{"present", client.Match{Fields: map[string]string{"13": "present"}}, true},
		{"not present", client.Match{Fields: map[string]string{"55": "present"}}, false},
		{"absent", client.Match{Fields: map[string]string{"55": "absent"}}, true},
		{"not absent", client.Match{Fields: map[string]string{"13": "absent"}}, false},
		{"no value at all", client.Match{Fields: map[string]string{"90": "*"}}, false},
		{"issuer range", client.Match{Fields: map[string]string{"2": "411111*"}}, true},
		{"exact amount", client.Match{Amount: amount(1250, 1250)}, true},
		{"amount range", client.Match{Amount: amount(1, 1250)}, true},
		{"too much", client.Match{Amount: amount(1, 1249)}, false},
		{"too little", client.Match{Amount: &client.Amount{Min: 1251}}, false},
		{"card", client.Match{Card: "visa"}, true},
		{"other card", client.Match{Card: "mastercard"}, false},
		{"terminal", client.Match{Terminal: "TERM*"}, true},
		{"other terminal", client.Match{Terminal: "TERM0002"}, false},
		{"all of them", client.Match{MTI: "0200", Operation: "purchase", Card: "visa", Terminal: "*", Amount: amount(1250, 1250)}, true},
		{"all but one", client.Match{MTI: "0200", Operation: "purchase", Card: "visa", Terminal: "*", Amount: amount(0, 0)}, false},
	} {
		_, next := engineFor(t, client.Setup{Rules: []client.Rule{{Name: "r", Match: c.match}}})
		if d := next(sale("000000001250")); (d.Rule == "r") != c.want {
			t.Errorf("%s: rule %q, want a match: %v", c.name, d.Rule, c.want)
		}
	}
}

func TestCardByTrack2(t *testing.T) {
	_, next := engineFor(t, client.Setup{Rules: []client.Rule{{Name: "r", Match: client.Match{Card: "visa"}}}})
	m := sale("000000000001")
	delete(m.Fields, 2)
	for _, track := range []string{"4111111111111111=3012", "4111111111111111D3012"} {
		if m.Fields[35] = track; next(m).Rule != "r" {
			t.Errorf("the card is not found by a track with %q", track[16:17])
		}
	}
}

func TestRepeatsCountAsTheirOperation(t *testing.T) {
	_, next := engineFor(t, client.Setup{Rules: []client.Rule{{Name: "r", Match: client.Match{Operation: "reversal"}}}})
	if d := next(iso8583.Message{MTI: "0401"}); d.Rule != "r" {
		t.Errorf("a repeat of a reversal is answered by %q", d.Rule)
	}
}

// What no rule expects is a violation with the host's code for a system error, unless the setup says so.
func TestOtherwise(t *testing.T) {
	_, next := engineFor(t, client.Setup{})
	if d := next(sale("1")); !d.Unexpected || d.Code != "96" || d.Rule != "" {
		t.Errorf("%+v", d)
	}
	e, next := engineFor(t, client.Setup{Otherwise: client.OtherwiseBooks})
	if d := next(sale("1")); d.Unexpected || d.Code != "" {
		t.Errorf("%+v", d)
	}
	if got := e.Rules(); got.Unmatched != 1 || got.Otherwise != client.OtherwiseBooks {
		t.Errorf("%+v", got)
	}
}

// The rules of many messages, as names, "-" for none.
func names(next func(iso8583.Message) Decision, count int) string {
	var all []string
	for range count {
		name := next(sale("000000000100")).Rule
		if name == "" {
			name = "-"
		}
		all = append(all, name)
	}
	return strings.Join(all, " ")
}

func TestOccurrences(t *testing.T) {
	purchase := func(nth, every, from, to int) client.Match {
		return client.Match{MTI: "0200", Nth: nth, Every: every, From: from, To: to}
	}
	for _, c := range []struct {
		rules []client.Rule
		want  string
	}{
		{[]client.Rule{{Name: "a", Match: purchase(2, 0, 0, 0)}}, "- a - - - -"},
		{[]client.Rule{{Name: "a", Match: purchase(0, 2, 0, 0)}}, "- a - a - a"},
		{[]client.Rule{{Name: "a", Match: purchase(0, 0, 2, 4)}}, "- a a a - -"},
		{[]client.Rule{{Name: "a", Match: purchase(0, 2, 3, 0)}}, "- - - a - a"},
		// Both count all purchases, though only one of them answers each.
		{[]client.Rule{{Name: "a", Match: purchase(1, 0, 0, 0)}, {Name: "b", Match: purchase(3, 0, 0, 0)}}, "a - b - - -"},
		{[]client.Rule{{Name: "a", Priority: 1, Match: purchase(2, 0, 0, 0)}, {Name: "b", Match: purchase(0, 0, 0, 0)}}, "b a b b b b"},
	} {
		e, next := engineFor(t, client.Setup{Rules: c.rules, Otherwise: client.OtherwiseBooks})
		if got := names(next, 6); got != c.want {
			t.Errorf("%+v: %s, want %s", c.rules, got, c.want)
		}
		if got := e.Rules().Rules[0]; got.Seen != 6 || got.Used != uint64(strings.Count(c.want, got.Name)) {
			t.Errorf("%s: seen %d, used %d", got.Name, got.Seen, got.Used)
		}
	}
}

func TestPriorities(t *testing.T) {
	all := []client.Rule{
		{Name: "last", Priority: 300, Match: client.Match{MTI: "0200"}},
		{Name: "default", Match: client.Match{Operation: "purchase", From: 2, To: 2}},
		{Name: "first", Priority: 1, Match: client.Match{MTI: "0200", Nth: 3}},
	}
	if _, next := engineFor(t, client.Setup{Rules: all}); names(next, 4) != "last default first last" {
		t.Error("the lowest number is not tried first")
	}
	for i := range all {
		all[i].Priority = 0
	}
	terms := termsOf(t, "iso87-ascii")
	if _, err := FromSetup(client.Setup{Rules: all}, terms); err == nil || !strings.Contains(err.Error(), `rule 2 "default": ambiguous: rule 1 "last"`) {
		t.Errorf("ties are not refused: %v", err)
	}
	all[0], all[2] = all[2], all[0]
	if _, next := engineFor(t, client.Setup{Rules: all, Ordered: true}); names(next, 4) != "last default first last" {
		t.Error("the position is not the priority")
	}
}

func TestSequences(t *testing.T) {
	codes := func(r client.Rule) string {
		_, next := engineFor(t, client.Setup{Rules: []client.Rule{r}})
		var all []string
		for range 5 {
			all = append(all, next(sale("1")).Code)
		}
		return strings.Join(all, " ")
	}
	r := client.Rule{Name: "r", Answers: []client.Answer{{Code: "51"}, {Reason: "expired"}}}
	if got := codes(r); got != "51 54 54 54 54" {
		t.Error(got)
	}
	r.Cycle = true
	if got := codes(r); got != "51 54 51 54 51" {
		t.Error(got)
	}
}

func TestScenarios(t *testing.T) {
	when := func(state string) *client.When { return &client.When{Scenario: "line", State: state} }
	match := client.Match{MTI: "0200"}
	e, next := engineFor(t, client.Setup{
		Scenarios: map[string][]string{"line": {"dead", "slow"}}, Otherwise: client.OtherwiseBooks,
		Rules: []client.Rule{
			{Name: "a", Match: match, When: when("started"), Then: "dead"},
			{Name: "b", Match: match, When: when("dead"), Then: "slow"},
		},
	})
	if got := names(next, 4); got != "a b - -" {
		t.Error(got)
	}
	if got := fmt.Sprint(e.Scenarios()); got != "[{line slow}]" {
		t.Error(got)
	}
	e.ResetScenarios()
	if got := names(next, 1); got != "a" {
		t.Errorf("after a reset: %s", got)
	}
	if err := e.ForceScenario("line", "started"); err != nil || names(next, 1) != "a" {
		t.Errorf("forced: %v", err)
	}
	for _, c := range []struct{ name, state, want string }{
		{"line", "ded", `did you mean "dead"?`}, {"lyne", "dead", `did you mean "line"?`},
	} {
		if err := e.ForceScenario(c.name, c.state); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

func TestAddAndRemove(t *testing.T) {
	e, next := engineFor(t, client.Setup{Otherwise: client.OtherwiseBooks, Rules: []client.Rule{{Name: "a", Match: client.Match{MTI: "0200", Nth: 3}}}})
	first := names(next, 1)
	if err := e.Add(client.Rule{Name: "b", Match: client.Match{MTI: "0200"}}); err == nil {
		t.Fatal("an ambiguous rule is added")
	}
	if err := e.Add(client.Rule{Name: "b", Priority: 200, Match: client.Match{MTI: "0200"}}); err != nil {
		t.Fatal(err)
	}
	if got := first + " " + names(next, 3); got != "- b a b" { // the count of a goes on
		t.Error(got)
	}
	if found, err := e.Remove("b"); !found || err != nil {
		t.Fatal(found, err)
	}
	if found, err := e.Remove("b"); found || err != nil {
		t.Error(found, err)
	}
	if got := names(next, 1); got != "-" {
		t.Error(got)
	}
}

func TestManyAtOnce(t *testing.T) {
	const each = 100
	e, next := engineFor(t, client.Setup{Otherwise: client.OtherwiseBooks, Rules: []client.Rule{{Name: "a", Match: client.Match{MTI: "0200", Every: 2}}}})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range each {
				next(sale("1"))
				e.Rules()
			}
		})
	}
	all.Wait()
	if got := e.Rules().Rules[0]; got.Seen != 4*each || got.Used != 2*each {
		t.Errorf("%+v", got)
	}
}

// Pairs of rules of the same priority, and whether they may stand side by side.
func TestAmbiguity(t *testing.T) {
	when := func(scenario, state string) *client.When { return &client.When{Scenario: scenario, State: state} }
	fields := func(path, want string) client.Match { return client.Match{Fields: map[string]string{path: want}} }
	for _, c := range []struct {
		name string
		a, b client.Rule
		fine bool
	}{
		{"states", client.Rule{When: when("x", "1")}, client.Rule{When: when("x", "2")}, true},
		{"same state", client.Rule{When: when("x", "1")}, client.Rule{When: when("x", "1")}, false},
		{"any state", client.Rule{When: when("x", "1")}, client.Rule{When: when("x", "")}, false},
		{"other scenario", client.Rule{When: when("x", "1")}, client.Rule{When: when("y", "2")}, false},
		{"one without", client.Rule{When: when("x", "1")}, client.Rule{}, false},
		{"field and tag", client.Rule{Match: fields("55", "absent")}, client.Rule{Match: fields("55.9F26", "present")}, true},
		{"tag and field", client.Rule{Match: fields("55.9F26", "0*")}, client.Rule{Match: fields("55", "absent")}, true},
		{"two tags", client.Rule{Match: fields("55.9F36", "absent")}, client.Rule{Match: fields("55.9F26", "present")}, false},
		{"field and missing tag", client.Rule{Match: fields("55", "present")}, client.Rule{Match: fields("55.9F26", "absent")}, false},
		{"mti and operation", client.Rule{Match: client.Match{MTI: "0400"}}, client.Rule{Match: client.Match{Operation: "purchase"}}, true},
		{"mti of the operation", client.Rule{Match: client.Match{MTI: "0200"}}, client.Rule{Match: client.Match{Operation: "purchase"}}, false},
		{"cards", client.Rule{Match: client.Match{Card: "visa"}}, client.Rule{Match: client.Match{Card: "mastercard"}}, true},
		{"same card", client.Rule{Match: client.Match{Card: "visa"}}, client.Rule{Match: client.Match{Card: "visa"}}, false},
		{"a card and any", client.Rule{Match: client.Match{Card: "visa"}}, client.Rule{}, false},
		{"any and a card", client.Rule{}, client.Rule{Match: client.Match{Card: "visa"}}, false},
		{"present and a value", client.Rule{Match: fields("22", "present")}, client.Rule{Match: fields("22", "05?")}, false},
		{"a value and present", client.Rule{Match: fields("22", "05?")}, client.Rule{Match: fields("22", "present")}, false},
		{"its repeat", client.Rule{Match: client.Match{MTI: "0201"}}, client.Rule{Match: client.Match{Operation: "purchase"}}, false},
	} {
		c.a.Name, c.b.Name = "a", "b"
		_, err := FromSetup(client.Setup{Rules: []client.Rule{c.a, c.b}, Scenarios: map[string][]string{"x": {"1", "2"}, "y": {"2"}}}, termsOf(t, "iso87-ascii"))
		if (err == nil) != c.fine {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Two rules that are accepted side by side never both match a message: the proof of exclusion is sound.
func TestAcceptedRulesAreDisjoint(t *testing.T) {
	terms := termsOf(t, "iso87-ascii")
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		match := func(name string) client.Match {
			m := client.Match{
				MTI:       rapid.SampledFrom([]string{"", "0200", "02*", "0400", "0?00"}).Draw(t, name+" mti"),
				Operation: rapid.SampledFrom([]string{"", "purchase", "refund", "reversal"}).Draw(t, name+" operation"),
				Card:      rapid.SampledFrom([]string{"", "visa", "mastercard"}).Draw(t, name+" card"),
				Terminal:  rapid.SampledFrom([]string{"", "TERM0001", "TERM000?", "TERM0002"}).Draw(t, name+" terminal"),
				Fields:    map[string]string{},
			}
			for _, path := range []string{"22", "13", "90", "90.stan"} {
				if want := rapid.SampledFrom([]string{"", "", "absent", "present", "0*", "05?", "021"}).Draw(t, name+" "+path); want != "" {
					m.Fields[path] = want
				}
			}
			if rapid.Bool().Draw(t, name+" has amount") {
				m.Amount = amount(rapid.Int64Range(0, 2).Draw(t, name+" min"), 2)
			}
			return m
		}
		set, err := FromSetup(client.Setup{Rules: []client.Rule{{Name: "a", Match: match("a")}, {Name: "b", Match: match("b")}}}, terms)
		if err != nil {
			return
		}
		accepted++
		for range 20 {
			m := sale(fmt.Sprintf("%012d", rapid.IntRange(0, 3).Draw(t, "amount")))
			m.MTI = rapid.SampledFrom([]string{"0200", "0201", "0400", "0220"}).Draw(t, "mti")
			m.Fields[2] = testCards[rapid.IntRange(0, 1).Draw(t, "card")].PAN
			m.Fields[3] = rapid.SampledFrom([]string{"000000", "200000"}).Draw(t, "code")
			m.Fields[22] = rapid.SampledFrom([]string{"021", "051", "012"}).Draw(t, "entry")
			m.Fields[41] = rapid.SampledFrom([]string{"TERM0001", "TERM0002", "TERM0003"}).Draw(t, "terminal")
			if rapid.Bool().Draw(t, "with 90") {
				m.Fields[90] = "0200" + "021000" + strings.Repeat("0", 32)
			}
			v := View{Message: m, Operation: terms.Host.Operation(terms.Codec, m), Card: NewEngine(set).cards[m.Fields[2]]}
			if set.rules[0].match.Matches(v) && set.rules[1].match.Matches(v) {
				t.Fatalf("both match %s %v", m.MTI, terms.Codec.Masked(m))
			}
		}
	})
	if accepted == 0 {
		t.Error("no pair was accepted: the test proves nothing")
	}
}

func BenchmarkNext(b *testing.B) {
	setup := client.Setup{Otherwise: client.OtherwiseBooks, Ordered: true}
	for i := range 20 {
		setup.Rules = append(setup.Rules, client.Rule{Name: fmt.Sprint(i), Match: client.Match{Operation: "purchase", Amount: amount(int64(i), int64(i))}})
	}
	_, next := engineFor(b, setup)
	m := sale("000000001250")
	b.ReportAllocs()
	for b.Loop() {
		next(m)
	}
}

// BenchmarkLoad reads as many rules as a set may have, all of the same priority and told apart by amounts.
func BenchmarkLoad(b *testing.B) {
	var setup client.Setup
	for i := range MaxRules {
		setup.Rules = append(setup.Rules, client.Rule{Name: fmt.Sprint(i), Match: client.Match{Operation: "purchase", Amount: amount(int64(i), int64(i))}})
	}
	terms := termsOf(b, "iso87-ascii")
	for b.Loop() {
		if _, err := FromSetup(setup, terms); err != nil {
			b.Fatal(err)
		}
	}
}
