package judge

import (
	"testing"

	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness/record"
)

func probing(ms int64) record.Event {
	return at(ms, "harness", "probing", "missing", "the prompt approved")
}

// TestWindow gives the bounds in milliseconds.
func TestWindow(t *testing.T) {
	for _, c := range []struct {
		name     string
		events   []record.Event
		from, to int64
		ended    bool
	}{
		{"a phase", story(begin(1000, Act), end(5000, Act)), 1000, 5000, true},
		{"of no length", story(begin(1000, Act), end(1000, Act)), 1000, 1000, true},
		{"not the other phase", story(begin(1000, Act), end(5000, Act), begin(6000, Recover), end(9000, Recover)), 1000, 5000, true},
		{"it ends where probing begins", story(begin(1000, Act), probing(3000), end(5000, Act)), 1000, 3000, true},
		{"the first probing", story(begin(1000, Act), probing(3000), probing(4000), end(5000, Act)), 1000, 3000, true},
		{"probing before it", story(probing(500), begin(1000, Act), end(5000, Act)), 1000, 5000, true},
		{"probing after it", story(begin(1000, Act), end(5000, Act), probing(6000)), 1000, 5000, true},
		{"probing in the next one", story(begin(1000, Act), end(5000, Act), begin(5000, Recover), probing(6000), end(9000, Recover)), 1000, 5000, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, ended := theCase(t, c.events).window(Act)
			if ended != c.ended || w.from != c.from*1000 || w.to != c.to*1000 {
				t.Errorf("from %d to %d µs, ended: %v", w.from, w.to, ended)
			}
		})
	}
}

func TestWindowThatDidNotEnd(t *testing.T) {
	for name, events := range map[string][]record.Event{
		"never began":            story(begin(1000, Recover), end(5000, Recover)),
		"never ended":            story(begin(1000, Act)),
		"never ended but probed": story(begin(1000, Act), probing(3000)),
		"ended before it began":  story(end(500, Act), begin(1000, Act)),
	} {
		if w, ended := theCase(t, events).window(Act); ended {
			t.Errorf("%s: from %d to %d µs", name, w.from, w.to)
		}
	}
}

// TestProbingIsNoEvidence: the harness presses keys and cuts the power to find out whose fault it is; what the
// terminal then shows is neither what was expected nor what was forbidden.
func TestProbingIsNoEvidence(t *testing.T) {
	for _, c := range []struct {
		name   string
		shows  record.Event
		expect scenarios.Expectation
		want   wanted
	}{
		{"shown before", screen(2000, "approved"), scenarios.Expectation{Prompt: "approved"}, passes("APPROVED")},
		{"shown as probing began", screen(3000, "approved"), scenarios.Expectation{Prompt: "approved"}, passes("APPROVED")},
		{"shown to the probe", screen(3001, "approved"), scenarios.Expectation{Prompt: "approved"}, fails("it was not shown")},
		{"forbidden, shown before", screen(2000, "approved"), scenarios.Expectation{NotPrompt: []string{"approved"}}, fails("approved")},
		{"forbidden, shown to the probe", screen(3001, "approved"), scenarios.Expectation{NotPrompt: []string{"approved"}}, passes("")},
	} {
		t.Run(c.name, func(t *testing.T) {
			events := story(begin(1000, Act), c.shows, probing(3000), end(9000, Act))
			if c.shows.US > events[2].US {
				events = story(begin(1000, Act), probing(3000), c.shows, end(9000, Act))
			}
			c.want.hold(t, theCase(t, events).expecting(t, c.expect))
		})
	}
}
