package judge

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/assay-hil/assay/harness/record"
)

// Events of one source are compared by Seq, which is the order in which that source told them; their times
// may cross by as much as the estimate of its clock got better meanwhile. Events of different sources
// have only their times.

// unanswered are the sales that left the terminal and got no answer that it can have used, in order.
func (c *Case) unanswered() []record.Event {
	return c.all(whole(), func(request record.Event) bool {
		if !fromTerminal(request, "0200") {
			return false
		}
		i := slices.IndexFunc(c.Events, func(e record.Event) bool {
			return toTerminal(e, "0210") && e.Fields["stan"] == request.Fields["stan"] && e.Seq > request.Seq
		})
		return i < 0 || c.gaveUp(request, c.Events[i])
	})
}

// gaveUp says whether the terminal told the cashier that no answer came, or lost its power, before the answer
// came. What is too close to be told apart does not count against it.
func (c *Case) gaveUp(request, answer record.Event) bool {
	return slices.ContainsFunc(c.Events, func(e record.Event) bool {
		over := is(e, "power", "off") || slices.Contains(prompts(e), "comm-timeout") || slices.Contains(prompts(e), "comm-error")
		return over && e.US > request.US && e.US+c.slack() < answer.US
	})
}

// unreversed finds sales that left the terminal, got no answer, and were not taken back.
func (c *Case) unreversed() []string {
	var problems []string
	for _, request := range c.unanswered() {
		stan := request.Fields["stan"]
		if !c.acknowledgedBetween(stan, request.Seq, math.MaxInt) {
			problems = append(problems, fmt.Sprintf("the sale with trace %s got no answer and was never reversed", stan))
		}
	}
	return problems
}

// overtaken finds sales that went to the host while an earlier one was still to be reversed.
func (c *Case) overtaken() []string {
	var problems []string
	for _, request := range c.unanswered() {
		stan := request.Fields["stan"]
		next := slices.IndexFunc(c.Events, func(e record.Event) bool {
			return fromTerminal(e, "0200") && e.Fields["stan"] != stan && e.Seq > request.Seq
		})
		if next < 0 || c.acknowledgedBetween(stan, request.Seq, c.Events[next].Seq) {
			continue
		}
		problems = append(problems, fmt.Sprintf("the sale with trace %s went out before the reversal of trace %s was acknowledged", c.Events[next].Fields["stan"], stan))
	}
	return problems
}

// approving are the codes with which a host approves: approved, with identification, partly, VIP, and UnionPay's
// A2, A4, A5 and A6 (approved, with something to be sorted out between the banks).
var approving = []string{"00", "10", "11", "A2", "A4", "A5", "A6"}

// approval makes sure that nothing was called approved, on screen or paper, before the host had approved it.
func (c *Case) approval() record.Check {
	var problems, doubts []string
	note := func(problem string, doubt bool) {
		if problem != "" && !doubt && !slices.Contains(problems, problem) {
			problems = append(problems, problem)
		}
		if doubt && !slices.Contains(doubts, problem) {
			doubts = append(doubts, problem)
		}
	}
	for _, e := range c.Events {
		if slices.Contains(prompts(e), "approved") {
			note(c.unapprovedScreen(e))
		}
	}
	for _, s := range c.slips(whole()) {
		if c.Printer && s.trace != "" {
			note(c.unapprovedSlip(s))
		}
	}
	check := finding("approval", "approved is shown and printed only after the host approved that sale", problems, "each had its answer")
	if len(problems) == 0 && len(doubts) > 0 {
		check.Observed, check.Verdict, check.Cause = strings.Join(doubts, "; "), record.Inconclusive, record.Issuer
	}
	return check
}

// unapprovedScreen says what is wrong with a screen that shows approved; "" when nothing is. It is a
// doubt, not the terminal's fault, when the issuer does not know the answer.
func (c *Case) unapprovedScreen(shown record.Event) (problem string, doubt bool) {
	sale, ok := c.last(shown.US, func(e record.Event) bool { return is(e, "harness", "sale") })
	if !ok {
		return "approved was shown before any sale began", false
	}
	during := &window{from: sale.US, to: shown.US + c.slack()}
	var requested []string
	for _, e := range c.all(during, func(e record.Event) bool { return fromTerminal(e, "0200") }) {
		requested = append(requested, e.Fields["stan"])
	}
	what := fmt.Sprintf("approved was shown for the sale of %s", sale.Fields["amount"])
	answer, ok := c.last(during.to, func(e record.Event) bool {
		return toTerminal(e, "0210") && during.holds(e) && slices.Contains(requested, e.Fields["stan"])
	})
	if ok {
		return c.unapproving(what, answer)
	}
	if stray, ok := c.last(during.to, func(e record.Event) bool { return toTerminal(e, "0210") && during.holds(e) }); ok {
		return fmt.Sprintf("%s on the answer to another request, trace %s", what, stray.Fields["stan"]), false
	}
	return what + " although no answer had come", false
}

// unapprovedSlip says the same of a receipt, whose answer it names itself.
func (c *Case) unapprovedSlip(s slip) (problem string, doubt bool) {
	what := fmt.Sprintf("an approved receipt for %s (trace %s) was printed", s.amount, s.trace)
	answer, ok := c.last(s.us+c.slack(), func(e record.Event) bool { return toTerminal(e, "0210") && e.Fields["stan"] == s.trace })
	if !ok {
		return what + " although no answer had come", false
	}
	return c.unapproving(what, answer)
}

// unapproving says what is wrong with calling a sale approved on an answer.
func (c *Case) unapproving(what string, answer record.Event) (problem string, doubt bool) {
	code, known := c.codeOf(answer)
	switch {
	case !known:
		return fmt.Sprintf("%s on an answer that the issuer's journal does not know, trace %s", what, answer.Fields["stan"]), true
	case !slices.Contains(approving, code):
		return fmt.Sprintf("%s although the host had answered %s", what, code), false
	default:
		return "", false
	}
}
