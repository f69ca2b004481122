package judge

import (
	"slices"
	"strings"
	"testing"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
)

// goodCase is a whole record that passes: one approved sale, settled.
func goodCase(t *testing.T) *Case {
	c := theCase(t, inAct(goodSale(2000, "12.50", "000002")))
	c.Scenario.Expect = []scenarios.Expectation{{Prompt: "approved", Within: "host-reply"}, {Code: "00"}, {Receipt: "approved"}, {Ledger: "one-sale"}}
	c.States[Act] = books(charge(1250, "000002", issuer.StateCharged))
	c.States[Audit] = settled(c.States[Act])
	return c
}

func TestJudgePasses(t *testing.T) {
	v := Judge(*goodCase(t))
	if v.Verdict != record.Pass || v.Cause != record.None || v.Why != "" {
		t.Errorf("%s (%s): %s", v.Verdict, v.Cause, v.Why)
	}
	if len(v.Checks) != 21 {
		t.Errorf("%d checks, want 2 of the bench, 4 expectations and 15 of the audit", len(v.Checks))
	}
}

// TestJudgeSorts: sources tell their events when they get to it.
func TestJudgeSorts(t *testing.T) {
	c := goodCase(t)
	slices.SortStableFunc(c.Events, func(a, b record.Event) int { return strings.Compare(a.Source, b.Source) })
	c.Events = story(c.Events, at(2250, "card", "remove"), press(2050, 0, "1"))
	c.Scenario.Expect[0].Within = "local"
	v := Judge(*c)
	if v.Verdict != record.Pass || v.Checks[2].MeasuredUS != 50_000 {
		t.Errorf("%s: %s; %d µs after the card", v.Verdict, v.Why, v.Checks[2].MeasuredUS)
	}
}

func TestJudgeFails(t *testing.T) {
	c := goodCase(t)
	c.Scenario.Expect[1].Code = "96"
	v := Judge(*c)
	if v.Verdict != record.Fail || v.Cause != record.Terminal || v.Why != "act: expected response code 96; observed 00" {
		t.Errorf("%s (%s): %s", v.Verdict, v.Cause, v.Why)
	}
}

func TestPhaseThatNeverEnded(t *testing.T) {
	every := []scenarios.Expectation{{Prompt: "approved"}, {NotPrompt: []string{"approved"}}, {Host: &scenarios.HostExpectation{Silent: true}}, {Code: "00"},
		{Reversal: &scenarios.ReversalExpectation{None: true}}, {Ledger: "no-charge"}, {Receipt: "none"}, {Settlement: "in-balance"}}
	for name, events := range map[string][]record.Event{
		"never began":         story(begin(1000, Act), end(2000, Act)),
		"never ended":         story(begin(1000, Act), end(2000, Act), begin(3000, Recover)),
		"ended before it did": story(end(2000, Recover), begin(3000, Recover)),
	} {
		c := theCase(t, events)
		c.Stopped = &Stopped{Phase: Act, Cause: record.Terminal, Why: "the amount did not come"}
		c.Scenario.Expect, c.Scenario.Recovered = nil, every
		c.States[Audit] = settled(issuer.State{})
		v := Judge(*c)
		if v.Verdict != record.Fail || v.Why != "act: expected the terminal goes on; observed the amount did not come" {
			t.Errorf("%s: %s: %s", name, v.Verdict, v.Why)
		}
		n := 0
		for _, check := range v.Checks {
			if check.Phase == Recover {
				n++
				if check.Verdict != record.NotRun || check.Observed != "not evaluated: the scenario ended before" {
					t.Errorf("%s: %s %q, want not-run", name, check.Verdict, check.Observed)
				}
			}
		}
		if n != len(every) {
			t.Errorf("%s: %d checks of %d expectations", name, n, len(every))
		}
	}
}

func TestStoppedByTheTerminal(t *testing.T) {
	c := goodCase(t)
	c.Scenario.Expect = append(c.Scenario.Expect, scenarios.Expectation{Prompt: "settled"})
	c.Stopped = &Stopped{Phase: Act, Cause: record.Terminal, Why: "the prompt settled did not come", Expected: true}
	v := Judge(*c)
	if v.Verdict != record.Fail || !strings.HasPrefix(v.Why, "act: expected prompt settled") {
		t.Errorf("%s: %s", v.Verdict, v.Why)
	}
	for _, check := range v.Checks {
		if check.What == "step" {
			t.Errorf("an expectation that was not met is said twice: %+v", check)
		}
	}
	c.Stopped.Expected = false
	fails("the prompt settled did not come").hold(t, named(t, Judge(*c).Checks, "step"))
}

// TestStoppedByTheBench: whatever else the record shows, it may come from the same fault.
func TestStoppedByTheBench(t *testing.T) {
	for _, cause := range []record.Cause{record.Rig, record.Issuer, record.Network, record.Config, record.Harness} {
		for name, c := range map[string]*Case{"good": goodCase(t), "bad": theCase(t, inAct(screen(2000, "approved")))} {
			c.Scenario.Expect = []scenarios.Expectation{{Prompt: "declined"}}
			c.Stopped = &Stopped{Phase: Act, Cause: cause, Why: "keypad: alarm", Expected: true}
			v := Judge(*c)
			if v.Verdict != record.Inconclusive || v.Cause != cause || v.Why != "keypad: alarm" || len(v.Checks) != 1 {
				t.Errorf("%s, %s: %s (%s) %s, %d checks", name, cause, v.Verdict, v.Cause, v.Why, len(v.Checks))
				continue
			}
			unclear(cause, "keypad: alarm").hold(t, v.Checks[0])
		}
	}
}

func TestUnknownExpectation(t *testing.T) {
	got := theCase(t, inAct()).expecting(t, scenarios.Expectation{})
	unclear(record.Harness, "an expectation that the judge does not know").hold(t, got)
}

func TestEachExpectationHasItsName(t *testing.T) {
	for want, e := range map[string]scenarios.Expectation{
		"prompt": {NotPrompt: []string{"approved"}}, "host": {Host: &scenarios.HostExpectation{}}, "code": {Code: "00"},
		"reversal": {Reversal: &scenarios.ReversalExpectation{}}, "ledger": {Ledger: "no-charge"}, "receipt": {Receipt: "none"}, "settlement": {Settlement: "in-balance"},
	} {
		if got := subject(e); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestDecide(t *testing.T) {
	check := func(v record.Verdict, cause record.Cause, what string) record.Check {
		return record.Check{Phase: Act, Expected: what, Observed: "else", Verdict: v, Cause: cause}
	}
	pass := check(record.Pass, record.None, "p")
	near, nearer := check(record.Marginal, record.None, "m"), check(record.Marginal, record.None, "n")
	bad, worse := check(record.Fail, record.Terminal, "f"), check(record.Fail, record.Terminal, "g")
	rig, host := check(record.Inconclusive, record.Rig, "r"), check(record.Inconclusive, record.Issuer, "h")
	for _, c := range []struct {
		name    string
		checks  []record.Check
		verdict record.Verdict
		cause   record.Cause
		why     string
	}{
		{"nothing", nil, record.Inconclusive, record.Harness, "nothing was evaluated"},
		{"all pass", []record.Check{pass, pass}, record.Pass, record.None, ""},
		{"marginal before pass", []record.Check{pass, near, pass}, record.Marginal, record.None, "act: expected m; observed else"},
		{"two marginal", []record.Check{near, nearer}, record.Marginal, record.None, "act: expected m; observed else (and 1 more)"},
		{"more than one marginal", []record.Check{near, nearer, nearer}, record.Marginal, record.None, "act: expected m; observed else (and 2 more)"},
		{"fail before marginal", []record.Check{near, bad, nearer}, record.Fail, record.Terminal, "act: expected f; observed else"},
		{"the first failure says why", []record.Check{bad, worse}, record.Fail, record.Terminal, "act: expected f; observed else"},
		{"inconclusive before fail", []record.Check{bad, rig, worse}, record.Inconclusive, record.Rig, "act: expected r; observed else"},
		{"the first doubt says why", []record.Check{host, rig}, record.Inconclusive, record.Issuer, "act: expected h; observed else"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := decide(c.checks)
			if v.Verdict != c.verdict || v.Cause != c.cause || v.Why != c.why {
				t.Errorf("%s (%s) %q, want %s (%s) %q", v.Verdict, v.Cause, v.Why, c.verdict, c.cause, c.why)
			}
		})
	}
}

// TestNothingPassesByNotBeingLookedAt: what stopped the scenario came after all, so no check fails;
// but the recovery was never tried.
func TestNothingPassesByNotBeingLookedAt(t *testing.T) {
	c := goodCase(t)
	c.Stopped = &Stopped{Phase: Act, Cause: record.Terminal, Why: "it came late", Expected: true}
	c.Scenario.Recovered = []scenarios.Expectation{{Receipt: "none"}}
	c.Events = slices.DeleteFunc(c.Events, func(e record.Event) bool { return e.Fields["name"] == Recover })
	if v := Judge(*c); v.Verdict != record.Fail || !strings.Contains(v.Why, "was never evaluated") {
		t.Errorf("%s (%s): %s", v.Verdict, v.Cause, v.Why)
	}
	// Without a reason for it, a phase that is not in the record is a failure in itself.
	c.Stopped = nil
	v := Judge(*c)
	if v.Verdict != record.Fail || !strings.Contains(v.Why, "not evaluated") {
		t.Errorf("%s (%s): %s", v.Verdict, v.Cause, v.Why)
	}
}

// TestTheGravestFailureSaysWhy: of several failures the reason is the one that costs most, wherever it stands.
func TestTheGravestFailureSaysWhy(t *testing.T) {
	failed := func(what string) record.Check {
		return record.Check{Phase: Audit, What: what, Expected: what, Observed: "else", Verdict: record.Fail, Cause: record.Terminal}
	}
	marginal, doubt := failed("charges"), failed("injector")
	marginal.Verdict, marginal.Cause = record.Marginal, record.None
	doubt.Verdict, doubt.Cause = record.Inconclusive, record.Network
	for i, worse := range gravest {
		for _, milder := range append([]string{"prompt", "order"}, gravest[:i]...) {
			for name, checks := range map[string][]record.Check{
				"before":           {failed(worse), failed(milder)},
				"after":            {failed(milder), failed(worse)},
				"between":          {failed(milder), failed(worse), failed(milder)},
				"after a near one": {marginal, failed(milder), failed(worse)},
			} {
				v := decide(checks)
				if want := "audit: expected " + worse + "; observed else"; v.Verdict != record.Fail || v.Cause != record.Terminal || v.Why != want {
					t.Errorf("%s %s %s: %s (%s) %q, want %q", worse, name, milder, v.Verdict, v.Cause, v.Why, want)
				}
			}
		}
		for _, checks := range [][]record.Check{{doubt, failed(worse)}, {failed(worse), doubt}} {
			if v := decide(checks); v.Verdict != record.Inconclusive || v.Why != "audit: expected injector; observed else" {
				t.Errorf("%s beside a doubt: %s %q", worse, v.Verdict, v.Why)
			}
		}
	}
	if v := decide([]record.Check{failed("prompt"), failed("order")}); v.Why != "audit: expected prompt; observed else" {
		t.Errorf("of failures of the same weight the first one says why, not %q", v.Why)
	}
}

// TestGravestAreChecks: a name that no check has would order nothing.
func TestGravestAreChecks(t *testing.T) {
	c := goodCase(t)
	for _, what := range gravest {
		named(t, c.audit(), what)
	}
}
