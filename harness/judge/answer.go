package judge

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/assay-hil/assay/harness/record"
)

// Events of one source are compared by Seq, which is the order in which that source told them; their times
// may cross by as much as the estimate of its clock got better meanwhile. Events of different sources
// have only their times.

// unanswered are the transactions that left the terminal and got no answer that it can have used, in order.
func (c *Case) unanswered() []record.Event {
	return c.allHosted(whole(), func(request record.Event) bool {
		if !c.reversible(request) {
			return false
		}
		answer, ok := c.answered(request)
		return !ok || c.gaveUp(request, answer)
	})
}

// gaveUpPrompts tell the cashier that no answer came.
var gaveUpPrompts = []string{"comm-timeout", "comm-error", "receive-error"}

// gaveUp says whether the terminal told the cashier that no answer came, or lost its power, before the answer
// came. What is too close to be told apart does not count against it.
func (c *Case) gaveUp(request, answer record.Event) bool {
	return slices.ContainsFunc(c.Events, func(e record.Event) bool {
		return e.US > request.US && e.US+c.slack() < answer.US &&
			(is(e, "power", "off") || slices.ContainsFunc(prompts(e), func(p string) bool { return slices.Contains(gaveUpPrompts, p) }))
	})
}

// unreversed finds transactions that left the terminal, got no answer, and were not taken back; and advices of which the
// host was never told.
func (c *Case) unreversed() []string {
	var problems []string
	for _, advice := range c.untold() {
		problems = append(problems, fmt.Sprintf("the advice with trace %s got no answer, and none to a repeat", advice.Fields["stan"]))
	}
	for _, request := range c.unanswered() {
		stan := request.Fields["stan"]
		if c.givenUp(stan, math.MaxInt) {
			if c.Printer && c.Profile.Receipt.NotReversed != nil && !c.named(stan) {
				problems = append(problems, fmt.Sprintf("the reversal of trace %s was given up, and no slip says so", stan))
			}
			continue
		}
		if !c.acknowledgedBetween(stan, request.Seq, math.MaxInt) {
			problems = append(problems, fmt.Sprintf("the sale with trace %s got no answer and was never reversed", stan))
		}
	}
	return problems
}

// givenUp says that the terminal may have stopped reversing a transaction before an event of the network: its profile lets it, and it
// had sent the reversal as often as it must.
func (c *Case) givenUp(stan string, before int) bool {
	return c.Profile.ReversalDrop && !c.acknowledgedBetween(stan, 0, math.MaxInt) && len(c.allHosted(whole(), func(e record.Event) bool {
		return fromTerminal(e, "0400") && e.Fields["stan"] == stan && e.Seq < before
	})) >= max(1, c.Profile.Timers.ReversalTry)
}

// named says that a slip tells of a reversal that was given up.
func (c *Case) named(stan string) bool {
	pattern := c.Profile.Receipt.NotReversed
	return slices.ContainsFunc(c.Events, func(e record.Event) bool {
		if e.Source != "printer" {
			return false
		}
		m := pattern.FindStringSubmatch(e.Fields["text"])
		return m != nil && m[pattern.SubexpIndex("value")] == stan
	})
}

// overtaken finds sales that went to the host while an earlier one was still to be reversed.
func (c *Case) overtaken() []string {
	var problems []string
	for _, request := range c.unanswered() {
		stan := request.Fields["stan"]
		next := slices.IndexFunc(c.hostSide(), func(e record.Event) bool {
			return financialRequest(e) && e.Fields["stan"] != stan && e.Seq > request.Seq
		})
		if next < 0 || c.givenUp(stan, c.hostSide()[next].Seq) || c.acknowledgedBetween(stan, request.Seq, c.hostSide()[next].Seq) {
			continue
		}
		problems = append(problems, fmt.Sprintf("the sale with trace %s went out before the reversal of trace %s was acknowledged", c.hostSide()[next].Fields["stan"], stan))
	}
	return problems
}

// approving are the codes with which a host approves: approved, with identification, partly, VIP, and UnionPay's
// A2, A4, A5 and A6 (approved, with something to be sorted out between the banks); 001 and 003 of 1993 (with identification, VIP), where
// a dialect has no code of 1987 for them.
var approving = []string{"00", "10", "11", "A2", "A4", "A5", "A6", "001", "003"}

// approvingPrompt says that a prompt tells of an approval on this terminal.
func (c *Case) approvingPrompt(prompt string) bool { return c.Profile.Approves(prompt) }

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
		if slices.ContainsFunc(prompts(e), c.approvingPrompt) {
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
	begun, ok := c.last(shown.US, begins)
	if !ok {
		return "approved was shown before any sale began", false
	}
	during := &window{from: begun.US, to: shown.US + c.slack()}
	requests := c.allHosted(during, financialRequest)
	what := fmt.Sprintf("approved was shown for the %s of %s", begun.Kind, cmp.Or(begun.Fields["amount"], begun.Fields["of"]))
	answer, ok := c.lastHosted(during.to, func(e record.Event) bool {
		return financialAnswer(e) && during.holds(e) && slices.ContainsFunc(requests, func(r record.Event) bool { return answersTo(e, r) })
	})
	switch {
	case ok:
		return c.unapproving(what, answer)
	case begun.Kind == "complete" && slices.ContainsFunc(requests, func(e record.Event) bool { return fromTerminal(e, "0220") }):
		return "", false // an advice stands without its answer
	}
	if stray, ok := c.lastHosted(during.to, func(e record.Event) bool { return financialAnswer(e) && during.holds(e) }); ok {
		return fmt.Sprintf("%s on the answer to another request, trace %s", what, stray.Fields["stan"]), false
	}
	if len(requests) > 0 {
		return what + " although no answer had come", false
	}
	if c.neverHeard(begun, during.to) {
		return "", false
	}
	if wrong := c.unasked(begun, during.to); wrong != "" {
		return what + wrong, false
	}
	return "", false
}

// unapprovedSlip says the same of a receipt, whose answer it names itself.
func (c *Case) unapprovedSlip(s slip) (problem string, doubt bool) {
	what := fmt.Sprintf("%s receipt for %s (trace %s) was printed", s.article(), s.amount, s.trace)
	answer, ok := c.lastHosted(s.us+c.slack(), func(e record.Event) bool { return financialAnswer(e) && e.Fields["stan"] == s.trace })
	begun := c.begunBefore(s.us + c.slack())
	if !ok && begun.Kind == "complete" && slices.ContainsFunc(c.hostSide(), func(e record.Event) bool {
		return fromTerminal(e, "0220") && e.Fields["stan"] == s.trace
	}) {
		return "", false // an advice stands without its answer
	}
	if !ok && slices.ContainsFunc(c.hostSide(), func(e record.Event) bool {
		return financialRequest(e) && e.Fields["stan"] == s.trace && e.US <= s.us+c.slack()
	}) {
		return what + " although no answer had come", false
	}
	if !ok {
		own, _ := c.last(s.us+c.slack(), func(e record.Event) bool { return begins(e) && e.Fields["amount"] == s.amount })
		if wrong := c.unasked(own, s.us+c.slack()); wrong != "" {
			return what + wrong, false
		}
		return "", false
	}
	return c.unapproving(what, answer)
}

// unapproving says what is wrong with calling a sale approved on an answer.
func (c *Case) unapproving(what string, answer record.Event) (problem string, doubt bool) {
	code, known := c.codeOf(answer)
	switch {
	case c.spoiled(answer):
		return fmt.Sprintf("%s on an answer whose MAC was wrong, trace %s", what, answer.Fields["stan"]), false
	case !known:
		return fmt.Sprintf("%s on an answer that the issuer's journal does not know, trace %s", what, answer.Fields["stan"]), true
	case !slices.Contains(approving, code):
		return fmt.Sprintf("%s although the host had answered %s", what, code), false
	default:
		return "", false
	}
}
