package judge

import (
	"fmt"
	"slices"
	"strings"
	"time"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
)

// promptly is how long injector and issuer may take over a message that they were not told to hold. It is
// real time on every rung: a busy machine is not faster because a terminal's timers are shorter.
const promptly = time.Second

// bench holds what injector, issuer and the issuer's books say against each other and against
// what was arranged. Where they contradict, nothing that depends on them may be held against the terminal.
func (c *Case) bench() []record.Check {
	injector := slices.Concat(c.undelivered(), c.unlike(), c.unseen(), c.unreached())
	host := slices.Concat(c.unheard(), c.unreplied(), c.misruled(), c.miscounted())
	return []record.Check{
		doubted("injector", "the injector does to messages what was arranged, and nothing else", injector, record.Network),
		doubted("issuer", "the issuer hears, answers and books what reaches it", host, record.Issuer),
	}
}

func doubted(what, expected string, problems []string, cause record.Cause) record.Check {
	check := finding(what, expected, problems, "it did")
	if check.Verdict == record.Fail {
		check.Verdict, check.Cause = record.Inconclusive, cause
	}
	return check
}

func (c *Case) promptly() int64 {
	return micros(promptly) + c.slack()
}

func sameMessage(a, b record.Event) bool {
	return a.Fields["mti"] == b.Fields["mti"] && a.Fields["stan"] == b.Fields["stan"]
}

// after finds the first event of the same connection after one that satisfies a condition.
func (c *Case) after(m record.Event, ok func(record.Event) bool) (record.Event, bool) {
	for _, e := range c.Events {
		if e.Source == "network" && e.Seq > m.Seq && e.Fields["connection"] == m.Fields["connection"] && ok(e) {
			return e, true
		}
	}
	return record.Event{}, false
}

// undelivered are messages that the injector let pass and that did not come out, although the terminal
// left the connection open.
func (c *Case) undelivered() []string {
	var problems []string
	for _, m := range c.all(whole(), func(e record.Event) bool { return is(e, "network", "message") && e.Fields["fate"] == "passed" }) {
		out, ok := c.after(m, func(e record.Event) bool {
			return e.Kind == "delivered" && sameMessage(e, m) && e.Fields["direction"] == m.Fields["direction"]
		})
		closed, ended := c.after(m, func(e record.Event) bool { return e.Kind == "closed" })
		switch {
		case ok && out.US-m.US > c.promptly():
			problems = append(problems, fmt.Sprintf("the injector held the %s of trace %s for %s", m.Fields["mti"], m.Fields["stan"], round(time.Duration(out.US-m.US)*time.Microsecond)))
		case !ok && !(ended && closed.US-m.US <= c.promptly() && strings.Contains(closed.Fields["why"], "terminal")) && !c.cut(m):
			problems = append(problems, fmt.Sprintf("the injector swallowed the %s of trace %s", m.Fields["mti"], m.Fields["stan"]))
		}
	}
	return problems
}

// cut says that the terminal lost its supply while it waited.
func (c *Case) cut(m record.Event) bool {
	return slices.ContainsFunc(c.Events, func(e record.Event) bool {
		return is(e, "power", "off") && e.US+c.slack() >= m.US && e.US <= m.US+micros(c.Profile.Timers.HostReply)
	})
}

// unlike are messages that the injector treated otherwise than the fault wants.
func (c *Case) unlike() []string {
	var problems []string
	for _, m := range c.all(whole(), func(e record.Event) bool { return is(e, "network", "message") && e.Fields["fate"] != "passed" }) {
		i := slices.IndexFunc(c.Scenario.Arrange.Network, func(f scenarios.NetworkFault) bool { return f.Message == m.Fields["mti"] })
		if i < 0 {
			problems = append(problems, fmt.Sprintf("the injector %s the %s, which nobody wanted", m.Fields["fate"], m.Fields["mti"]))
			continue
		}
		out, ok := c.after(m, func(e record.Event) bool { return e.Kind == "delivered" && sameMessage(e, m) })
		by, err := c.Profile.Duration(c.Scenario.Arrange.Network[i].By)
		switch held := out.US - m.US; {
		case m.Fields["fate"] != "held" && ok:
			problems = append(problems, fmt.Sprintf("the injector says that it took the %s away, and delivered it", m.Fields["mti"]))
		case m.Fields["fate"] == "held" && ok && err == nil && (held < micros(by)-c.slack() || held > micros(by)+c.promptly()) && !c.healedBetween(m, out):
			problems = append(problems, fmt.Sprintf("the injector held the %s for %s instead of %s", m.Fields["mti"], round(time.Duration(held)*time.Microsecond), round(by)))
		case m.Fields["fate"] == "held" && !ok && err == nil && !c.cut(m):
			if closed, ended := c.after(m, func(e record.Event) bool { return e.Kind == "closed" }); ended && closed.US-m.US > micros(by)+c.promptly() {
				problems = append(problems, fmt.Sprintf("the injector held the %s for longer than %s", m.Fields["mti"], round(by)))
			}
		}
	}
	return problems
}

func (c *Case) healedBetween(m, out record.Event) bool {
	return slices.ContainsFunc(c.Events, func(e record.Event) bool {
		return is(e, "network", "healed") && e.Seq > m.Seq && e.US <= out.US
	})
}

// unseen are messages that issuer and injector count differently: one of their feeds has holes.
func (c *Case) unseen() []string {
	var problems []string
	for _, r := range c.received(whole(), "") {
		if !slices.ContainsFunc(c.Events, func(e record.Event) bool { return fromTerminal(e, r.Fields["mti"]) && sameMessage(e, r) }) {
			problems = append(problems, fmt.Sprintf("the issuer received the %s of trace %s, which the injector never saw", r.Fields["mti"], r.Fields["stan"]))
		}
	}
	for _, s := range c.all(whole(), func(e record.Event) bool { return is(e, "issuer", "sent") }) {
		seen := slices.ContainsFunc(c.Events, func(e record.Event) bool {
			return message(e, "message", network.FromHost, s.Fields["mti"]) && sameMessage(e, s)
		})
		if !seen && !c.lost(s) {
			problems = append(problems, fmt.Sprintf("the issuer sent the %s of trace %s, which the injector never saw", s.Fields["mti"], s.Fields["stan"]))
		}
	}
	return problems
}

// lost says that an answer did not leave the issuer.
func (c *Case) lost(s record.Event) bool {
	return slices.ContainsFunc(c.Events, func(e record.Event) bool { return is(e, "issuer", "undelivered") && sameMessage(e, s) })
}

// unheard are messages that came out of the injector and did not reach the issuer.
func (c *Case) unheard() []string {
	if len(c.States[Audit].Violations) > 0 {
		return nil // the issuer hangs up on a terminal that talks nonsense
	}
	var problems []string
	for _, m := range c.all(whole(), func(e record.Event) bool { return message(e, "delivered", network.FromTerminal, "") }) {
		if !slices.ContainsFunc(c.received(whole(), m.Fields["mti"]), func(e record.Event) bool { return sameMessage(e, m) }) {
			problems = append(problems, fmt.Sprintf("the issuer never received the %s of trace %s", m.Fields["mti"], m.Fields["stan"]))
		}
	}
	return problems
}

// unreplied are requests that the issuer left unanswered although no rule says so.
func (c *Case) unreplied() []string {
	var problems []string
	for _, r := range c.received(whole(), "") {
		rule := c.rule(r)
		if rule != nil && (rule.Never || rule.Late != "") {
			continue
		}
		answered := slices.ContainsFunc(c.Events, func(e record.Event) bool {
			return (is(e, "issuer", "sent") || is(e, "issuer", "undelivered")) && e.Fields["stan"] == r.Fields["stan"] && e.Fields["mti"] == replyTo(r.Fields["mti"])
		})
		if !answered && len(r.Fields["mti"]) == 4 {
			problems = append(problems, fmt.Sprintf("the issuer did not answer the %s of trace %s", r.Fields["mti"], r.Fields["stan"]))
		}
	}
	return problems
}

func replyTo(mti string) string {
	if len(mti) != 4 {
		return ""
	}
	return mti[:2] + "1" + mti[3:]
}

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
	for _, s := range c.all(whole(), func(e record.Event) bool { return is(e, "issuer", "sent") }) {
		rule := c.rule(s)
		if rule == nil {
			continue
		}
		if rule.Code != "" && s.Fields["code"] != rule.Code {
			problems = append(problems, fmt.Sprintf("the issuer answered %s where the rule says %s", s.Fields["code"], rule.Code))
		}
		if late, err := c.Profile.Duration(rule.Late); rule.Late != "" && err == nil {
			asked, ok := c.last(s.US, func(e record.Event) bool { return is(e, "issuer", "received") && e.Fields["stan"] == s.Fields["stan"] })
			if ok && s.US-asked.US < micros(late)-c.slack() {
				problems = append(problems, fmt.Sprintf("the issuer answered after %s where the rule says %s", round(time.Duration(s.US-asked.US)*time.Microsecond), round(late)))
			}
		}
	}
	return problems
}

// miscounted are books that say other than the issuer's own journal.
func (c *Case) miscounted() []string {
	state, ok := c.States[Audit]
	if !ok {
		return nil
	}
	var problems []string
	for _, ch := range state.Charges {
		posted, booked := 0, 0
		for _, e := range state.Journal {
			if e.In && e.MTI == "0200" && e.Effect == issuer.EffectCharged && e.STAN == ch.STAN && e.Amount == ch.Amount {
				posted++
			}
		}
		for _, other := range state.Charges {
			if other.STAN == ch.STAN && other.Amount == ch.Amount {
				booked++
			}
		}
		if posted != booked {
			problems = append(problems, fmt.Sprintf("the issuer's books have %d charges of %s (trace %s), its journal %d", booked, scenarios.Money(ch.Amount), ch.STAN, posted))
		}
		if ch.State == issuer.StateCharged && !ch.Settled && c.acknowledged00(ch.STAN) {
			problems = append(problems, fmt.Sprintf("the issuer acknowledged the reversal of trace %s and did not post it", ch.STAN))
		}
	}
	return problems
}

func (c *Case) acknowledged00(stan string) bool {
	return slices.ContainsFunc(c.Events, func(e record.Event) bool {
		return is(e, "issuer", "sent") && e.Fields["mti"] == "0410" && e.Fields["stan"] == stan && e.Fields["code"] == "00"
	})
}

// unreached are failed connections of which the injector saw nothing although its port was open: the way to
// it is in doubt, and the terminal may be right.
func (c *Case) unreached() []string {
	if slices.ContainsFunc(c.Scenario.Arrange.Network, func(f scenarios.NetworkFault) bool { return f.Fault == "refuse" }) && !c.healed() {
		return nil
	}
	var problems []string
	for _, s := range c.Events {
		if !slices.Contains(prompts(s), "comm-failed") || c.refusing(s.US) {
			continue
		}
		dialling, _ := c.last(s.US-1, func(e record.Event) bool { return is(e, "display", "screen") })
		from := dialling.US - c.slack()
		if !slices.ContainsFunc(c.Events, func(e record.Event) bool { return is(e, "network", "opened") && e.US >= from && e.US <= s.US+c.slack() }) {
			problems = append(problems, "the terminal says that no connection was made, and the injector saw no try: the line between them is in doubt")
		}
	}
	return slices.Compact(problems)
}

func (c *Case) healed() bool {
	return slices.ContainsFunc(c.Events, func(e record.Event) bool { return is(e, "network", "healed") })
}

// refusing says that the port was shut on purpose at a time.
func (c *Case) refusing(us int64) bool {
	last, ok := c.last(us, func(e record.Event) bool {
		return e.Source == "network" && e.Fields["kind"] == "refuse" && (e.Kind == "armed" || e.Kind == "fired") || is(e, "network", "healed")
	})
	return ok && last.Kind != "healed"
}
