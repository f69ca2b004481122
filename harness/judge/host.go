package judge

import (
	"fmt"
	"maps"
	"math"
	"path"
	"slices"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
)

// received are the messages that reached the host in a window.
func (c *Case) received(w *window, mti string) []record.Event {
	return c.allHosted(w, func(e record.Event) bool {
		return is(e, "issuer", "received") && (mti == "" || e.Fields["mti"] == mti)
	})
}

func (c *Case) host(w *window, want scenarios.HostExpectation, check *record.Check) {
	if want.Silent {
		sent := c.all(w, func(e record.Event) bool { return fromTerminal(e, "") })
		if len(sent) == 0 && len(c.received(w, "")) == 0 {
			check.Observed, check.Verdict = "nothing was sent", record.Pass
			return
		}
		check.Observed = "messages were sent"
		if len(sent) > 0 {
			check.Observed, check.AtUS = "the terminal sent "+sent[0].Fields["mti"], sent[0].US
		}
		return
	}
	got := c.all(w, func(e record.Event) bool {
		return is(e, "issuer", "received") && (e.Fields["mti"] == want.Request || e.Fields["operation"] == want.Request)
	})
	check.Observed = fmt.Sprintf("%s × %d", want.Request, len(got))
	if len(got) != want.Times {
		return
	}
	for _, e := range got {
		if other := c.otherwise(w, e, want); other != "" {
			check.Observed, check.AtUS = check.Observed+", "+other, e.US
			return
		}
	}
	check.Verdict = record.Pass
}

// otherwise says how a message that the host received differs from what it should be, beside its kind; "" when it does not.
func (c *Case) otherwise(w *window, e record.Event, want scenarios.HostExpectation) string {
	if want.Uplink != "" {
		sent, _ := c.last(e.US+c.slack(), func(m record.Event) bool { return fromTerminal(m, "") && sameMessage(m, e) })
		if took := sent.Fields["uplink"]; took != want.Uplink {
			return "over the " + took + " uplink"
		}
	}
	journal := c.States[w.phase].Journal
	i := slices.IndexFunc(journal, func(j issuer.Entry) bool {
		return j.In && j.STAN == e.Fields["stan"] && j.Operation == e.Fields["operation"]
	})
	for _, field := range slices.Sorted(maps.Keys(want.Having)) {
		if i < 0 {
			return "which is not in the host's journal"
		}
		if value := journal[i].Fields[field]; !matches(want.Having[field], value) {
			return fmt.Sprintf("field %s %q", field, value)
		}
	}
	return ""
}

// matches holds a value against a pattern that the loader has checked.
func matches(pattern, value string) bool {
	ok, err := path.Match(pattern, value)
	return ok && err == nil
}

// code looks for the response code of the last financial answer that reached the terminal.
func (c *Case) code(w *window, want string, check *record.Check) {
	answers := c.all(w, financialAnswer)
	if len(answers) == 0 {
		check.Observed = "no answer to a transaction reached the terminal"
		return
	}
	answer := answers[len(answers)-1]
	got, ok := c.codeOf(answer)
	if !ok {
		check.Observed, check.Verdict, check.Cause = "the issuer's journal does not know the answer that reached the terminal", record.Inconclusive, record.Issuer
		return
	}
	check.Observed, check.AtUS = got, answer.US
	if got == c.meant(want) {
		check.Verdict = record.Pass
	}
}

// codeOf is the response code of an answer that reached the terminal, as the issuer wrote it; false when the
// issuer's journal does not know the answer.
func (c *Case) codeOf(answer record.Event) (string, bool) {
	sent, ok := c.sent(answer)
	return sent.Fields["code"], ok
}

// accepted are the codes that end a reversal: done, original unknown, not possible any more.
var accepted = []string{"00", "12", "25"}

func (c *Case) reversal(w *window, e scenarios.Expectation, check *record.Check) {
	want := *e.Reversal
	got := c.received(w, "0400")
	if want.None {
		check.Observed = fmt.Sprintf("0400 × %d", len(got))
		if len(got) == 0 && len(c.all(w, func(ev record.Event) bool { return fromTerminal(ev, "0400") })) == 0 {
			check.Verdict = record.Pass
		}
		return
	}
	// A terminal may take the sale back at once, before the recovery begins.
	got = c.received(&window{from: -1 << 62, to: w.to}, "0400")
	check.Observed = fmt.Sprintf("0400 × %d", len(got))
	if len(got) != want.Times {
		return
	}
	for _, r := range got {
		if want.Reason != "" && r.Fields["code"] != want.Reason {
			check.Observed += " with reason " + r.Fields["code"]
			check.AtUS = r.US
			return
		}
		if !c.acknowledged(r.Fields["stan"]) {
			check.Observed += ", but its acknowledgement never reached the terminal"
			check.AtUS = r.US
			return
		}
	}
	if other, ok := c.astray(w, want.Uplink); ok {
		check.Observed += ", over the " + other.Fields["uplink"] + " uplink"
		check.AtUS = other.US
		return
	}
	check.Observed += ", acknowledged"
	check.Verdict = record.Pass
	check.AtUS = got[0].US
	if e.Within != "" {
		anchor, ok := c.last(got[0].US, actuation)
		c.measure(check, e.Within, anchor, got[0], "the last key or card", ok)
	}
}

// astray finds a reversal that did not take the uplink that it should; "" is any.
func (c *Case) astray(w *window, uplink string) (record.Event, bool) {
	for _, e := range c.all(&window{from: -1 << 62, to: w.to}, func(e record.Event) bool { return fromTerminal(e, "0400") }) {
		if uplink != "" && e.Fields["uplink"] != uplink {
			return e, true
		}
	}
	return record.Event{}, false
}

// acknowledged says whether a successful answer to a reversal reached the terminal.
func (c *Case) acknowledged(stan string) bool { return c.acknowledgedBetween(stan, 0, math.MaxInt) }

// acknowledgedBetween says whether one reached it between two events of the network, given by their Seq.
func (c *Case) acknowledgedBetween(stan string, after, before int) bool {
	return slices.ContainsFunc(c.Events, func(e record.Event) bool {
		if !toTerminal(e, "0410") || e.Fields["stan"] != stan || e.Seq <= after || e.Seq >= before {
			return false
		}
		code, ok := c.codeOf(e)
		return ok && slices.Contains(accepted, code)
	})
}
