package judge

import (
	"fmt"
	"slices"
	"strings"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
)

// audit holds the money against what was intended, after every scenario and whatever it expects:
// at most one net charge a sale, an approved receipt for each charge and a charge for each approved
// receipt, every unanswered request reversed before the next sale, nothing approved without the host,
// totals that agree, nothing pending.
func (c *Case) audit() []record.Check {
	state, ok := c.States[Audit]
	booked := func(what, expected string, problems []string, otherwise string) record.Check {
		check := finding(what, expected, problems, otherwise)
		if !ok {
			noBooks(&check)
		}
		return check
	}
	checks := []record.Check{
		booked("charges", "at most one net charge for each sale", c.overcharged(), fmt.Sprintf("%d sales, %d net charges", len(c.sales(whole())), len(charged(state)))),
		booked("given back", "every refund, void and pre-authorisation is one that the cashier began", c.unintended(), "they are"),
		finding("unanswered", "every request without an answer is reversed", c.unreversed(), "none is left over"),
		finding("order", "a pending reversal goes before the next sale", c.overtaken(), "none was overtaken"),
		c.approval(),
		booked("customer", "each charge carries the customer ID that was typed", c.misnamed(), "they do"),
		finding("trace", "each request has a trace number of its own", c.renumbered(), "they have"),
		booked("protocol", "the terminal keeps to the host's protocol", c.breaches(state), "no violation"),
		finding("scripts", "the issuer's commands reach the card after its second cryptogram", c.early(), "none came before"),
		finding("card told", "a card that asked for the host is told what came of it", c.leftAsking(), "each was"),
		booked("stored", "a reversal has nothing of the card that may not be stored", c.stored(), "none has"),
		finding("card data", "no card number and no PIN in clear on screen or receipt", c.leaks(), "none was seen"),
	}
	if c.Printer {
		receipts := booked("receipts", "a charge for each approved receipt and a receipt for each charge", c.unreceipted(), "they agree")
		if receipts.Verdict == record.Fail && c.silentPrinter() {
			receipts.Verdict, receipts.Cause = record.Inconclusive, record.Rig
			receipts.Observed += "; " + printerInDoubt
		}
		checks = append(checks, receipts)
		checks = append(checks, booked("print", "what a receipt says of its transaction is what the bank has of it", c.misprinted(), "it is"))
	}
	if c.Profile.Has("settlement") {
		checks = append(checks, booked("totals", "the totals of terminal and host agree, nothing pending", c.unbalanced(), "they agree"))
	}
	return checks
}

// breaches are the violations that the issuer saw, without those that come of the keys that it had itself forgotten: a rule made
// it restart, and a terminal can't know of that before it is told.
func (c *Case) breaches(state issuer.State) []string {
	restarts := slices.ContainsFunc(c.Scenario.Arrange.Issuer, func(r scenarios.IssuerRule) bool { return r.Restart != "" })
	return slices.DeleteFunc(slices.Clone(state.Violations), func(text string) bool {
		return restarts && c.Profile.Has("key-download") && (strings.HasSuffix(text, "wrong MAC") || strings.HasSuffix(text, "under the terminal's key"))
	})
}

// finding is a check of the audit: it passes without problems.
func finding(what, expected string, problems []string, otherwise string) record.Check {
	check := record.Check{Phase: Audit, What: what, Expected: expected, Observed: otherwise, Verdict: record.Pass}
	if len(problems) > 0 {
		check.Observed, check.Verdict, check.Cause = strings.Join(problems, "; "), record.Fail, record.Terminal
	}
	return check
}

func (c *Case) overcharged() []string {
	var problems []string
	sales := c.sales(whole())
	count := map[string]int{}
	for _, ch := range charged(c.States[Audit]) {
		amount := scenarios.Money(asked(ch))
		count[amount]++
		if !slices.Contains(sales, amount) {
			problems = append(problems, fmt.Sprintf("%s was charged (trace %s), which nobody intended", amount, ch.STAN))
		}
	}
	for _, amount := range sales {
		if count[amount] > 1 {
			problems = append(problems, fmt.Sprintf("%s was charged %d times", amount, count[amount]))
		}
	}
	return problems
}

// leaks are the places where the terminal showed a card number in clear.
func (c *Case) leaks() []string {
	var problems []string
	for _, e := range c.Events {
		if e.Kind != "leak" {
			continue
		}
		problem := fmt.Sprintf("%s was seen on the %s", e.Fields["what"], e.Source)
		if !slices.Contains(problems, problem) {
			problems = append(problems, problem)
		}
	}
	return problems
}

// printerInDoubt is why missing receipts are not held against the terminal.
const printerInDoubt = "nothing at all came from the printer: its line or paper is in doubt"

// silentPrinter says that the printer gave no sign of life, not even a settlement slip.
func (c *Case) silentPrinter() bool {
	due := slices.ContainsFunc(c.Events, func(e record.Event) bool {
		return slices.ContainsFunc(prompts(e), c.approvingPrompt) || slices.Contains(prompts(e), "settled")
	})
	return due && !slices.ContainsFunc(c.Events, func(e record.Event) bool { return e.Source == "printer" })
}

func (c *Case) unbalanced() []string {
	var problems []string
	state := c.States[Audit]
	if len(state.Settlements) == 0 {
		return []string{"the terminal's settlement never reached the host"}
	}
	if last := state.Settlements[len(state.Settlements)-1]; !last.Agrees {
		problems = append(problems, settlementText(last))
	}
	for _, ch := range charged(state) {
		if !ch.Settled {
			problems = append(problems, fmt.Sprintf("the charge of %s (trace %s) was not settled", scenarios.Money(ch.Amount), ch.STAN))
		}
	}
	for _, r := range state.Refunds {
		if r.State == issuer.StateRefunded && !r.Settled {
			problems = append(problems, fmt.Sprintf("the refund of %s (trace %s) was not settled", scenarios.Money(r.Amount), r.STAN))
		}
	}
	for _, r := range c.received(whole(), "0400") {
		if !c.acknowledged(r.Fields["stan"]) {
			problems = append(problems, "the reversal of trace "+r.Fields["stan"]+" is still open")
		}
	}
	return problems
}

// fired makes sure that what was arranged really happened. A fault that did not fire proves
// nothing: inconclusive, unless the terminal failed before it could.
func (c *Case) fired() []record.Check {
	var checks []record.Check
	missed := func(what, id string, cause record.Cause, provoked bool) {
		check := record.Check{Phase: Act, What: what, Expected: id + " fires", Observed: "it did not fire", Verdict: record.Inconclusive, Cause: cause}
		if !provoked {
			check.Observed += ": the terminal never sent what it waits for"
			if c.Stopped != nil {
				check.Verdict, check.Cause = record.Fail, record.Terminal
			}
		}
		checks = append(checks, check)
	}
	for i, f := range c.Scenario.Arrange.Network {
		id := scenarios.FaultID(f, i)
		n := c.fires(id)
		if n == 0 {
			missed("fault", "the network fault "+id, record.Network, c.passed(f.Message, f.Nth))
			continue
		}
		checks = append(checks, record.Check{Phase: Act, What: "fault", Expected: "the network fault " + id + " fires",
			Observed: fmt.Sprintf("it fired %d ×", n), Verdict: record.Pass})
	}
	for _, f := range c.Scenario.LevelFaults() {
		n := c.fires(f.ID)
		if n == 0 {
			missed("fault", "the "+f.Level+" fault "+f.ID, record.Network, c.met(f))
			continue
		}
		checks = append(checks, record.Check{Phase: Act, What: "fault", Expected: "the " + f.Level + " fault " + f.ID + " fires",
			Observed: fmt.Sprintf("it fired %d ×", n), Verdict: record.Pass})
	}
	for i, rule := range c.Scenario.Arrange.Issuer {
		name := scenarios.RuleName(c.Scenario, i)
		used := slices.ContainsFunc(c.Events, func(e record.Event) bool { return e.Source == "issuer" && e.Fields["rule"] == name })
		if !used {
			missed("rule", "the issuer rule "+name, record.Issuer, c.passed(rule.On, rule.Nth))
		}
	}
	return checks
}

// fires is how often a fault acted, as the injector said when it was healed, or as the record has it: a terminal may
// see what was done to it a moment before the injector has noted that, and the scenario go on.
func (c *Case) fires(id string) int {
	n := 0
	for _, e := range c.Events {
		if is(e, "network", "fired") && e.Fields["fault"] == id {
			n++
		}
	}
	for _, f := range c.Faults {
		if f.ID == id {
			n = max(n, f.Fired)
		}
	}
	return n
}

// met says whether the terminal did what a fault below the message could have acted on: dialled, over the uplink
// where it is of one, or asked for a name. Packets leave no trace but the fault's own.
func (c *Case) met(f scenarios.LevelFault) bool {
	return f.Level == scenarios.LevelPacket || slices.ContainsFunc(c.Events, func(e record.Event) bool {
		switch f.Level {
		case scenarios.LevelTLS:
			return is(e, "network", "opened") && (f.Uplink == "" || f.Uplink == e.Fields["uplink"])
		default:
			return is(e, "network", "query")
		}
	})
}

// passed says whether a message of that type was seen on the network as often as is needed for its nth.
func (c *Case) passed(mti string, nth int) bool {
	return mti == "" || len(c.all(whole(), func(e record.Event) bool {
		return message(e, "message", network.FromTerminal, mti) || message(e, "message", network.FromHost, mti)
	})) >= max(1, nth)
}

// unstorable are the data elements that may be in no memory once a sale is over, so that no reversal can have them: stripe,
// PIN block.
var unstorable = []string{"35", "36", "45", "52"}

// stored are reversals that show that the terminal has kept what it must forget.
func (c *Case) stored() []string {
	var problems []string
	for _, e := range c.States[Audit].Journal {
		if !e.In || !strings.HasPrefix(e.Operation, "reversal") {
			continue
		}
		for _, field := range unstorable {
			if value := e.Fields[field]; value != "" {
				problems = append(problems, fmt.Sprintf("the reversal of trace %s has field %s %s", e.STAN, field, value))
			}
		}
	}
	return problems
}
