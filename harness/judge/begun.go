package judge

import (
	"slices"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
)

// Begun are the events with which the harness says what the cashier begins. What follows, up to the next of them, is a part
// of that transaction. Their fields are amount, and of where it is about another.
var Begun = []string{"authorise", "balance", "complete", "refund", "sale", "void"}

// Financial are the requests of such transactions: an authorisation or inquiry, a sale and what is like one, an
// advice.
var Financial = []string{"0100", "0200", "0220"}

func begins(e record.Event) bool { return e.Source == "harness" && slices.Contains(Begun, e.Kind) }

// begunBefore is what the cashier had begun last at a time; the zero Event when nothing.
func (c *Case) begunBefore(us int64) record.Event {
	e, _ := c.last(us, begins)
	return e
}

// intended are the amounts of what the cashier began of some kinds, up to the end of a window, in order; of voids those of
// what they are about. The harness writes phases and beginnings itself, so their order says more than their times: the next
// phase's first may come in the microsecond in which this one ended.
func (c *Case) intended(w *window, kinds ...string) []string {
	var amounts []string
	for _, e := range c.Events {
		if is(e, "harness", "phase") && e.Fields["name"] == w.phase && e.Fields["edge"] == "end" {
			break
		}
		if !begins(e) || !slices.Contains(kinds, e.Kind) {
			continue
		}
		amount := e.Fields["amount"]
		if e.Kind == "void" {
			amount = e.Fields["of"]
		}
		if amount != "" {
			amounts = append(amounts, amount)
		}
	}
	return amounts
}

// sales are the charges that the cashier wanted up to the end of a window, in order.
func (c *Case) sales(w *window) []string { return c.intended(w, "sale", "complete") }

// financialRequest and financialAnswer tell the messages of such transactions; mti "" is any.
func financialRequest(e record.Event) bool {
	return slices.ContainsFunc(Financial, func(mti string) bool { return fromTerminal(e, mti) })
}

func financialAnswer(e record.Event) bool {
	return message(e, "delivered", network.FromHost, "") && slices.Contains(Financial, requestOf(e.Fields["mti"]))
}

// answered finds the answer to a request that reached the terminal after it and can be used; also one to a repeat.
func (c *Case) answered(request record.Event) (record.Event, bool) {
	i := slices.IndexFunc(c.hostSide(), func(e record.Event) bool {
		return message(e, "delivered", network.FromHost, "") && answersTo(e, request) && e.Seq > request.Seq && !c.spoiled(e)
	})
	if i < 0 {
		return record.Event{}, false
	}
	return c.hostSide()[i], true
}

// spoiled says that a rule made an approval wrong, so that the terminal must not take it for one.
func (c *Case) spoiled(answer record.Event) bool {
	sent, ok := c.sent(answer)
	rule := c.rule(sent)
	return ok && rule != nil && slices.Contains(rule.Wrong, "mac") && slices.Contains(approving, sent.Fields["code"])
}

// sent finds where the issuer wrote an answer that reached the terminal.
func (c *Case) sent(answer record.Event) (record.Event, bool) {
	return c.lastHosted(answer.US+c.slack(), func(e record.Event) bool {
		return is(e, "issuer", "sent") && sameMessage(e, answer)
	})
}

// disowned says that a rule had the issuer approve a transaction and post nothing: terminal and books differ, and that is not
// the terminal's doing.
func (c *Case) disowned(stan string) bool {
	return slices.ContainsFunc(c.hostSide(), func(e record.Event) bool {
		rule := c.rule(e)
		return is(e, "issuer", "sent") && e.Fields["stan"] == stan && rule != nil && slices.Contains(approving, rule.Code)
	})
}

// reversible says that a request without an answer must be taken back: whether money moved is not known. An inquiry moves
// none, and an advice tells of what stands already; it is told again instead.
func (c *Case) reversible(request record.Event) bool {
	if !financialRequest(request) {
		return false
	}
	begun := c.begunBefore(request.US + c.slack())
	kind := begun.Kind
	switch {
	case kind == "balance", kind == "sale" && c.follows(request, begun):
		return false
	case request.Fields["mti"] == "0220":
		return kind == "refund"
	}
	return true
}

// partly is the code with which a host approves a part.
const partly = "10"

// follows says that a request comes after another of the same sale of which a part was approved: it voids the part that the
// cashier refused, and without an answer the reversal is that of the sale.
func (c *Case) follows(request, begun record.Event) bool {
	return slices.ContainsFunc(c.hostSide(), func(e record.Event) bool {
		if e.US <= begun.US || e.Source != request.Source || e.Seq >= request.Seq || !financialRequest(e) || e.Fields["stan"] == request.Fields["stan"] {
			return false
		}
		answer, ok := c.answered(e)
		code, _ := c.codeOf(answer)
		return ok && code == partly && answer.Seq < request.Seq
	})
}

// untold are advices of completions, and of sales that the card approved, that got no answer, not even to a repeat.
func (c *Case) untold() []record.Event {
	return c.allHosted(whole(), func(e record.Event) bool {
		if !fromTerminal(e, "0220") {
			return false
		}
		if kind := c.begunBefore(e.US + c.slack()).Kind; kind != "complete" && kind != "sale" {
			return false
		}
		_, ok := c.answered(e)
		return !ok
	})
}

// asked is the amount that a charge was asked for: more than it has where only a part was approved.
func asked(ch issuer.Charge) int64 { return max(ch.Asked, ch.Amount) }

// unintended are refunds, holds and voids on the books that no cashier began, or more often than that.
func (c *Case) unintended() []string {
	state := c.States[Audit]
	var refunds, holds, voids []string
	for _, r := range state.Refunds {
		if r.State == issuer.StateRefunded {
			refunds = append(refunds, scenarios.Money(r.Amount))
		}
	}
	for _, h := range state.Holds {
		switch h.State {
		case issuer.StateHeld, issuer.StateCaptured:
			holds = append(holds, scenarios.Money(h.Amount))
		case issuer.StateVoided:
			voids = append(voids, scenarios.Money(h.Amount))
		}
	}
	for _, ch := range voided(state) {
		if asked(ch) == ch.Amount { // a part that the cashier refused is voided by the terminal itself
			voids = append(voids, scenarios.Money(ch.Amount))
		}
	}
	return slices.Concat(
		surplus("refund", refunds, c.intended(whole(), "refund")),
		surplus("pre-authorisation", holds, c.intended(whole(), "authorise")),
		surplus("void", voids, c.intended(whole(), "void")))
}

// surplus are amounts that are there more often than they were wanted.
func surplus(what string, found, wanted []string) []string {
	var problems []string
	rest := slices.Clone(wanted)
	for _, amount := range found {
		i := slices.Index(rest, amount)
		if i < 0 {
			problems = append(problems, "a "+what+" of "+amount+" is on the books, which nobody intended, or not again")
			continue
		}
		rest = slices.Delete(rest, i, i+1)
	}
	return problems
}

// voided are the charges that were taken back by a void.
func voided(s issuer.State) []issuer.Charge {
	return slices.DeleteFunc(slices.Clone(s.Charges), func(ch issuer.Charge) bool { return ch.State != issuer.StateVoided })
}
