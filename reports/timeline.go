package reports

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"

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

// window is a time during which a fault was at work, in microseconds of the timeline.
type window struct {
	kind     string
	from, to int64
}

// forever is the end of a window that nothing closed.
const forever = math.MaxInt64

// faultWindows finds the faults of a timeline without reading every line of it.
func faultWindows(timeline []byte) []window {
	var all []window
	open := map[string]int{} // fault → its window
	each(timeline, "fired", func(e record.Event) {
		if _, ok := open[e.Fields["fault"]]; !ok {
			open[e.Fields["fault"]] = len(all)
			all = append(all, window{e.Fields["kind"], e.US, forever})
		}
	})
	if len(all) == 0 {
		return nil
	}
	each(timeline, "healed", func(e record.Event) {
		if i, ok := open[e.Fields["fault"]]; ok && all[i].to == forever {
			all[i].to = max(e.US, all[i].from)
		}
	})
	return all
}

// each gives the events of a kind.
func each(timeline []byte, kind string, do func(record.Event)) {
	part := fmt.Appendf(nil, `"kind":%q`, kind) // as it stands in a timeline
	for {
		i := bytes.Index(timeline, part)
		if i < 0 {
			return
		}
		begin := bytes.LastIndexByte(timeline[:i], '\n') + 1
		line, rest, _ := bytes.Cut(timeline[begin:], []byte{'\n'})
		timeline = rest
		var e record.Event
		if json.Unmarshal(line, &e) == nil && e.Kind == kind {
			do(e)
		}
	}
}

// kindsOf are the kinds of faults, each once.
func kindsOf(windows []window) []string {
	var kinds []string
	for _, w := range windows {
		if !slices.Contains(kinds, w.kind) {
			kinds = append(kinds, w.kind)
		}
	}
	return kinds
}

// during says whether a fault was at work at any moment between two.
func during(windows []window, from, to int64) bool {
	return slices.ContainsFunc(windows, func(w window) bool { return w.from <= to && w.to >= from })
}
