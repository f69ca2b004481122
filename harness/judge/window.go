package judge

import (
	"slices"
	"strings"
	"time"

	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/harness/record"
)

// window is one phase of the record.
type window struct {
	phase string
	from  int64 // microseconds
	to    int64
	// cursor is the screen, counted within the window, on which the last expected prompt was found: the next one
	// stands there too or comes later. taken are the prompts found so far.
	cursor int
	taken  []string
}

// holds leaves out what happened at the very beginning: in virtual time a phase begins in the same
// microsecond in which the one before it ended, and what was seen then belongs to that one.
func (w *window) holds(e record.Event) bool { return e.US > w.from && e.US <= w.to }

// window finds a phase that began and ended.
func (c *Case) window(phase string) (*window, bool) {
	w := &window{phase: phase, from: -1, to: -1}
	probed := int64(-1)
	for _, e := range c.Events {
		if is(e, "harness", "probing") && w.from >= 0 && w.to < 0 && probed < 0 {
			probed = e.US
		}
		if !is(e, "harness", "phase") || e.Fields["name"] != phase {
			continue
		}
		if e.Fields["edge"] == "begin" {
			w.from = e.US
		} else {
			w.to = e.US
		}
	}
	ended := w.from >= 0 && w.to >= w.from
	if probed >= 0 {
		w.to = min(w.to, probed) // what the terminal shows to a probe is no evidence
	}
	return w, ended
}

// is tells an event's source and kind.
func is(e record.Event, source, kind string) bool { return e.Source == source && e.Kind == kind }

// last finds the newest event at or before a time that satisfies a condition.
func (c *Case) last(before int64, ok func(record.Event) bool) (record.Event, bool) {
	return lastOf(c.Events, before, ok)
}

// lastHosted is last among what issuer and injector told.
func (c *Case) lastHosted(before int64, ok func(record.Event) bool) (record.Event, bool) {
	return lastOf(c.hostSide(), before, ok)
}

func lastOf(events []record.Event, before int64, ok func(record.Event) bool) (record.Event, bool) {
	for i := len(events) - 1; i >= 0; i-- {
		if e := &events[i]; e.US <= before && ok(*e) {
			return *e, true
		}
	}
	return record.Event{}, false
}

// slack is by how much two events of different sources may appear in the wrong order, microseconds.
func (c *Case) slack() int64 { return micros(c.Uncertainty + time.Millisecond) }

// all collects a window's events that satisfy a condition.
func (c *Case) all(w *window, ok func(record.Event) bool) []record.Event {
	return allOf(c.Events, w, ok)
}

// allHosted is all among what issuer and injector told.
func (c *Case) allHosted(w *window, ok func(record.Event) bool) []record.Event {
	return allOf(c.hostSide(), w, ok)
}

func allOf(events []record.Event, w *window, ok func(record.Event) bool) []record.Event {
	var found []record.Event
	for i := range events {
		if e := &events[i]; w.holds(*e) && ok(*e) {
			found = append(found, *e)
		}
	}
	return found
}

// hostSide is what issuer and injector told, in its order; more where that is not sorted out.
func (c *Case) hostSide() []record.Event {
	if c.hosted == nil {
		return c.Events
	}
	return c.hosted
}

// hosted sorts out what issuer and injector told.
func hosted(events []record.Event) []record.Event {
	few := make([]record.Event, 0, len(events)/4)
	for i := range events {
		if source := events[i].Source; source == "issuer" || source == "network" {
			few = append(few, events[i])
		}
	}
	return few
}

// whole is the window of the entire record.
func whole() *window { return &window{from: -1 << 62, to: 1<<62 - 1} }

// own is the window of what is the scenario's own: all that came after the terminal had settled what it held from before, whose
// slips are of batches that these books do not know.
func (c *Case) own() *window {
	w := whole()
	for _, e := range c.Events {
		if is(e, "harness", "phase") && e.Fields["name"] == "drain" && e.Fields["edge"] == "end" {
			w.from = e.US
		}
	}
	return w
}

// actuation says that somebody did something to the terminal: a key, a card.
func actuation(e record.Event) bool {
	return is(e, "keypad", "press") || (e.Source == "card" && (e.Kind == "insert" || e.Kind == "swipe" || e.Kind == "tap" || e.Kind == "remove"))
}

// message says that a message passed in a direction: of network kind "message" (seen) or "delivered" (handed on).
// One whose bytes a fault has changed on its way is not handed on: what arrived is another.
func message(e record.Event, kind, direction, mti string) bool {
	return is(e, "network", kind) && e.Fields["changed"] == "" && e.Fields["direction"] == direction && (mti == "" || e.Fields["mti"] == mti)
}

// handedOn leaves out the deliveries that the injector took back: it tells of one before it writes, and again when
// the write has failed.
func handedOn(events []record.Event) []record.Event {
	var takenBack []int // indexes of what was not delivered
	for i, e := range events {
		if !is(e, "network", "undelivered") {
			continue
		}
		for j := i - 1; j >= 0; j-- {
			told := events[j]
			if is(told, "network", "delivered") && sameMessage(told, e) && told.Fields["connection"] == e.Fields["connection"] &&
				told.Fields["direction"] == e.Fields["direction"] {
				takenBack = append(takenBack, j)
				break
			}
		}
	}
	if takenBack == nil {
		return events
	}
	var kept []record.Event
	for i, e := range events {
		if !slices.Contains(takenBack, i) {
			kept = append(kept, e)
		}
	}
	return kept
}

func fromTerminal(e record.Event, mti string) bool {
	return message(e, "message", network.FromTerminal, mti)
}

func toTerminal(e record.Event, mti string) bool {
	return message(e, "delivered", network.FromHost, mti)
}

// prompts are what was recognised on a screen.
func prompts(e record.Event) []string {
	if !is(e, "display", "screen") {
		return nil
	}
	return strings.Fields(e.Fields["prompts"])
}

// shownText is a screen on one line.
func shownText(e record.Event) string {
	return strings.Join(strings.Split(e.Fields["text"], "\n"), " / ")
}

func micros(d time.Duration) int64 { return d.Microseconds() }
