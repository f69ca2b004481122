package judge

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
)

const (
	// marginalPart of a budget's allowance: what is used of it beyond this is too close to call good.
	marginalPart = 0.9
	// earlyPart of the terminal's own timer: giving up before this is giving up too early.
	earlyPart = 0.9
)

// prompt looks for a prompt after the one before it, and measures its budget.
func (c *Case) prompt(w *window, e scenarios.Expectation, check *record.Check) {
	wording, _ := c.Profile.Prompt(e.Prompt, c.Lang)
	check.Expected = fmt.Sprintf("%s: %q", e.String(), wording)
	screens := c.all(w, func(ev record.Event) bool { return is(ev, "display", "screen") })
	i := w.next(screens, e.Prompt, e.Shows)
	if i < 0 {
		check.Observed = "it was not shown; " + c.seen(screens[w.cursor:])
		if e.Shows != "" && w.next(screens, e.Prompt, "") >= 0 {
			check.Observed = "it was shown without that; " + c.seen(screens[w.cursor:])
		}
		return
	}
	found := screens[i]
	w.cursor, w.taken = i, append(w.taken, e.Prompt)
	check.AtUS = found.US
	check.Observed = fmt.Sprintf("%q", shownText(found))
	check.Verdict = record.Pass
	if e.Within != "" {
		anchor, what, ok := c.anchor(e.Within, found)
		c.measure(check, e.Within, anchor, found, what, ok)
	}
	if check.Verdict != record.Fail {
		c.readable(check, found, e.Prompt)
	}
}

// readable asks whether a prompt stood long enough to be read, where the terminal went on by itself: somebody who presses a
// key, moves a card or cuts the power has seen enough.
func (c *Case) readable(check *record.Check, found record.Event, prompt string) {
	least := c.Profile.Screen.Readable
	if least == 0 || slices.Contains(c.Profile.Screen.Passing, prompt) {
		return
	}
	gone, ended := int64(0), false
	for i := range c.Events {
		e := &c.Events[i]
		if e.US > found.US && is(*e, "display", "screen") && !slices.Contains(prompts(*e), prompt) {
			gone, ended = e.US, true
			break
		}
	}
	if !ended || c.touched(found.US, gone) {
		return
	}
	told, _ := strconv.ParseInt(found.Fields["early_us"], 10, 64) // absent: 0
	stood := time.Duration(gone-found.US+told) * time.Microsecond
	if stood+c.Uncertainty < least {
		check.Verdict, check.Why = record.Fail, "" // that its time was marginal says no more
		check.Observed += fmt.Sprintf("; it stood for %s only, and nobody can read it in less than %s", round(stood), round(least))
	}
}

// touched says that a person did something to the terminal between two times, microseconds, or may have.
func (c *Case) touched(from, to int64) bool {
	return slices.ContainsFunc(c.Events, func(e record.Event) bool {
		took, _ := strconv.ParseInt(e.Fields["took_us"], 10, 64) // absent: 0
		return (actuation(e) || e.Source == "power") && e.US <= to+c.slack() && e.US+took >= from-c.slack()
	})
}

// next finds the screen that shows a prompt and with it a text, from the cursor on; -1 when there is none. A prompt that was found
// already must go before it counts as shown again: a redrawn screen is no second approval.
func (w *window) next(screens []record.Event, prompt, text string) int {
	gone := !slices.Contains(w.taken, prompt)
	for i := w.cursor; i < len(screens); i++ {
		shown := slices.Contains(prompts(screens[i]), prompt)
		if shown && gone && strings.Contains(unspaced(screens[i].Fields["text"]), unspaced(text)) {
			return i
		}
		gone = gone || !shown
	}
	return -1
}

// unspaced leaves out spaces and ends of rows, which fall where the screen ends.
func unspaced(text string) string { return strings.Join(strings.Fields(text), "") }

// seen tells what was shown instead: the last prompts, in the terminal's own words.
func (c *Case) seen(screens []record.Event) string {
	const most = 3
	var texts []string
	for _, ev := range slices.Backward(screens) {
		if t := fmt.Sprintf("%q", shownText(ev)); shownText(ev) != "" && !slices.Contains(texts, t) {
			texts = append(texts, t)
		}
		if len(texts) == most {
			break
		}
	}
	if len(texts) == 0 {
		return "the screen did not change"
	}
	slices.Reverse(texts)
	return "shown at last: " + strings.Join(texts, ", then ")
}

func (c *Case) notPrompt(w *window, e scenarios.Expectation, check *record.Check) {
	for _, ev := range c.all(w, func(ev record.Event) bool { return is(ev, "display", "screen") }) {
		for _, p := range prompts(ev) {
			if slices.Contains(e.NotPrompt, p) {
				check.Observed = fmt.Sprintf("%s was shown: %q", p, shownText(ev))
				check.AtUS = ev.US
				return
			}
		}
	}
	check.Observed = "none of them was shown"
	check.Verdict = record.Pass
}

// anchor finds the event from which a budget counts, before the event that ends it.
func (c *Case) anchor(budget string, end record.Event) (record.Event, string, bool) {
	find := func(what string, ok func(record.Event) bool) (record.Event, string, bool) {
		e, found := c.last(end.US+c.slack(), ok)
		return e, what, found
	}
	switch budget {
	case "host-reply":
		return find("the host's answer", func(e record.Event) bool {
			return is(e, "network", "delivered") && e.Fields["direction"] == network.FromHost // also one that a fault has changed
		})
	case "host-timeout":
		// It lies the terminal's whole timer before the prompt: what comes within slack of that is the next one.
		e, found := c.last(end.US, func(e record.Event) bool { return fromTerminal(e, "") && e.Fields["mti"] != "0400" })
		return e, "the request", found
	case "lost":
		return find("the broken connection", func(e record.Event) bool {
			return e.Source == "network" && (e.Kind == "fired" || e.Kind == "closed")
		})
	case "boot":
		return find("power on", func(e record.Event) bool { return is(e, "power", "on") })
	default: // local, connect
		e, found := c.last(end.US, actuation)
		return e, "the last key or card", found
	}
}

// measure holds a time against its budget. A press is known only to lie between its beginning and its
// end, and a screen that somebody read can have come before it was told, which both can only make the true time
// shorter; uncertainty of the clocks goes both ways.
func (c *Case) measure(check *record.Check, budget string, from, until record.Event, what string, ok bool) {
	to := until.US
	limit, known := c.Profile.Budgets[budget]
	if !known || !ok {
		check.Verdict = record.Fail
		check.Observed += fmt.Sprintf("; the budget %s can't be measured: %s was never seen before it", budget, what)
		return
	}
	measured := time.Duration(max(0, to-from.US)) * time.Microsecond
	took, _ := strconv.ParseInt(from.Fields["took_us"], 10, 64)   // absent: 0
	told, _ := strconv.ParseInt(until.Fields["early_us"], 10, 64) // absent: 0
	early := time.Duration(min(took+told, max(0, to-from.US))) * time.Microsecond
	check.Budget, check.MeasuredUS, check.LimitUS = budget, micros(measured), micros(limit)
	check.UncertaintyUS = micros(c.Uncertainty + early)
	check.Observed += fmt.Sprintf(" %s after %s", round(measured), what)
	floor := c.Profile.Floors[budget]
	check.FloorUS = micros(floor)
	allowance := floor + time.Duration(marginalPart*float64(limit-floor))
	switch {
	case budget == "host-timeout" && float64(measured+c.Uncertainty) < earlyPart*float64(floor):
		check.Verdict = record.Fail
		check.Observed += fmt.Sprintf(": it gave up too early, its timer is %s", round(floor))
	case measured-early-c.Uncertainty > limit:
		check.Verdict = record.Fail
		check.Observed += fmt.Sprintf(", allowed %s", round(limit))
	case measured+c.Uncertainty > limit || measured > allowance:
		check.Verdict = record.Marginal
		check.Why = fmt.Sprintf("%s of %s ± %s", round(measured), round(limit), round(c.Uncertainty+early))
	default:
		check.Verdict = record.Pass
	}
}

// round shows a time with three or four figures.
func round(d time.Duration) time.Duration {
	if d > time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(100 * time.Microsecond)
}
