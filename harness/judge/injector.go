package judge

import (
	"fmt"
	"slices"
	"strings"

	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
)

// handled are the messages that the injector read, by whether it let them pass.
func (c *Case) handled(passed bool) []record.Event {
	return c.allHosted(whole(), func(e record.Event) bool {
		return is(e, "network", "message") && (e.Fields["fate"] == "passed") == passed
	})
}

// after finds the first event of the same connection after one that satisfies a condition.
func (c *Case) after(m record.Event, ok func(record.Event) bool) (record.Event, bool) {
	for _, e := range c.hostSide() {
		if e.Source == "network" && e.Seq > m.Seq && e.Fields["connection"] == m.Fields["connection"] && ok(e) {
			return e, true
		}
	}
	return record.Event{}, false
}

// delivered finds where a message came out of the injector.
func (c *Case) delivered(m record.Event) (record.Event, bool) {
	return c.after(m, func(e record.Event) bool {
		return e.Kind == "delivered" && sameMessage(e, m) && e.Fields["direction"] == m.Fields["direction"]
	})
}

// closed finds the end of a message's connection.
func (c *Case) closed(m record.Event) (record.Event, bool) {
	return c.after(m, func(e record.Event) bool { return e.Kind == "closed" })
}

// undelivered are messages that the injector let pass and that did not come out, or late, although the
// terminal left the connection open and had its power.
func (c *Case) undelivered() []string {
	var problems []string
	for _, m := range c.handled(true) {
		if out, ok := c.delivered(m); ok {
			if out.US-m.US > c.promptly() {
				problems = append(problems, fmt.Sprintf("the injector held the %s of trace %s for %s",
					m.Fields["mti"], m.Fields["stan"], took(m.US, out.US)))
			}
			continue
		}
		closed, ended := c.closed(m)
		hungUp := ended && closed.US-m.US <= c.promptly() && strings.Contains(closed.Fields["why"], "terminal")
		if !hungUp && !c.cut(m) {
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
	for _, m := range c.handled(false) {
		fault := c.wanting(m)
		_, out := c.delivered(m)
		switch {
		case m.Fields["fate"] == "lost" && c.halved(m):
		case fault == nil:
			problems = append(problems, fmt.Sprintf("the injector says of the %s %q, which nobody wanted", m.Fields["mti"], m.Fields["fate"]))
		case fault.Fault == "delay":
			problems = append(problems, c.misheld(m, fault.By)...)
		case out && takesAway(fault):
			problems = append(problems, fmt.Sprintf("the injector says that it took the %s away, and delivered it", m.Fields["mti"]))
		}
	}
	return problems
}

// wanting gives the arranged fault that explains what became of a message; nil when none does.
func (c *Case) wanting(m record.Event) *scenarios.NetworkFault {
	fired, named := c.after(m, func(e record.Event) bool { return e.Kind == "fired" && sameMessage(e, m) })
	for i, f := range c.Scenario.Arrange.Network {
		if named && fired.Fields["fault"] != scenarios.FaultID(f, i) {
			continue
		}
		// Silence falls on what follows its message, too.
		if (f.Message == m.Fields["mti"] || f.Fault == "silence") && fateOf(f.Fault) == m.Fields["fate"] {
			return &c.Scenario.Arrange.Network[i]
		}
	}
	return nil
}

// halved says that a fault had ended a side of a message's connection, or was about to: between the message that
// it hit and its firing nothing comes back any more.
func (c *Case) halved(m record.Event) bool {
	return slices.ContainsFunc(c.hostSide(), func(e record.Event) bool {
		if e.Seq >= m.Seq || e.Fields["connection"] != m.Fields["connection"] {
			return false
		}
		return is(e, "network", "fired") || ends(e)
	})
}

// ends says that a message was hit by a fault that ends its connection or a side of it.
func ends(e record.Event) bool {
	return is(e, "network", "message") && slices.Contains([]string{"close", "down", "half-close", "reset"}, e.Fields["fate"])
}

// takesAway says that a message which the fault hits does not arrive.
func takesAway(f *scenarios.NetworkFault) bool {
	switch f.Fault {
	case "drop", "silence":
		return true
	case "close", "down", "reset":
		return f.When != "after"
	}
	return false
}

// fateOf is what the injector says of a message that a kind of fault has hit.
func fateOf(fault string) string {
	switch fault {
	case "drop":
		return "dropped"
	case "delay":
		return "held"
	default: // refuse hits no message
		return fault
	}
}

// misheld says how a message was held for another time than was wanted. Healing ends the wait at once;
// where the terminal loses its supply nobody takes the message any more.
func (c *Case) misheld(m record.Event, wanted string) []string {
	by, err := c.Profile.Duration(wanted)
	if err != nil {
		return nil // arranging it has failed with that
	}
	due := m.US + micros(by)
	out, ok := c.delivered(m)
	for _, e := range c.Events {
		// Healing may fall on the very moment of a delivery that it did not cause.
		if is(e, "network", "healed") && e.Seq > m.Seq && (!ok || out.Fields["released"] == "healed" || e.US < out.US) {
			due = min(due, e.US)
		}
	}
	closed, ended := c.closed(m)
	switch {
	case ok && (out.US < due-c.slack() || out.US > due+c.promptly()):
		return []string{fmt.Sprintf("the injector held the %s for %s instead of %s", m.Fields["mti"], took(m.US, out.US), round(by))}
	case ok || c.cut(m):
		return nil
	case !ended:
		closed = c.Events[len(c.Events)-1] // the record ends, and still it was not delivered
	}
	if closed.US > due+c.promptly() {
		return []string{fmt.Sprintf("the injector held the %s for longer than %s", m.Fields["mti"], round(by))}
	}
	return nil
}

// unseen are messages that issuer and injector count differently: one of their feeds has holes.
func (c *Case) unseen() []string {
	var problems []string
	changed := slices.ContainsFunc(c.hostSide(), func(e record.Event) bool { return is(e, "network", "delivered") && e.Fields["changed"] != "" })
	for _, r := range c.received(whole(), "") {
		if changed {
			break // a request may have arrived as another than the injector saw
		}
		if !slices.ContainsFunc(c.hostSide(), func(e record.Event) bool { return fromTerminal(e, r.Fields["mti"]) && sameMessage(e, r) }) {
			problems = append(problems, fmt.Sprintf("the issuer received the %s of trace %s, which the injector never saw",
				r.Fields["mti"], r.Fields["stan"]))
		}
	}
	for _, s := range c.allHosted(whole(), func(e record.Event) bool { return is(e, "issuer", "sent") }) {
		seen := slices.ContainsFunc(c.hostSide(), func(e record.Event) bool {
			return message(e, "message", network.FromHost, s.Fields["mti"]) && sameMessage(e, s)
		})
		if !seen && !c.lost(s) {
			problems = append(problems, fmt.Sprintf("the issuer sent the %s of trace %s, which the injector never saw",
				s.Fields["mti"], s.Fields["stan"]))
		}
	}
	return problems
}

// lost says that an answer did not leave the issuer, or met a connection that a fault ended under its request.
func (c *Case) lost(s record.Event) bool {
	return slices.ContainsFunc(c.hostSide(), func(e record.Event) bool {
		return is(e, "issuer", "undelivered") && sameMessage(e, s) ||
			ends(e) && fromTerminal(e, "") && e.Fields["stan"] == s.Fields["stan"] && e.Fields["mti"] == requestOf(s.Fields["mti"])
	})
}

// requestOf is the MTI of the request that an answer belongs to: 0210 → 0200.
func requestOf(answer string) string {
	if len(answer) != 4 {
		return ""
	}
	return answer[:2] + string(answer[2]-1) + answer[3:]
}

// unreached are failed connections of which the injector saw nothing although its port was open: the way to
// it is in doubt, and the terminal may be right.
func (c *Case) unreached() []string {
	// tried is when the terminal began to show what it showed last: the connection was tried since then.
	tried, showing := whole().from, []string(nil)
	for _, s := range c.Events {
		shown := prompts(s)
		if len(shown) == 0 {
			continue // no screen, or one between two
		}
		if tellsUnreached(shown) && !tellsUnreached(showing) && c.untried(tried, s.US) {
			return []string{"the terminal says that no connection was made, and the injector saw no try: the line between them is in doubt"}
		}
		if !slices.Equal(shown, showing) { // the same again, with another clock, is no new try
			tried, showing = s.US, shown
		}
	}
	return nil
}

// tellsUnreached says that a screen tells of a connection that could not be made. That a modem can't dial is told otherwise, and is no
// try.
func tellsUnreached(shown []string) bool {
	return slices.Contains(shown, "comm-failed") || slices.Contains(shown, "connect-timeout")
}

// untried says that the injector could have seen a try to connect between two times, and did not.
func (c *Case) untried(from, to int64) bool {
	if from < c.followed() {
		return false
	}
	from, to = from-c.slack(), to+c.slack()
	return !c.shut(from, to) && !c.keptAway(from, to) && !c.unplugged(from, to) && !slices.ContainsFunc(c.Events, func(e record.Event) bool {
		return is(e, "network", "opened") && e.US >= from && e.US <= to
	})
}

// keptAway says that a fault which acted may have kept the terminal from reaching the injector at some moment
// between two times: one on its packets, or one on the name that it dials.
func (c *Case) keptAway(from, to int64) bool {
	for _, f := range c.Scenario.LevelFaults() {
		if f.Level == scenarios.LevelTLS || c.fires(f.ID) == 0 {
			continue
		}
		about := func(kind string) func(record.Event) bool {
			return func(e record.Event) bool { return is(e, "network", kind) && e.Fields["fault"] == f.ID }
		}
		armed, wasArmed := c.last(to, about("armed"))
		healed, wasHealed := c.last(to, about("healed"))
		if wasArmed && (!wasHealed || healed.US < armed.US || healed.US >= from) {
			return true
		}
	}
	return false
}

// unplugged says that the terminal's modem lacked what it dials with at some moment between two times: the bench had taken it away.
func (c *Case) unplugged(from, to int64) bool {
	for _, part := range []string{"antenna", "sim"} {
		about := func(kind string) func(record.Event) bool {
			return func(e record.Event) bool { return is(e, "power", kind) && e.Fields["part"] == part }
		}
		broken, wasBroken := c.last(to, about("broken"))
		mended, wasMended := c.last(to, about("mended"))
		if wasBroken && (!wasMended || mended.US < broken.US || mended.US >= from) {
			return true
		}
	}
	return false
}

// followed is from when on the record knows what the injector sees: what the terminal did before the
// scenario was arranged, nobody wrote down.
func (c *Case) followed() int64 {
	since := whole().from + 1
	for _, e := range c.Events {
		if is(e, "harness", "phase") && e.Fields["name"] == "arrange" {
			since = max(since, e.US)
		}
	}
	return since
}

// shut says that a port was closed on purpose at some moment between two times: a terminal that was
// refused may say so only after the fault has healed. "refuse" acts from arming on, "down" from firing on.
func (c *Case) shut(from, to int64) bool {
	shut := false
	for _, e := range c.Events {
		switch {
		case e.US > to:
			return shut
		case is(e, "network", "armed") && e.Fields["kind"] == "refuse", is(e, "network", "fired") && e.Fields["kind"] == "down":
			shut = true
		case is(e, "network", "healed"):
			if shut && e.US >= from {
				return true
			}
			shut = false
		}
	}
	return shut
}
