package judge

import (
	"fmt"
	"slices"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// violated says that the terminal broke the host's protocol: the issuer may then hang up or stay silent,
// which is no fault of its own.
func (c *Case) violated() bool { return len(c.States[Audit].Violations) > 0 }

// unheard are messages that came out of the injector and did not reach the issuer.
func (c *Case) unheard() []string {
	if c.violated() {
		return nil
	}
	var problems []string
	for _, m := range c.allHosted(whole(), func(e record.Event) bool { return message(e, "delivered", network.FromTerminal, "") }) {
		if !slices.ContainsFunc(c.received(whole(), m.Fields["mti"]), func(e record.Event) bool { return sameMessage(e, m) }) {
			problems = append(problems, fmt.Sprintf("the issuer never received the %s of trace %s", m.Fields["mti"], m.Fields["stan"]))
		}
	}
	return problems
}

// unreplied are requests that the issuer left unanswered, or kept waiting, although no rule says so.
func (c *Case) unreplied() []string {
	if c.violated() {
		return nil
	}
	var problems []string
	for _, r := range c.received(whole(), "") {
		if rule := c.rule(r); rule != nil && (rule.Never || rule.Late != "" || slices.Contains(rule.Wrong, "mti") || slices.Contains(rule.Wrong, "stan")) {
			continue
		}
		i := slices.IndexFunc(c.hostSide(), func(e record.Event) bool {
			return (is(e, "issuer", "sent") || is(e, "issuer", "undelivered")) && e.Seq > r.Seq && answersTo(e, r)
		})
		switch {
		case i < 0:
			problems = append(problems, fmt.Sprintf("the issuer did not answer the %s of trace %s", r.Fields["mti"], r.Fields["stan"]))
		case c.hostSide()[i].US-r.US > c.promptly():
			problems = append(problems, fmt.Sprintf("the issuer took %s for the %s of trace %s, and no rule says so",
				took(r.US, c.hostSide()[i].US), r.Fields["mti"], r.Fields["stan"]))
		}
	}
	return problems
}

// answersTo says whether one message of the issuer's is the answer to another. A repeat is answered as the original is:
// 0221 → 0230.
func answersTo(answer, request record.Event) bool {
	mti := request.Fields["mti"]
	if original, repeat := iso8583.RepeatOf(mti); repeat {
		mti = original
	}
	return requestOf(answer.Fields["mti"]) == mti && answer.Fields["stan"] == request.Fields["stan"]
}

// rule gives the arranged rule that an event of the issuer names; nil without one.
func (c *Case) rule(e record.Event) *scenarios.IssuerRule {
	for i := range c.Scenario.Arrange.Issuer {
		if scenarios.RuleName(c.Scenario, i) == e.Fields["rule"] {
			return &c.Scenario.Arrange.Issuer[i]
		}
	}
	return nil
}

// misruled are answers other than their rule wants.
func (c *Case) misruled() []string {
	var problems []string
	for _, s := range c.allHosted(whole(), func(e record.Event) bool { return is(e, "issuer", "sent") }) {
		rule := c.rule(s)
		switch {
		case rule == nil:
		case rule.Never:
			problems = append(problems, fmt.Sprintf("the issuer sent the %s of trace %s where the rule says never", s.Fields["mti"], s.Fields["stan"]))
		case rule.Code != "" && s.Fields["code"] != c.meant(rule.Code):
			problems = append(problems, fmt.Sprintf("the issuer answered %s where the rule says %s", s.Fields["code"], rule.Code))
		case rule.Late != "":
			problems = append(problems, c.mistimed(s, rule.Late)...)
		}
	}
	return problems
}

// mistimed says how an answer came at another time after its request than was wanted. A request may have
// been repeated: one of them must fit.
func (c *Case) mistimed(s record.Event, wanted string) []string {
	late, err := c.Profile.Duration(wanted)
	if err != nil {
		return nil // arranging it has failed with that
	}
	after, asked := int64(0), false
	for _, r := range c.received(whole(), "") {
		if r.Seq > s.Seq || !answersTo(s, r) {
			continue
		}
		after, asked = s.US-r.US, true
		if after >= micros(late)-c.slack() && after <= micros(late)+c.promptly() {
			return nil
		}
	}
	if !asked {
		return nil
	}
	return []string{fmt.Sprintf("the issuer answered after %s where the rule says %s", took(0, after), round(late))}
}

// miscounted are books that say other than the issuer's own journal.
func (c *Case) miscounted() []string {
	state := c.States[Audit]
	var problems []string
	if state.Dropped == 0 { // else the journal does not go back to the beginning
		problems = c.misposted(state)
	}
	for _, ch := range state.Charges {
		if ch.State == issuer.StateCharged && !ch.Settled && c.takenBack(ch.STAN) {
			problems = append(problems, fmt.Sprintf("the issuer acknowledged the reversal of trace %s and did not post it", ch.STAN))
		}
	}
	return problems
}

// misposted compares the charges on the books with those of the journal, trace by trace.
func (c *Case) misposted(state issuer.State) []string {
	type posting struct {
		stan   string
		amount int64
	}
	var order []posting
	booked, posted := map[posting]int{}, map[posting]int{}
	count := func(n map[posting]int, p posting) {
		n[p]++
		if !slices.Contains(order, p) {
			order = append(order, p)
		}
	}
	for _, ch := range state.Charges {
		count(booked, posting{ch.STAN, asked(ch)}) // as the journal has it, where only a part was approved
	}
	for _, e := range state.Journal {
		// A sale whose reversal had come first is booked, too, and nets to nothing.
		sale := slices.Contains([]string{"purchase", "advice", "completion"}, e.Operation)
		if e.In && sale && slices.Contains([]string{issuer.EffectCharged, issuer.EffectCaptured, issuer.EffectReversed}, e.Effect) {
			count(posted, posting{e.STAN, e.Amount})
		}
	}
	var problems []string
	for _, p := range order {
		if booked[p] != posted[p] {
			problems = append(problems, fmt.Sprintf("the issuer's books have %d charges of %s (trace %s), its journal %d",
				booked[p], scenarios.Money(p.amount), p.stan, posted[p]))
		}
	}
	return problems
}

// takenBack says that the issuer called a reversal done, and not because a rule made it say so: a code from a
// rule posts nothing.
func (c *Case) takenBack(stan string) bool {
	return slices.ContainsFunc(c.hostSide(), func(e record.Event) bool {
		rule := c.rule(e)
		return is(e, "issuer", "sent") && e.Fields["mti"] == "0410" && e.Fields["stan"] == stan && e.Fields["code"] == "00" &&
			(rule == nil || rule.Code == "")
	})
}
