package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/assay-hil/assay/harness/record"
)

// rendered makes a run folder of results, each with its timeline, and gives its pages by path.
func rendered(t *testing.T, s Summary, results []record.Result, timelines map[string]string) (string, func(name string) []byte) {
	t.Helper()
	f, err := Create(filepath.Join(t.TempDir(), "run"), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if text, ok := timelines[r.Scenario]; ok {
			r.Timeline = f.Timeline(r.ID())
			writeFile(t, filepath.Join(f.Path(), r.Timeline), text)
		}
		if err := f.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Path(), func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(f.Path(), name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

// dataOf is the JSON that a page is drawn from.
func dataOf(t *testing.T, page []byte, into any) {
	t.Helper()
	m := regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`).FindSubmatch(page)
	if m == nil {
		t.Fatalf("no data in\n%.400s", page)
	}
	if err := json.Unmarshal(m[1], into); err != nil {
		t.Fatal(err)
	}
}

// eventsOf are the events that a scenario's page is drawn from.
func eventsOf(t *testing.T, page []byte) (events []record.Event) {
	t.Helper()
	m := regexp.MustCompile(`(?s)<script type="application/jsonl" id="events">(.*?)</script>`).FindSubmatch(page)
	if m == nil {
		t.Fatalf("no events in\n%.400s", page)
	}
	for line := range bytes.Lines(m[1]) {
		var e record.Event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		events = append(events, e)
	}
	return events
}

const hostile = `</script><img src=x onerror=alert(1)> "quoted" 不支持`

func TestPagesHoldHostileTextAsText(t *testing.T) {
	event := eventLine(t, record.Event{Seq: 1, US: 5, Source: "display", Kind: "screen", Fields: map[string]string{"text": hostile}})
	raw := `{"seq":2,"us":6,"source":"display","kind":"noise","fields":{"text":"</script><b>"}}` + "\n" // not as Go escapes it
	_, page := rendered(t, Summary{Planned: 1, Rig: hostile},
		[]record.Result{{Scenario: "S", TitleEN: hostile, Verdict: record.Fail, Cause: record.Terminal, Why: hostile, Labels: []string{hostile}}},
		map[string]string{"S": event + raw})
	for _, name := range []string{"index.html", "scenario/S.html"} {
		b := page(name)
		if bytes.Contains(b, []byte("<img")) || bytes.Contains(b, []byte("<b>")) {
			t.Errorf("%s lets markup of a record through", name)
		}
		if n, scripts := bytes.Count(b, []byte("</script>")), bytes.Count(b, []byte("<script")); n != scripts {
			t.Errorf("%s: %d scripts begin and %d end", name, scripts, n)
		}
	}
	if events := eventsOf(t, page("scenario/S.html")); len(events) != 2 || events[0].Fields["text"] != hostile {
		t.Errorf("events %+v", events)
	}
}

func TestPagesNeedNothingFromOutside(t *testing.T) {
	dir, _ := rendered(t, Summary{Planned: 1}, []record.Result{{Scenario: "S", Verdict: record.Pass}}, map[string]string{"S": "{}\n"})
	outside := regexp.MustCompile(`(?i)(src|href|url\(|import|fetch|XMLHttpRequest)[^\n]{0,20}(https?:)?//[a-z]`)
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !regexp.MustCompile(`\.(html|js|css)$`).MatchString(path) {
			return err
		}
		b, err := os.ReadFile(path)
		if m := outside.Find(b); m != nil {
			t.Errorf("%s: %s", path, m)
		}
		if bytes.Contains(b, []byte("fetch(")) {
			t.Errorf("%s fetches: a page at file:// can't", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestIndexGroupsFailuresByTheirFirstDifference(t *testing.T) {
	failed := func(id, observed string) record.Result {
		return record.Result{Scenario: id, Verdict: record.Fail, Cause: record.Terminal, Checks: []record.Check{
			{Phase: "act", What: "prompt", Expected: "prompt approved", Observed: "it", Verdict: record.Pass},
			{Phase: "audit", What: "unanswered", Expected: "every request is reversed", Observed: observed, Verdict: record.Fail}}}
	}
	_, page := rendered(t, Summary{Planned: 4}, []record.Result{failed("A", "trace 000002 never"), failed("B", "trace 000017 never"), failed("C", "something else"), {Scenario: "D", Verdict: record.Pass}}, nil)
	var d indexData
	dataOf(t, page("index.html"), &d)
	if len(d.Groups) != 2 || len(d.Groups[0].Rows) != 2 || d.Groups[0].What != "unanswered" || len(d.Groups[1].Rows) != 1 {
		t.Errorf("groups %+v", d.Groups)
	}
}

// TestTwoRungsAreNotMixed: on a rung with shortened timers a budget has another limit.
func TestTwoRungsAreNotMixed(t *testing.T) {
	on := func(rig string, us, limit int64) record.Result {
		return record.Result{Name: "S@" + rig, Scenario: "S", Profile: "p", Rig: rig, Verdict: record.Pass, Checks: []record.Check{{Phase: "act", What: "prompt", Expected: "prompt approved within host-reply", Budget: "host-reply", MeasuredUS: us, LimitUS: limit, Verdict: record.Pass}}}
	}
	_, page := rendered(t, Summary{Planned: 2}, []record.Result{on("virtual", 1_900_000, 2_000_000), on("sim", 300_000, 333_000)}, nil)
	var d indexData
	dataOf(t, page("index.html"), &d)
	if len(d.Budgets) != 2 || d.Budgets[0].Rig != "sim" || d.Budgets[0].Limit != 333_000 || d.Budgets[0].All.Max != 300_000 || len(d.Prompts) != 2 {
		t.Errorf("budgets %+v, prompts %+v", d.Budgets, d.Prompts)
	}
}

func TestEveryAttemptHasAPage(t *testing.T) {
	results := []record.Result{{Scenario: "S", Verdict: record.Inconclusive, Cause: record.Rig, Why: "first"}, {Scenario: "S", Verdict: record.Pass, Why: "second"}, {Scenario: "T", Verdict: record.Fail}, {Scenario: "T", Verdict: record.Pass}}
	dir, page := rendered(t, Summary{Planned: 2}, results, nil)
	run, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if s := run.Summary; s.Passed != 1 || s.Failed != 1 || s.NotRun != 0 || s.Attempts != 4 || s.Retried != 2 {
		t.Errorf("a pass after doubt is a pass, a pass after a failure is none: %+v", s)
	}
	for name, want := range map[string]record.Verdict{"S.html": record.Pass, "S.attempt-1.html": record.Inconclusive, "T.html": record.Fail, "T.attempt-2.html": record.Pass} {
		var data struct{ Head scenarioHead }
		dataOf(t, page("scenario/"+name), &data)
		if data.Head.Result.Verdict != want || len(data.Head.Attempts) != 2 {
			t.Errorf("%s: %s, %d attempts", name, data.Head.Result.Verdict, len(data.Head.Attempts))
		}
		for _, a := range data.Head.Attempts {
			page("scenario/" + a.Page)
		}
	}
}

// TestPageSaysThatATimelineIsMissing; what of one can't be read the page finds itself: TestBrowserBrokenTimeline.
func TestPageSaysThatATimelineIsMissing(t *testing.T) {
	dir, page := rendered(t, Summary{Planned: 1}, []record.Result{{Scenario: "S", Verdict: record.Pass}}, map[string]string{"S": "{}\n"})
	if err := os.Remove(filepath.Join(dir, timelineDir, "S.jsonl")); err != nil {
		t.Fatal(err)
	}
	run, err := Open(dir)
	if err == nil {
		err = run.Render(nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	var data struct{ Head scenarioHead }
	dataOf(t, page("scenario/S.html"), &data)
	if !strings.Contains(data.Head.Unread, "not there") {
		t.Errorf("%q", data.Head.Unread)
	}
}

func TestFaultWindows(t *testing.T) {
	line := func(us int64, kind, fault, what string) string {
		return eventLine(t, record.Event{US: us, Source: "network", Kind: kind, Fields: map[string]string{"fault": fault, "kind": what}})
	}
	timeline := line(5, "armed", "a", "drop") + line(10, "fired", "a", "drop") + line(12, "fired", "b", "delay") + line(15, "fired", "a", "drop") +
		line(20, "healed", "a", "drop") + "broken \"kind\":\"fired\"\n" + line(30, "message", "", "fired")
	got := faultWindows([]byte(timeline))
	if fmt.Sprint(got) != fmt.Sprint([]window{{"drop", 10, 20}, {"delay", 12, forever}}) {
		t.Errorf("%v", got)
	}
	for _, c := range []struct {
		from, to int64
		want     bool
	}{{0, 9, false}, {0, 10, true}, {15, 16, true}, {21, 30, true}} {
		if during(got, c.from, c.to) != c.want {
			t.Errorf("a fault was at work from %d to %d: %v", c.from, c.to, !c.want)
		}
	}
	if during(got[:1], 21, 30) {
		t.Error("a fault is at work after it was healed")
	}
}

func TestQuantilesNeedSamples(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 1, 19: 1, 20: 2, 99: 2, 100: 3} {
		samples := make([]int64, n)
		for i := range samples {
			samples[i] = int64(i + 1)
		}
		q := Quantiles(samples)
		if len(q) != want {
			t.Errorf("%d samples give %d quantiles, want %d", n, len(q), want)
		}
		if n == 100 && (q[0].US != 50 || q[1].US != 95 || q[2].US != 99) {
			t.Errorf("of 1…100: %v", q)
		}
	}
}

func TestFirstDifference(t *testing.T) {
	event := func(us int64, source, kind string, fields ...string) record.Event {
		e := record.Event{US: us, Source: source, Kind: kind, Fields: map[string]string{}}
		for i := 0; i < len(fields); i += 2 {
			e.Fields[fields[i]] = fields[i+1]
		}
		return e
	}
	then := []record.Event{event(1, "display", "screen", "prompts", "amount"), event(2, "issuer", "sent", "mti", "0210", "code", "00"), event(3, "display", "screen", "prompts", "approved")}
	now := []record.Event{event(1, "display", "screen", "prompts", "amount"), event(2, "issuer", "sent", "mti", "0210", "code", "91"), event(3, "display", "screen", "prompts", "declined")}
	d := divergence(now, then)
	if d == nil || d.Lane != "message" || d.AtUS != 2 || !strings.Contains(d.Now, "91") || !strings.Contains(d.Then, "00") {
		t.Errorf("%+v", d)
	}
	if d := divergence(now, now); d != nil {
		t.Errorf("a record differs from itself: %+v", d)
	}
	if d := divergence(now[:2], now); d == nil || d.Now != "nothing more" || d.After != "amount" {
		t.Errorf("one that ends early: %+v", d)
	}
	a := []journalEntry{{In: true, MTI: "0200", Fields: map[string]string{"4": "000000001250", "11": "000002", "39": "00"}}}
	b := []journalEntry{{In: true, MTI: "0200", Fields: map[string]string{"4": "000000001251", "11": "000009"}}}
	if got := fmt.Sprint(fieldChanges(a, b)); got != "[{1 0200 4 000000001250 000000001251} {1 0200 39 00 }]" {
		t.Errorf("fields %s", got)
	}
}
