package judge

import (
	"fmt"
	"regexp"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
)

// The kinds of receipt, by what they prove.
const (
	slipApproved = "approved"
	slipVoided   = "voided"
	slipRefunded = "refunded"
	slipHeld     = "held"
	slipCopy     = "copy"

	// slipToSign is an approved one that the cardholder is to sign.
	slipToSign = "to-sign"
)

// slip is one receipt that proves something.
type slip struct {
	kind, amount, trace string
	us                  int64
	sign                bool // has a place for the signature
}

// article is "an approved", "a voided" …
func (s slip) article() string {
	if s.kind == slipApproved {
		return "an " + s.kind
	}
	return "a " + s.kind
}

// slips reads the receipts of a window, of all kinds but copies. A receipt ends with its cut; one that was never
// cut is read as far as it came.
func (c *Case) slips(w *window) []slip {
	var found []slip
	for _, s := range c.paper(w) {
		if s.kind != slipCopy {
			found = append(found, s)
		}
	}
	return found
}

// paper is what was printed in a window, as far as it is a receipt. A copy may have the marks of what it is a copy of.
func (c *Case) paper(w *window) []slip {
	var found []slip
	var now slip
	flush := func() {
		if now.kind != "" {
			found = append(found, now)
		}
		now = slip{}
	}
	for _, e := range c.all(w, func(e record.Event) bool { return e.Source == "printer" }) {
		if e.Kind == "cut" {
			flush()
			continue
		}
		text := e.Fields["text"]
		if kind := c.slipKind(text); kind != "" && now.kind != slipCopy {
			now.kind, now.us = kind, e.US
		}
		if p := c.Profile.Receipt.Signature; p != nil && p.MatchString(text) {
			now.sign = true
		}
		value(&now.amount, c.Profile.Receipt.Amount, text)
		value(&now.trace, c.Profile.Receipt.Trace, text)
	}
	flush()
	return found
}

// slipKind is what a row makes of its receipt; "" for nothing.
func (c *Case) slipKind(row string) string {
	p := c.Profile.Receipt
	for _, mark := range []struct {
		kind    string
		pattern *regexp.Regexp
	}{{slipCopy, p.Copy}, {slipApproved, p.Approved}, {slipVoided, p.Voided}, {slipRefunded, p.Refunded}, {slipHeld, p.Held}} {
		if mark.pattern != nil && mark.pattern.MatchString(row) {
			return mark.kind
		}
	}
	return ""
}

// value reads the group "value" of a pattern that matches.
func value(to *string, pattern *regexp.Regexp, text string) {
	if pattern == nil {
		return
	}
	if m := pattern.FindStringSubmatch(text); m != nil {
		*to = m[pattern.SubexpIndex("value")]
	}
}

// receipt looks for the receipts of a phase: exactly one of a kind, or none at all.
func (c *Case) receipt(w *window, want string, amount int64, check *record.Check) {
	if !c.Printer {
		check.Observed, check.Verdict, check.Cause = "this rig takes no receipts: the scenario must need printer-sink", record.Inconclusive, record.Config
		return
	}
	if want == slipToSign && c.Profile.Receipt.Signature == nil {
		check.Observed, check.Verdict, check.Cause = "the profile does not say how a row for the signature looks (receipt: signature)", record.Inconclusive, record.Config
		return
	}
	printed := c.slips(w)
	if want == slipCopy {
		printed = c.paper(w)
	}
	var slips []slip
	for _, s := range printed {
		if want == "none" || s.kind == want || want == slipToSign && s.kind == slipApproved && s.sign {
			slips = append(slips, s)
		}
	}
	kind := want
	if want == "none" {
		kind = slipApproved
	}
	check.Observed = fmt.Sprintf("%d %s receipts", len(slips), kind)
	if len(slips) > 0 {
		check.Observed += ", the last for " + slips[len(slips)-1].amount
		check.AtUS = slips[len(slips)-1].us
	}
	wanted := scenarios.Money(amount)
	if begun := c.intended(w, Begun...); amount == 0 && len(begun) > 0 {
		wanted = begun[len(begun)-1]
	}
	switch {
	case (want == slipApproved || want == slipToSign) && len(slips) == 0 && c.silentPrinter():
		check.Observed, check.Verdict, check.Cause = printerInDoubt, record.Inconclusive, record.Rig
	case want == "none" && len(slips) == 0:
		check.Verdict = record.Pass
	case want != "none" && len(slips) == 1 && slips[0].amount == wanted:
		check.Verdict = record.Pass
	}
}

// unreceipted holds receipts against the books: one for each thing that stands there, and nothing else.
func (c *Case) unreceipted() []string {
	state := c.States[Audit]
	due := map[slip]string{} // by kind, trace number and amount: what the books call it; without one the slip may be there
	book := func(kind, stan string, amount int64, what string) {
		due[slip{kind: kind, trace: stan, amount: scenarios.Money(amount)}] = what
	}
	for _, ch := range state.Charges {
		switch {
		case ch.State == issuer.StateCharged:
			book(slipApproved, ch.STAN, ch.Amount, "charge")
		case ch.State == issuer.StateVoided && asked(ch) == ch.Amount:
			book(slipApproved, ch.STAN, ch.Amount, "voided charge")
		}
	}
	for _, r := range state.Refunds {
		if r.State == issuer.StateRefunded && c.Profile.Receipt.Refunded != nil {
			book(slipRefunded, r.STAN, r.Amount, "refund")
		}
	}
	for _, h := range state.Holds {
		if h.State != issuer.StateReversed && c.Profile.Receipt.Held != nil {
			book(slipHeld, h.STAN, h.Amount, "pre-authorisation")
		}
	}
	return c.compared(due, state)
}

// compared finds what is on the books and on no receipt, or on several, and the other way round. A void has a trace number
// of its own, which is not on the books: it is found by what it is about.
func (c *Case) compared(due map[slip]string, state issuer.State) []string {
	var problems []string
	printed := map[slip]int{}
	var order []slip
	for _, s := range c.slips(c.own()) {
		s.us, s.sign = 0, false
		if s.kind == slipVoided {
			s.trace = ""
		}
		if printed[s]++; printed[s] == 1 {
			order = append(order, s)
		}
	}
	for _, ch := range state.Charges { // in the order of the books
		problems = append(problems, missing(due, printed, slip{kind: slipApproved, trace: ch.STAN, amount: scenarios.Money(ch.Amount)})...)
	}
	for _, r := range state.Refunds {
		problems = append(problems, missing(due, printed, slip{kind: slipRefunded, trace: r.STAN, amount: scenarios.Money(r.Amount)})...)
	}
	for _, h := range state.Holds {
		problems = append(problems, missing(due, printed, slip{kind: slipHeld, trace: h.STAN, amount: scenarios.Money(h.Amount)})...)
	}
	for _, s := range order {
		if s.kind == slipVoided {
			if n := c.voidsOf(s.amount, state); n != printed[s] {
				problems = append(problems, fmt.Sprintf("%d voids of %s are on the books, and %d on receipts", n, s.amount, printed[s]))
			}
			continue
		}
		if s.kind == slipApproved && printed[s] == 1 && printed[slip{kind: slipVoided, amount: s.amount}] > 0 && c.untoldVoid(s.amount) {
			continue // it never was on the books, and is not to be
		}
		if due[s] == "" && !c.disowned(s.trace) {
			problems = append(problems, fmt.Sprintf("%s receipt for %s (trace %s) has no charge, refund or hold on the books", s.article(), s.amount, s.trace))
		}
	}
	return problems
}

// missing says that something on the books has not exactly one receipt.
func missing(due map[slip]string, printed map[slip]int, s slip) []string {
	if what := due[s]; what != "" && printed[s] != 1 {
		return []string{fmt.Sprintf("the %s of %s (trace %s) has %d %s receipts", what, s.amount, s.trace, printed[s], s.kind)}
	}
	return nil
}

// voidsOf counts the voids of an amount that a cashier began, on the books or of what never came there.
func (c *Case) voidsOf(amount string, state issuer.State) int {
	n := 0
	if c.untoldVoid(amount) {
		n++
	}
	for _, ch := range voided(state) {
		if asked(ch) == ch.Amount && scenarios.Money(ch.Amount) == amount {
			n++
		}
	}
	for _, h := range state.Holds {
		if h.State == issuer.StateVoided && scenarios.Money(h.Amount) == amount {
			n++
		}
	}
	return n
}
