package judge

import (
	"fmt"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
)

// sales are the sales that the cashier began up to the end of a window, in order. The harness writes phases
// and sales itself, so their order says more than their times: the next phase's first sale may begin in
// the microsecond in which this one ended.
func (c *Case) sales(w *window) []string {
	var amounts []string
	for _, e := range c.Events {
		if is(e, "harness", "phase") && e.Fields["name"] == w.phase && e.Fields["edge"] == "end" {
			break
		}
		if is(e, "harness", "sale") {
			amounts = append(amounts, e.Fields["amount"])
		}
	}
	return amounts
}

// charged are the sales that stand on the host's books.
func charged(s issuer.State) []issuer.Charge {
	var net []issuer.Charge
	for _, ch := range s.Charges {
		if ch.State == "charged" {
			net = append(net, ch)
		}
	}
	return net
}

func (c *Case) ledger(w *window, want string, check *record.Check) {
	state, ok := c.States[w.phase]
	if !ok {
		noBooks(check)
		return
	}
	net := charged(state)
	check.Observed = fmt.Sprintf("%d charges", len(net))
	for _, ch := range net {
		check.Observed += fmt.Sprintf(", %s (trace %s)", scenarios.Money(ch.Amount), ch.STAN)
	}
	sales := c.sales(w)
	switch want {
	case "no-charge":
		if len(net) == 0 {
			check.Verdict = record.Pass
		}
	case "one-sale":
		if len(sales) > 0 {
			check.Expected += " of " + sales[len(sales)-1]
		}
		if len(net) == 1 && len(sales) > 0 && scenarios.Money(net[0].Amount) == sales[len(sales)-1] {
			check.Verdict = record.Pass
		}
	}
}

// noBooks marks what can't be evaluated because the issuer did not give its books at the end of a phase
// that did end. The terminal has no part in that.
func noBooks(check *record.Check) {
	check.Observed, check.Verdict, check.Cause = "not evaluated: the host's books could not be taken", record.Inconclusive, record.Issuer
}

// slip is one receipt that said approved.
type slip struct {
	amount, trace string
	us            int64
}

// slips reads the approved receipts of a window. A receipt ends with its cut; one that was never
// cut is read as far as it came.
func (c *Case) slips(w *window) []slip {
	var found []slip
	var now slip
	approved := false
	flush := func() {
		if approved {
			found = append(found, now)
		}
		now, approved = slip{}, false
	}
	p := c.Profile.Receipt
	for _, e := range c.all(w, func(e record.Event) bool { return e.Source == "printer" }) {
		if e.Kind == "cut" {
			flush()
			continue
		}
		text := e.Fields["text"]
		if p.Approved != nil && p.Approved.MatchString(text) {
			approved, now.us = true, e.US
		}
		if p.Amount != nil {
			if m := p.Amount.FindStringSubmatch(text); m != nil {
				now.amount = m[p.Amount.SubexpIndex("value")]
			}
		}
		if p.Trace != nil {
			if m := p.Trace.FindStringSubmatch(text); m != nil {
				now.trace = m[p.Trace.SubexpIndex("value")]
			}
		}
	}
	flush()
	return found
}

func (c *Case) receipt(w *window, want string, check *record.Check) {
	if !c.Printer {
		check.Observed, check.Verdict, check.Cause = "this rig takes no receipts: the scenario must need printer-sink", record.Inconclusive, record.Config
		return
	}
	slips := c.slips(w)
	check.Observed = fmt.Sprintf("%d approved receipts", len(slips))
	sales := c.sales(w)
	if len(slips) > 0 {
		check.Observed += ", the last for " + slips[len(slips)-1].amount
		check.AtUS = slips[len(slips)-1].us
	}
	switch {
	case want == "approved" && len(slips) == 0 && c.silentPrinter():
		check.Observed, check.Verdict, check.Cause = printerInDoubt, record.Inconclusive, record.Rig
	case want == "none" && len(slips) == 0:
		check.Verdict = record.Pass
	case want == "approved" && len(slips) == 1 && len(sales) > 0 && slips[0].amount == sales[len(sales)-1]:
		check.Verdict = record.Pass
	}
}

func (c *Case) settlement(w *window, want string, check *record.Check) {
	state, ok := c.States[w.phase]
	if !ok {
		noBooks(check)
		return
	}
	if len(state.Settlements) == 0 {
		check.Observed = "no settlement reached the host"
		return
	}
	last := state.Settlements[len(state.Settlements)-1]
	check.Observed = settlementText(last)
	if last.Agrees == (want == "in-balance") {
		check.Verdict = record.Pass
	}
}

func settlementText(s issuer.Settlement) string {
	word := "out of balance"
	if s.Agrees {
		word = "in balance"
	}
	return fmt.Sprintf("%s: terminal %d sales, %s; host %d sales, %s", word,
		s.TerminalCount, scenarios.Money(s.TerminalAmount), s.HostCount, scenarios.Money(s.HostAmount))
}
