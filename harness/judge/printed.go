package judge

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
)

// cardTail is how many digits of a card number every receipt may show.
const cardTail = 4

// page is what stands on one receipt, copy or settlement slip.
type page struct {
	// settled: it is the slip of a settlement.
	settled                                                     bool
	trace, reference, authorisation, card, requested, timeOfDay string
	batch, count, total                                         string
}

// pages are what was printed since the terminal was drained, one up to each cut.
func (c *Case) pages() []page {
	p := c.Profile.Receipt
	var found []page
	var now page
	flush := func() {
		if now != (page{}) {
			found = append(found, now)
		}
		now = page{}
	}
	for _, e := range c.all(c.own(), func(e record.Event) bool { return e.Source == "printer" }) {
		if e.Kind == "cut" {
			flush()
			continue
		}
		text := e.Fields["text"]
		now.settled = now.settled || p.Settled != nil && p.Settled.MatchString(text)
		for _, row := range []struct {
			to      *string
			pattern *regexp.Regexp
		}{
			{&now.trace, p.Trace}, {&now.reference, p.Reference}, {&now.authorisation, p.Authorisation}, {&now.card, p.Card},
			{&now.requested, p.Requested}, {&now.timeOfDay, p.Time}, {&now.batch, p.Batch}, {&now.count, p.Count}, {&now.total, p.Total},
		} {
			value(row.to, row.pattern, text)
		}
	}
	flush()
	return found
}

// misprinted holds what receipts say besides amount and trace number against the bank's journal and books. What a receipt leaves out
// is not asked for: which rows it needs differs from acquirer to acquirer.
func (c *Case) misprinted() []string {
	state := c.States[Audit]
	var problems []string
	for _, p := range c.pages() {
		found := c.misprintedSale(p, state)
		if p.settled {
			found = misprintedSlip(p, state.Settlements)
		}
		for _, problem := range found {
			if !slices.Contains(problems, problem) { // a copy says what its original said
				problems = append(problems, problem)
			}
		}
	}
	return problems
}

// misprintedSale is about the receipt of one transaction. One that the bank never heard of has nothing to be held against.
func (c *Case) misprintedSale(p page, state issuer.State) []string {
	var heard, told []issuer.Entry
	for _, e := range state.Journal {
		switch {
		case p.trace == "" || e.STAN != p.trace || strings.HasPrefix(e.Operation, "reversal"):
		case e.In:
			heard = append(heard, e)
		case c.replied(e, state):
			told = append(told, e)
		}
	}
	if len(heard) == 0 {
		return nil
	}
	var problems []string
	wrong := func(format string, printed string) {
		problems = append(problems, fmt.Sprintf(format, p.trace, printed))
	}
	if p.reference != "" && !carries(told, 37, p.reference) && !c.rewritten() {
		wrong("the receipt of trace %s has the reference %s, which the bank did not give it", p.reference)
	}
	if p.authorisation != "" && !carries(slices.Concat(heard, told), 38, p.authorisation) && !c.rewritten() { // a completion names that of its authorisation
		wrong("the receipt of trace %s has the authorisation code %s, which the bank did not give it", p.authorisation)
	}
	if p.timeOfDay != "" && !lacks(heard, 12) && !at12(heard, p.timeOfDay) {
		wrong("the receipt of trace %s has the time %s, and its request another", p.timeOfDay)
	}
	booked, card, asked := booking(state, p.trace)
	if booked && p.card != "" && tail(p.card) != tail(card) {
		wrong("the receipt of trace %s has the card %s, and the books another", p.card)
	}
	if booked && p.requested != "" && p.requested != asked {
		wrong("the receipt of trace %s says that %s was asked for, and the books do not", p.requested)
	}
	return problems
}

// replied says that an entry of the journal is the answer to a request that is no reversal: in dialects whose reversal keeps the trace
// number of its original, both have it.
func (c *Case) replied(answer issuer.Entry, state issuer.State) bool {
	return slices.ContainsFunc(state.Journal, func(e issuer.Entry) bool {
		return e.In && e.STAN == answer.STAN && !strings.HasPrefix(e.Operation, "reversal") && requestOf(answer.MTI)[:3] == e.MTI[:3]
	})
}

// rewritten says that the network changed messages: what the terminal then prints is not what the bank sent.
func (c *Case) rewritten() bool {
	return slices.ContainsFunc(c.Scenario.Arrange.Network, func(f scenarios.NetworkFault) bool {
		return slices.Contains([]string{"corrupt", "replay", "rewrite", "swap"}, f.Fault)
	})
}

// carries looks for a field's value in messages.
func carries(messages []issuer.Entry, field int, want string) bool {
	return slices.ContainsFunc(messages, func(e issuer.Entry) bool { return strings.TrimSpace(e.Fields[strconv.Itoa(field)]) == want })
}

// lacks says that no message has a field.
func lacks(messages []issuer.Entry, field int) bool {
	return !slices.ContainsFunc(messages, func(e issuer.Entry) bool { return e.Fields[strconv.Itoa(field)] != "" })
}

// at12 compares a time of the day, with seconds or without, with the one of the requests: field 12, in 1993 behind the date.
func at12(heard []issuer.Entry, printed string) bool {
	digits := strings.ReplaceAll(printed, ":", "")
	return slices.ContainsFunc(heard, func(e issuer.Entry) bool {
		at := e.Fields["12"]
		return len(at) >= 6 && strings.HasPrefix(at[len(at)-6:], digits)
	})
}

// booking is what the books have of a trace number: the card, and the amount that was asked for where less was approved.
func booking(state issuer.State, trace string) (found bool, card, asked string) {
	for _, ch := range state.Charges {
		if ch.STAN == trace {
			found, card, asked = true, ch.Card, scenarios.Money(ch.Asked)
		}
	}
	for _, h := range state.Holds {
		if h.STAN == trace {
			return true, h.Card, ""
		}
	}
	for _, r := range state.Refunds {
		if r.STAN == trace {
			return true, r.Card, ""
		}
	}
	return found, card, asked
}

func tail(card string) string { return card[max(0, len(card)-cardTail):] }

// misprintedSlip holds the slip of a settlement against what the terminal told the bank.
func misprintedSlip(p page, settlements []issuer.Settlement) []string {
	said := ""
	for _, s := range settlements {
		count := fmt.Sprint(s.TerminalCount + s.TerminalCreditCount)
		total := scenarios.Money(s.TerminalAmount - s.TerminalCreditAmount)
		if (p.batch == "" || s.Batch == "" || p.batch == s.Batch) && (p.count == "" || p.count == count) && (p.total == "" || p.total == total) {
			return nil
		}
		said = fmt.Sprintf("batch %s, %s transactions, %s", s.Batch, count, total)
	}
	if said == "" {
		return nil // that no settlement reached the bank is said elsewhere
	}
	return []string{fmt.Sprintf("a settlement slip says batch %s, %s transactions, %s; the terminal last told the bank %s", p.batch, p.count, p.total, said)}
}
