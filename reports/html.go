package reports

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/assay-hil/assay/harness/record"
)

// maxShown bounds the events of one timeline in the HTML; the whole is in its file, and the
// page says so.
const maxShown = 2000

//go:embed index.tmpl.html
var page string

var tmpl = template.Must(template.New("index").Funcs(template.FuncMap{
	"ms":      func(us int64) string { return fmt.Sprintf("%.1f ms", float64(us)/1000) },
	"clock":   clock,
	"seconds": func(s float64) string { return fmt.Sprintf("%.1f s", s) },
	"fields":  fieldText,
	"join":    strings.Join,
}).Parse(page))

// view is what the page shows.
type view struct {
	Summary Summary
	Words   string
	Bad     bool
	Results []resultView
}

type resultView struct {
	record.Result
	Anchor   string
	Open     bool
	Events   []record.Event
	Cut      int    // events that are not shown
	Unread   string // why the timeline could not be read
	Problems int
}

// HTML makes the page for people: one file that needs nothing else. dir is where the timelines are.
func HTML(dir string, s Summary, results []record.Result) ([]byte, error) {
	v := view{Summary: s, Words: s.Words(), Bad: s.Failed+s.Inconclusive > 0}
	for i, r := range results {
		rv := resultView{Result: r, Anchor: fmt.Sprintf("r%d", i+1), Open: r.Verdict == record.Fail || r.Verdict == record.Inconclusive}
		for _, c := range r.Checks {
			if c.Verdict != record.Pass {
				rv.Problems++
			}
		}
		if r.Timeline != "" {
			events, err := readTimeline(filepath.Join(dir, r.Timeline))
			if err != nil {
				rv.Unread = err.Error()
			}
			if len(events) > maxShown {
				rv.Cut = len(events) - maxShown
				events = events[:maxShown]
			}
			rv.Events = events
		}
		v.Results = append(v.Results, rv)
	}
	var b bytes.Buffer
	err := tmpl.Execute(&b, v)
	return b.Bytes(), err
}

// Words says the run in a sentence.
func (s Summary) Words() string {
	switch {
	case s.Failed > 0:
		return fmt.Sprintf("The terminal failed %s.", count(s.Failed, "scenario"))
	case s.Inconclusive > 0:
		return fmt.Sprintf("%s could not be decided: the bench, not the terminal.", count(s.Inconclusive, "scenario"))
	case s.NotRun > 0:
		return fmt.Sprintf("The run ended early: %s not run.", count(s.NotRun, "scenario"))
	case s.Planned == s.Skipped:
		return "Nothing was run."
	case s.Marginal > 0:
		return fmt.Sprintf("The terminal passed, %s only just.", count(s.Marginal, "scenario"))
	default:
		return "The terminal passed."
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// readTimeline reads a timeline in order of time. A last line that was cut off by a kill is left out.
func readTimeline(path string) ([]record.Event, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var events []record.Event
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e record.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			break
		}
		events = append(events, e)
	}
	slices.SortStableFunc(events, func(a, b record.Event) int { return int(a.US - b.US) })
	return events, lines.Err()
}

// clock shows a time on the timeline.
func clock(us int64) string {
	return fmt.Sprintf("%8.3f", (time.Duration(us) * time.Microsecond).Seconds())
}

// fieldText shows an event's fields on one line, in a fixed order.
func fieldText(f map[string]string) string {
	names := make([]string, 0, len(f))
	for n := range f {
		names = append(names, n)
	}
	slices.Sort(names)
	var b strings.Builder
	for _, n := range names {
		if f[n] == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("  ")
		}
		fmt.Fprintf(&b, "%s=%s", n, strings.ReplaceAll(f[n], "\n", " ⏎ "))
	}
	return b.String()
}
