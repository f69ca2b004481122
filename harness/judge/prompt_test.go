package judge

import (
	"strings"
	"testing"
	"time"

	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
)

func prompted(id string) scenarios.Expectation { return scenarios.Expectation{Prompt: id} }

func TestPrompt(t *testing.T) {
	for _, c := range []struct {
		name   string
		events []record.Event
		expect []string
		want   wanted
	}{
		{"shown", inAct(screen(2000, "approved")), []string{"approved"}, passes(`"APPROVED"`)},
		{"shown on the last moment", inAct(screen(100_000, "approved")), []string{"approved"}, passes(`"APPROVED"`)},
		{"nothing shown", inAct(), []string{"approved"}, fails("it was not shown; the screen did not change")},
		{"other prompts shown", inAct(screen(2000, "pin"), screen(2500), screen(3000, "declined")), []string{"approved"},
			fails(`it was not shown; shown at last: "PIN", then "DECLINED"`)},
		{"a noise line is no screen", inAct(at(2000, "display", "noise", "text", "APPROVED", "prompts", "approved")), []string{"approved"}, fails("not shown")},
		{"before the phase", story(screen(500, "approved"), begin(1000, Act), end(2000, Act)), []string{"approved"}, fails("not shown")},
		{"in the moment in which the phase began", story(screen(1000, "approved"), begin(1000, Act), end(2000, Act)), []string{"approved"}, fails("not shown")},
		{"after the phase", story(begin(1000, Act), end(2000, Act), screen(2001, "approved")), []string{"approved"}, fails("not shown")},
		{"in order", inAct(screen(2000, "pin"), screen(3000, "approved")), []string{"pin", "approved"}, passes("")},
		{"in the wrong order", inAct(screen(2000, "approved"), screen(3000, "pin")), []string{"pin", "approved"}, fails(`shown at last: "PIN"`)},
		{"two on one screen", inAct(screen(2000, "approved", "remove-card")), []string{"approved", "remove-card"}, passes(`"APPROVED / REMOVE-CARD"`)},
		{"two on one screen, the other way round", inAct(screen(2000, "approved", "remove-card")), []string{"remove-card", "approved"}, passes("")},
		{"once is not twice", inAct(screen(2000, "approved"), screen(3000, "idle")), []string{"approved", "approved"}, fails("not shown")},
		{"drawn again is not twice", inAct(screen(2000, "approved"), screen(3000, "approved", "remove-card")), []string{"approved", "approved"}, fails("not shown")},
		{"drawn again beside another is not twice", inAct(screen(2000, "approved"), screen(3000, "approved", "remove-card")), []string{"approved", "remove-card", "approved"}, fails("not shown")},
		{"twice", inAct(screen(2000, "approved"), screen(3000, "idle"), screen(4000, "approved")), []string{"approved", "approved"}, passes("")},
		{"the one missing leaves the next where it is", inAct(screen(2000, "approved")), []string{"pin", "approved"}, passes("")},
	} {
		t.Run(c.name, func(t *testing.T) {
			var expect []scenarios.Expectation
			for _, id := range c.expect {
				expect = append(expect, prompted(id))
			}
			got := theCase(t, c.events).expecting(t, expect...)
			c.want.hold(t, got)
			if last := c.expect[len(c.expect)-1]; last == "approved" && got.Expected != `prompt approved: "APPROVED"` {
				t.Errorf("expected %q lacks the terminal's wording", got.Expected)
			}
		})
	}
}

func TestPromptSaysWhereItWasFound(t *testing.T) {
	got := theCase(t, inAct(screen(2000, "approved"))).expecting(t, prompted("approved"))
	if got.AtUS != 2_000_000 || got.Phase != Act || got.What != "prompt" {
		t.Errorf("%+v", got)
	}
}

func TestSeenTellsAtMostThree(t *testing.T) {
	events := inAct(screen(2000, "amount"), screen(3000, "card"), screen(4000, "pin"), screen(5000, "pin"), screen(6000, "declined"))
	got := theCase(t, events).expecting(t, prompted("approved"))
	fails(`shown at last: "CARD", then "PIN", then "DECLINED"`).hold(t, got)
	if strings.Contains(got.Observed, "AMOUNT") {
		t.Errorf("more than three: %s", got.Observed)
	}
}

func TestNotPrompt(t *testing.T) {
	never := scenarios.Expectation{NotPrompt: []string{"approved", "settled"}}
	for _, c := range []struct {
		name   string
		events []record.Event
		want   wanted
	}{
		{"neither", inAct(screen(2000, "declined")), passes("none of them was shown")},
		{"one", inAct(screen(2000, "pin"), screen(3000, "settled")), fails(`settled was shown: "SETTLED"`)},
		{"beside another", inAct(screen(2000, "approved", "remove-card")), fails(`approved was shown: "APPROVED / REMOVE-CARD"`)},
		{"outside the phase", story(screen(500, "approved"), begin(1000, Act), end(2000, Act), screen(3000, "settled")), passes("none")},
	} {
		t.Run(c.name, func(t *testing.T) { c.want.hold(t, theCase(t, c.events).expecting(t, never)) })
	}
}

// What stands beside the wording is looked for on each screen with the prompt; where a row of the screen ends does not matter.
func TestPromptWithText(t *testing.T) {
	with := func(ms int64, text string) record.Event {
		e := screen(ms, "confirm")
		e.Fields["text"] = "CONFIRM AMOUNT\n" + text
		return e
	}
	for _, c := range []struct {
		name   string
		events []record.Event
		want   wanted
	}{
		{"shown", inAct(with(2000, "RMB 12.50")), passes("RMB 12.50")},
		{"over two rows", inAct(with(2000, "RMB 12\n.50")), passes("")},
		{"on a later one", inAct(with(2000, "RMB 1.25"), with(2100, "RMB 12.50")), passes("RMB 12.50")},
		{"another", inAct(with(2000, "RMB 12.51")), fails(`it was shown without that; shown at last: "CONFIRM AMOUNT / RMB 12.51"`)},
		{"on a screen without the prompt", inAct(with(2000, ""), at(2100, "display", "screen", "text", "12.50", "prompts", "idle")), fails("without that")},
		{"not at all", inAct(screen(2000, "idle")), fails("it was not shown")},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.hold(t, theCase(t, c.events).expecting(t, scenarios.Expectation{Prompt: "confirm", Shows: "12.50"}))
		})
	}
}

// A result that the terminal itself takes away must have been there for half a second.
func TestReadable(t *testing.T) {
	const flash = "it stood for 499ms only, and nobody can read it in less than 500ms"
	told := screen(2000, "approved")
	told.Fields["early_us"] = "1000"
	for _, c := range []struct {
		name        string
		events      []record.Event
		uncertainty time.Duration
		want        wanted
	}{
		{"long enough", inAct(screen(2000, "approved"), screen(2500, "idle")), 0, passes("")},
		{"a flash", inAct(screen(2000, "approved"), screen(2499, "idle")), 0, fails(flash)},
		{"a flash before a blank screen", inAct(screen(2000, "approved"), screen(2499), screen(9000, "idle")), 0, fails(flash)},
		{"drawn again meanwhile", inAct(screen(2000, "approved"), screen(2400, "approved", "remove-card"), screen(2500, "idle")), 0, passes("")},
		{"too short by less than can be told", inAct(screen(2000, "approved"), screen(2499, "idle")), time.Millisecond, passes("")},
		{"shown before it was told", inAct(told, screen(2499, "idle")), 0, passes("")},
		{"still there", inAct(screen(2000, "approved")), 0, passes("")},
		{"gone after the phase", story(begin(1000, Act), screen(1500, "approved"), end(1800, Act), screen(1999, "idle")), 0, fails(flash)},
		{"a key ended it", inAct(screen(2000, "approved"), press(2400, 50, "ENTER"), screen(2460, "idle")), 0, passes("")},
		{"a key that was held ended it", inAct(press(1900, 600, "ENTER"), screen(2000, "approved"), screen(2460, "idle")), 0, passes("")},
		{"a key before it did not", inAct(press(1900, 50, "ENTER"), screen(2000, "approved"), screen(2499, "idle")), 0, fails(flash)},
		{"a key after it did not", inAct(screen(2000, "approved"), screen(2499, "idle"), press(2600, 50, "1")), 0, fails(flash)},
		{"the card was taken", inAct(screen(2000, "approved"), at(2100, "card", "remove"), screen(2110, "idle")), 0, passes("")},
		{"the power went", inAct(screen(2000, "approved"), at(2100, "power", "off"), screen(2110)), 0, passes("")},
	} {
		t.Run(c.name, func(t *testing.T) {
			judged := theCase(t, c.events)
			judged.Uncertainty = c.uncertainty
			c.want.hold(t, judged.expecting(t, prompted("approved")))
		})
	}
	passing := inAct(screen(2000, "processing"), screen(2001, "approved"))
	passes("").hold(t, theCase(t, passing).expecting(t, prompted("processing")))
	lenient := theCase(t, inAct(screen(2000, "approved"), screen(2001, "idle")))
	lenient.Profile.Screen.Readable = 0
	passes("").hold(t, lenient.expecting(t, prompted("approved")))
}

// budgetCase is one time against one budget: the anchor's event, the prompt's time.
type budgetCase struct {
	name        string
	budget      string
	anchor      record.Event
	shownMS     int64
	uncertainty time.Duration
	want        wanted
}

func marginal(why string) wanted { return wanted{record.Marginal, record.None, why} }

func (b budgetCase) run(t *testing.T) {
	c := theCase(t, inAct(b.anchor, screen(b.shownMS, "approved")))
	c.Uncertainty = b.uncertainty
	got := c.expecting(t, scenarios.Expectation{Prompt: "approved", Within: b.budget})
	if b.want.verdict == record.Marginal {
		if !strings.Contains(got.Why, b.want.observed) {
			t.Errorf("why %q, want %q", got.Why, b.want.observed)
		}
		b.want.observed = ""
	}
	b.want.hold(t, got)
}

// The countertop's budgets: local, host-reply and lost 2 s; host-timeout 30 s of its own timer and 2 s;
// connect 10 s and 2 s; boot 33 s.
func TestBudgetAnchors(t *testing.T) {
	for _, c := range []budgetCase{
		{"local from a key", "local", press(2000, 0, "ENTER"), 3000, 0, passes(`1s after the last key or card`)},
		{"local from a card", "local", at(2000, "card", "swipe"), 3000, 0, passes("1s after the last key or card")},
		{"local from a card taken out", "local", at(2000, "card", "remove"), 5000, 0, fails("3s after the last key or card, allowed 2s")},
		{"an APDU is no anchor", "local", at(2000, "card", "exchange"), 2001, 0, fails("the budget local can't be measured: the last key or card was never seen before it")},
		{"a key afterwards is no anchor", "local", press(2002, 0, "ENTER"), 2001, 0, fails("can't be measured")},
		{"host-reply", "host-reply", reaches(2000, "0210", "000002"), 2500, 0, passes("500ms after the host's answer")},
		{"host-reply too slow", "host-reply", reaches(2000, "0210", "000002"), 5000, 0, fails("3s after the host's answer, allowed 2s")},
		{"host-reply without an answer", "host-reply", leaves(2000, "0200", "000002"), 2500, 0, fails("can't be measured: the host's answer was never seen before it")},
		{"an answer seen a little late", "host-reply", reaches(2500, "0210", "000002"), 2490, 20 * ms, passes("0s after the host's answer")},
		{"host-timeout", "host-timeout", leaves(2000, "0200", "000002"), 32_500, 0, passes("30.5s after the request")},
		{"host-timeout too slow", "host-timeout", leaves(2000, "0200", "000002"), 34_001, 0, fails("allowed 32s")},
		{"host-timeout without a request", "host-timeout", press(2000, 0, "ENTER"), 32_500, 0, fails("can't be measured: the request was never seen before it")},
		{"connect", "connect", press(2000, 0, "ENTER"), 22_500, 0, passes("20.5s after the last key or card")},
		{"connect at once is no fault", "connect", press(2000, 0, "ENTER"), 2001, 0, passes("1ms after")},
		{"connect too slow", "connect", press(2000, 0, "ENTER"), 24_001, 0, fails("allowed 22s")},
		{"lost by a fault", "lost", at(2000, "network", "fired", "fault", "reset-1"), 2100, 0, passes("100ms after the broken connection")},
		{"lost by the other side", "lost", at(2000, "network", "closed"), 5000, 0, fails("3s after the broken connection, allowed 2s")},
		{"lost without a loss", "lost", at(2000, "network", "opened"), 2100, 0, fails("can't be measured: the broken connection was never seen before it")},
		{"boot", "boot", at(2000, "power", "on"), 5000, 0, passes("3s after power on")},
		{"boot too slow", "boot", at(2000, "power", "on"), 35_001, 0, fails("allowed 33s")},
		{"boot without power", "boot", at(2000, "power", "off"), 5000, 0, fails("can't be measured: power on was never seen before it")},
		{"no such budget", "patience", press(2000, 0, "ENTER"), 3000, 0, fails("the budget patience can't be measured")},
	} {
		t.Run(c.name, c.run)
	}
}

func TestBudgetBoundaries(t *testing.T) {
	for _, c := range []budgetCase{
		{"nine tenths of the allowance", "local", press(2000, 0, "1"), 3800, 0, passes("1.8s after")},
		{"a little more", "local", press(2000, 0, "1"), 3801, 0, marginal("1.8s of 2s ± 0s")},
		{"the whole allowance", "local", press(2000, 0, "1"), 4000, 0, marginal("2s of 2s ± 0s")},
		{"over it", "local", press(2000, 0, "1"), 4001, 0, fails("allowed 2s")},
		{"the floor is no part of the allowance", "host-timeout", leaves(2000, "0200", "1"), 33_800, 0, passes("31.8s")},
		{"nine tenths beyond the floor", "host-timeout", leaves(2000, "0200", "1"), 33_801, 0, marginal("31.8s of 32s ± 0s")},
		{"uncertainty may reach over the limit", "local", press(2000, 0, "1"), 3700, 301 * ms, marginal("1.7s of 2s ± 301ms")},
		{"uncertainty just within it", "local", press(2000, 0, "1"), 3700, 300 * ms, passes("1.7s after")},
		{"over the limit, but by no more than uncertainty", "local", press(2000, 0, "1"), 4300, 300 * ms, marginal("2.3s of 2s ± 300ms")},
		{"over it by more", "local", press(2000, 0, "1"), 4301, 300 * ms, fails("2.3s after")},
		{"the press may have closed late", "local", press(2000, 400, "1"), 4400, 0, marginal("2.4s of 2s ± 400ms")},
		{"even the end of the press is too early", "local", press(2000, 400, "1"), 4401, 0, fails("2.4s after")},
		{"press and uncertainty together", "local", press(2000, 400, "1"), 4500, 100 * ms, marginal("± 500ms")},
		{"a press that lasts longer than the reaction", "local", press(2000, 5000, "1"), 3000, 0, passes("1s after")},
		{"gave up too early", "host-timeout", leaves(2000, "0200", "1"), 28_999, 0, fails("27s after the request: it gave up too early, its timer is 30s")},
		{"a tenth early is still its timer", "host-timeout", leaves(2000, "0200", "1"), 29_000, 0, passes("27s")},
		{"early by no more than uncertainty", "host-timeout", leaves(2000, "0200", "1"), 28_900, 100 * ms, passes("26.9s")},
		{"early by more", "host-timeout", leaves(2000, "0200", "1"), 28_899, 100 * ms, fails("too early")},
	} {
		t.Run(c.name, c.run)
	}
}

// On a machine that was late by a second the next request may follow the prompt within the uncertainty.
func TestTimeoutBeforeTheNextRequest(t *testing.T) {
	c := theCase(t, inAct(leaves(2000, "0200", "1"), screen(32_500, "approved"), leaves(32_900, "0200", "2")))
	c.Uncertainty = time.Second
	passes("30.5s after the request").hold(t, c.expecting(t, scenarios.Expectation{Prompt: "approved", Within: "host-timeout"}))
}

// TestUncertaintyOfALongPress: it can't be more than all the time that passed.
func TestUncertaintyOfALongPress(t *testing.T) {
	got := theCase(t, inAct(press(2000, 5000, "1"), screen(3000, "approved"))).expecting(t, scenarios.Expectation{Prompt: "approved", Within: "local"})
	if got.UncertaintyUS != 1_000_000 {
		t.Errorf("%d µs", got.UncertaintyUS)
	}
}

func TestMeasureKeepsTheNumbers(t *testing.T) {
	c := theCase(t, inAct(press(2000, 100, "1"), screen(3000, "approved")))
	c.Uncertainty = 20 * ms
	got := c.expecting(t, scenarios.Expectation{Prompt: "approved", Within: "local"})
	if got.Budget != "local" || got.MeasuredUS != 1_000_000 || got.LimitUS != 2_000_000 || got.UncertaintyUS != 120_000 {
		t.Errorf("%+v", got)
	}
}
