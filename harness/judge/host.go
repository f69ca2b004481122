package judge

import (
	"fmt"
	"math"
	"slices"

	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
)

// received are the messages that reached the host in a window.
func (c *Case) received(w *window, mti string) []record.Event {
	return c.all(w, func(e record.Event) bool {
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
	got := len(c.received(w, want.Request))
	check.Observed = fmt.Sprintf("%s × %d", want.Request, got)
	if got == want.Times {
		check.Verdict = record.Pass
	}
}

// code looks for the response code of the last financial answer that reached the terminal.
func (c *Case) code(w *window, want string, check *record.Check) {
	answers := c.all(w, func(e record.Event) bool { return toTerminal(e, "0210") })
	if len(answers) == 0 {
		check.Observed = "no answer to a sale reached the terminal"
		return
	}
	answer := answers[len(answers)-1]
	got, ok := c.codeOf(answer)
	if !ok {
		check.Observed, check.Verdict, check.Cause = "the issuer's journal does not know the answer that reached the terminal", record.Inconclusive, record.Issuer
		return
	}
	check.Observed, check.AtUS = got, answer.US
	if got == want {
		check.Verdict = record.Pass
	}
}

// codeOf is the response code of an answer that reached the terminal, as the issuer wrote it; false when the
// issuer's journal does not know the answer.
func (c *Case) codeOf(answer record.Event) (string, bool) {
	sent, ok := c.last(answer.US+c.slack(), func(e record.Event) bool {
		return is(e, "issuer", "sent") && e.Fields["mti"] == answer.Fields["mti"] && e.Fields["stan"] == answer.Fields["stan"]
	})
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
	check.Observed += ", acknowledged"
	check.Verdict = record.Pass
	check.AtUS = got[0].US
	if e.Within != "" {
		anchor, ok := c.last(got[0].US, actuation)
		c.measure(check, e.Within, anchor, got[0].US, "the last key or card", ok)
	}
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
