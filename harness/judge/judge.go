// Package judge says from the record of a scenario whether the terminal did what it must. It
// reads the timeline and the host's books; it never drives anything and asks nobody.
package judge

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/harness/record"
)

// The phases that are judged.
const (
	Act     = "act"
	Recover = "recover"
	Audit   = "audit"
)

// Case is the record of one scenario.
type Case struct {
	Scenario *scenarios.Scenario
	Profile  *terminals.Profile
	// Tongue translates the words of the host's dialect into those of scenarios, which the judge speaks; nil where they
	// are the same.
	Tongue  *hosts.Tongue
	Lang    string
	Printer bool // the rig takes what the terminal prints
	Events  []record.Event
	// States are the host's books at the end of each phase.
	States map[string]issuer.State
	Faults []network.Status
	// Uncertainty of a time measured between two instruments.
	Uncertainty time.Duration
	// Stopped says why the scenario did not run to its end; nil when it did.
	Stopped *Stopped

	// hosted are those of Events that issuer and injector told: a few of many. nil: not sorted out.
	hosted []record.Event
}

// Stopped is why and where a scenario ended early.
type Stopped struct {
	Phase string
	Cause record.Cause
	Why   string
	// Expected says that it stopped because an expectation was not met; that expectation's own check says more.
	Expected bool
}

// Verdict is what the judge says.
type Verdict struct {
	Verdict record.Verdict
	Cause   record.Cause
	Why     string
	Checks  []record.Check
}

// Judge evaluates every expectation and the money, then decides. What stops a scenario without
// being the terminal's fault makes it inconclusive whatever else was seen.
func Judge(c Case) Verdict {
	slices.SortStableFunc(c.Events, func(a, b record.Event) int { return cmp.Compare(a.US, b.US) })
	c.Events = c.translated(handedOn(c.Events))
	c.hosted = hosted(c.Events)
	if c.Stopped != nil && c.Stopped.Cause != record.Terminal {
		check := record.Check{Phase: c.Stopped.Phase, What: "run", Expected: "the scenario runs to its end", Observed: c.Stopped.Why,
			Verdict: record.Inconclusive, Cause: c.Stopped.Cause}
		return Verdict{record.Inconclusive, c.Stopped.Cause, c.Stopped.Why, []record.Check{check}}
	}
	var checks []record.Check
	if c.Stopped != nil && !c.Stopped.Expected {
		checks = append(checks, record.Check{Phase: c.Stopped.Phase, What: "step", Expected: "the terminal goes on", Observed: c.Stopped.Why,
			Verdict: record.Fail, Cause: record.Terminal})
	}
	checks = append(checks, c.bench()...)
	checks = append(checks, c.phase(Act, c.Scenario.Expect)...)
	checks = append(checks, c.phase(Recover, c.Scenario.Recovered)...)
	checks = append(checks, c.fired()...)
	checks = append(checks, c.audit()...)
	return decide(checks)
}

// phase evaluates a phase's expectations. One that can't be evaluated because the phase never
// ended fails, or is marked as not run where that is the consequence of a failure: nothing may
// pass by not being looked at.
func (c *Case) phase(name string, expect []scenarios.Expectation) []record.Check {
	if len(expect) == 0 {
		return nil
	}
	w, ok := c.window(name)
	var checks []record.Check
	for _, e := range expect {
		check := record.Check{Phase: name, What: subject(e), Expected: e.String(), Verdict: record.Fail, Cause: record.Terminal}
		if !ok {
			check.Observed = "not evaluated: the scenario ended before"
			if c.Stopped != nil { // which is a failure of its own; this one only follows from it
				check.Verdict, check.Cause = record.NotRun, record.None
			}
		} else {
			c.evaluate(w, e, &check)
		}
		if check.Verdict == record.Pass || check.Verdict == record.Marginal {
			check.Cause = record.None
		}
		checks = append(checks, check)
	}
	return checks
}

func (c *Case) evaluate(w *window, e scenarios.Expectation, check *record.Check) {
	switch {
	case e.Prompt != "":
		c.prompt(w, e, check)
	case e.NotPrompt != nil:
		c.notPrompt(w, e, check)
	case e.Host != nil:
		c.host(w, *e.Host, check)
	case e.Code != "":
		c.code(w, e.Code, check)
	case e.Reversal != nil:
		c.reversal(w, e, check)
	case e.Ledger != "":
		c.ledger(w, e.Ledger, check)
	case e.Books != nil:
		c.onBooks(w, *e.Books, check)
	case e.Receipt != "":
		c.receipt(w, e.Receipt, e.ReceiptFor, check)
	case e.TVR != "":
		c.tvr(w, e.TVR, check)
	case e.Application != "":
		c.application(w, e.Application, check)
	case e.Cryptogram != "":
		c.cryptogram(w, e.Cryptogram, check)
	case e.Settlement != "":
		c.settlement(w, e.Settlement, check)
	default:
		check.Observed, check.Cause = "an expectation that the judge does not know", record.Harness
		check.Verdict = record.Inconclusive
	}
}

func subject(e scenarios.Expectation) string {
	switch {
	case e.Prompt != "", e.NotPrompt != nil:
		return "prompt"
	case e.Host != nil:
		return "host"
	case e.Code != "":
		return "code"
	case e.Reversal != nil:
		return "reversal"
	case e.Ledger != "", e.Books != nil:
		return "ledger"
	case e.Receipt != "":
		return "receipt"
	case e.TVR != "":
		return "tvr"
	case e.Application != "":
		return "application"
	case e.Cryptogram != "":
		return "cryptogram"
	default:
		return "settlement"
	}
}

// decide takes the worst: what is inconclusive hides a failure, because the failure may come from the
// same fault of the bench; only then does a failure count, then what was close.
func decide(checks []record.Check) Verdict {
	v := Verdict{Verdict: record.Pass, Checks: checks}
	rank := map[record.Verdict]int{record.Pass: 0, record.Marginal: 1, record.Fail: 2, record.Inconclusive: 3}
	marginal, skipped, grave := 0, record.Check{}, 0
	for _, check := range checks {
		switch check.Verdict {
		case record.Marginal:
			marginal++
		case record.NotRun:
			skipped = check
		}
		if rank[check.Verdict] > rank[v.Verdict] || check.Verdict == v.Verdict && check.Verdict == record.Fail && graver(check.What) > grave {
			grave = graver(check.What)
			v.Verdict, v.Cause = check.Verdict, check.Cause
			v.Why = fmt.Sprintf("%s: expected %s; observed %s", check.Phase, check.Expected, check.Observed)
		}
	}
	if len(checks) == 0 {
		return Verdict{record.Inconclusive, record.Harness, "nothing was evaluated", nil}
	}
	if rank[v.Verdict] < rank[record.Fail] && skipped.Verdict == record.NotRun {
		// It stopped for something that then came after all. Nothing may pass by not being looked at.
		return Verdict{record.Fail, record.Terminal, fmt.Sprintf("%s: %s was never evaluated", skipped.Phase, skipped.Expected), checks}
	}
	if v.Verdict == record.Marginal && marginal > 1 {
		v.Why += fmt.Sprintf(" (and %d more)", marginal-1)
	}
	return v
}

// gravest are the checks whose failure costs somebody money, or gives card data away, the worst last. Of several
// failures the verdict's reason is the gravest one; else the first.
var gravest = []string{"totals", "receipts", "unanswered", "approval", "card data", "given back", "charges"}

func graver(what string) int { return slices.Index(gravest, what) + 1 }
