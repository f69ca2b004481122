package reports

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/assay-hil/assay/harness/record"
)

// maxLine bounds one line of a timeline, in bytes.
const maxLine = 1 << 20

// readTimeline reads a timeline in order of time. A last line that a kill cut off is left out; a
// line in the middle that is no event is an error, and so is a line without end. What was read
// before an error is returned with it.
func readTimeline(path string) ([]record.Event, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	events, err := scanTimeline(bufio.NewScanner(f))
	slices.SortStableFunc(events, func(a, b record.Event) int { return cmp.Compare(a.US, b.US) })
	return events, err
}

func scanTimeline(lines *bufio.Scanner) ([]record.Event, error) {
	lines.Buffer(nil, maxLine)
	var events []record.Event
	for n := 1; lines.Scan(); n++ {
		var e record.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			if lines.Scan() { // not the last line: no kill did this
				return events, fmt.Errorf("line %d: %w", n, err)
			}
			break
		}
		events = append(events, e)
	}
	return events, lines.Err()
}

// row is a line of the page's timeline: an event, or several that belong together.
type row struct {
	From, To     string // seconds; To only when the row lasts
	Source, Kind string
	Mark         string // how it stands out: "", fired, alarm, step, screen, paper
	Phase        string // a heading: the phase's name, with how long it lasted in To
	Left         int    // a gap: how many events are left out here
	Lines        []string
	Note         string
	Keys         []key
	Fields       []field
}

// key is a pressed key and what it changed on the screen.
type key struct {
	Name, When string
	Echo       []string
}

type field struct{ Name, Value string }

// tabler turns events into rows. It draws together what says little alone: keys with the echo
// on the screen, and the lines of a receipt.
type tabler struct {
	rows    []row
	ends    map[string][]int64 // phase → when it ended, in order
	lines   []string           // on the screen now
	prompts string
	typing  bool // the last row is keys, and more may follow
}

// rowsOf makes the rows of a timeline. Of more than limit events the middle is left out: what went
// wrong is mostly told at the end.
func rowsOf(events []record.Event, limit int) []row {
	t := &tabler{ends: map[string][]int64{}}
	for _, e := range events {
		if isPhase(e, "end") {
			t.ends[e.Fields["name"]] = append(t.ends[e.Fields["name"]], e.US)
		}
	}
	left := max(0, len(events)-limit)
	head := len(events)
	if left > 0 {
		head = limit / 2
	}
	for _, e := range events[:head] {
		t.add(e)
	}
	if left > 0 {
		t.put(row{Left: left})
		for _, e := range events[head+left:] {
			t.add(e)
		}
	}
	return t.rows
}

func isPhase(e record.Event, edge string) bool {
	return e.Source == "harness" && e.Kind == "phase" && e.Fields["edge"] == edge
}

func (t *tabler) put(r row) {
	t.typing = false
	t.rows = append(t.rows, r)
}

func (t *tabler) last() *row {
	if len(t.rows) == 0 {
		return &row{}
	}
	return &t.rows[len(t.rows)-1]
}

func (t *tabler) add(e record.Event) {
	switch {
	case isPhase(e, "begin"):
		t.phase(e)
	case isPhase(e, "end"): // told where it begins
	case e.Source == "keypad" && e.Kind == "press":
		t.press(e)
	case e.Source == "display" && e.Kind == "screen":
		t.screen(e)
	case e.Source == "printer" && e.Kind == "line":
		t.print(e)
	default:
		t.put(row{From: clock(e.US), Source: e.Source, Kind: e.Kind, Mark: markOf(e), Fields: fieldsOf(e)})
	}
}

func (t *tabler) phase(e record.Event) {
	name := e.Fields["name"]
	r := row{From: clock(e.US), Phase: name, To: "the record ends in it"}
	if ends := t.ends[name]; len(ends) > 0 {
		r.To, t.ends[name] = clock(ends[0]), ends[1:]
	}
	t.put(r)
}

func (t *tabler) press(e record.Event) {
	k := key{Name: e.Fields["key"], When: "at " + clock(e.US) + " s" + took(e)}
	if t.typing {
		r := t.last()
		r.Keys, r.To = append(r.Keys, k), clock(e.US)
		return
	}
	t.put(row{From: clock(e.US), Source: e.Source, Kind: e.Kind, Keys: []key{k}})
	t.typing = true
}

func took(e record.Event) string {
	us, err := strconv.ParseInt(e.Fields["took_us"], 10, 64)
	if err != nil {
		return ""
	}
	return ", took " + length(us)
}

// screen shows what is on the display: beside the key where it only echoes it, as a row of its own
// otherwise.
func (t *tabler) screen(e record.Event) {
	before, prompts := t.lines, t.prompts
	t.lines, t.prompts = strings.Split(e.Fields["text"], "\n"), e.Fields["prompts"]
	if t.typing && t.prompts != "" && t.prompts == prompts {
		if k := &t.last().Keys[len(t.last().Keys)-1]; k.Echo == nil {
			k.Echo = changed(before, t.lines)
			return
		}
	}
	t.put(row{From: clock(e.US), Source: e.Source, Kind: e.Kind, Mark: "screen", Lines: t.lines, Note: t.prompts})
}

// changed are the lines that are new on a screen; all of them where lines went away or nothing
// changed.
func changed(before, after []string) []string {
	if len(after) < len(before) {
		return after
	}
	var lines []string
	for i, line := range after {
		if i >= len(before) || before[i] != line {
			lines = append(lines, line)
		}
	}
	if lines == nil {
		return after
	}
	return lines
}

func (t *tabler) print(e record.Event) {
	if r := t.last(); r.Mark == "paper" {
		r.Lines = append(r.Lines, e.Fields["text"])
		if now := clock(e.US); now != r.From {
			r.To = now
		}
		return
	}
	t.put(row{From: clock(e.US), Source: e.Source, Kind: e.Kind, Mark: "paper", Lines: []string{e.Fields["text"]}})
}

// markOf says what must catch the eye: faults that were injected, and what went wrong.
func markOf(e record.Event) string {
	switch {
	case e.Source == "network" && e.Kind == "fired", e.Source == "issuer" && e.Fields["rule"] != "":
		return "fired"
	case e.Kind == "stop", e.Kind == "probe", e.Kind == "leak", e.Fields["error"] != "":
		return "alarm"
	case e.Kind == "verdict" && e.Fields["verdict"] != string(record.Pass):
		return "alarm"
	case e.Source == "harness" && e.Kind == "step":
		return "step"
	default:
		return ""
	}
}

// fieldsOf lists an event's fields by name, without the empty ones; microseconds in a form for
// people.
func fieldsOf(e record.Event) []field {
	var fields []field
	for name, value := range e.Fields {
		if us, err := strconv.ParseInt(value, 10, 64); err == nil && strings.HasSuffix(name, "_us") {
			name, value = strings.TrimSuffix(name, "_us"), length(us)
			if us == 0 { // too short to measure
				continue
			}
		}
		if value != "" {
			fields = append(fields, field{name, strings.ReplaceAll(value, "\n", " / ")})
		}
	}
	slices.SortFunc(fields, func(a, b field) int { return cmp.Compare(a.Name, b.Name) })
	return fields
}

// clock shows a time on the timeline, in seconds.
func clock(us int64) string { return fmt.Sprintf("%.3f", float64(us)/1e6) }
