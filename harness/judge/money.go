package judge

import (
	"fmt"
	"slices"
	"strings"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
)

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
			check.Expected = "ledger one-sale of " + sales[len(sales)-1]
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

// onBooks holds the books against what a scenario says of them, to the cent and in any order.
func (c *Case) onBooks(w *window, want scenarios.Books, check *record.Check) {
	state, ok := c.States[w.phase]
	if !ok {
		noBooks(check)
		return
	}
	var got scenarios.Books
	for _, ch := range charged(state) {
		got.Charged = append(got.Charged, ch.Amount)
	}
	for _, ch := range voided(state) {
		got.Voided = append(got.Voided, ch.Amount)
	}
	for _, r := range state.Refunds {
		if r.State == issuer.StateRefunded {
			got.Refunded = append(got.Refunded, r.Amount)
		}
	}
	for _, h := range state.Holds {
		switch {
		case h.State == issuer.StateVoided:
			got.Voided = append(got.Voided, h.Amount)
		case h.State == issuer.StateHeld:
			got.Held = append(got.Held, h.Amount)
		}
	}
	check.Observed = got.String()
	if sameAmounts(got.Charged, want.Charged) && sameAmounts(got.Voided, want.Voided) &&
		sameAmounts(got.Refunded, want.Refunded) && sameAmounts(got.Held, want.Held) {
		check.Verdict = record.Pass
	}
}

func sameAmounts(a, b []int64) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
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
	if want == "uploaded" {
		check.Observed += fmt.Sprintf("; %d transactions uploaded", last.Uploaded)
		wrong := slices.DeleteFunc(slices.Clone(last.Differences), func(d string) bool { return strings.HasSuffix(d, issuer.NotInTheBooks) })
		if len(wrong) > 0 { // more than what the bank has lost
			check.Observed += ": " + strings.Join(wrong, ", ")
			return
		}
		if !last.Agrees && last.Closed && int64(last.Uploaded) == last.TerminalCount+last.TerminalCreditCount {
			check.Verdict = record.Pass
		}
		return
	}
	if last.Agrees == (want == "in-balance") {
		check.Verdict = record.Pass
	}
}

func settlementText(s issuer.Settlement) string {
	word := "out of balance"
	if s.Agrees {
		word = "in balance"
	}
	text := fmt.Sprintf("%s: terminal %d sales, %s; host %d sales, %s", word,
		s.TerminalCount, scenarios.Money(s.TerminalAmount), s.HostCount, scenarios.Money(s.HostAmount))
	if s.TerminalCreditCount+s.HostCreditCount > 0 {
		text += fmt.Sprintf("; refunds %d, %s and %d, %s", s.TerminalCreditCount, scenarios.Money(s.TerminalCreditAmount),
			s.HostCreditCount, scenarios.Money(s.HostCreditAmount))
	}
	return text
}
