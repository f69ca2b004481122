package reports

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/assay-hil/assay/harness/record"
)

// element is one element of a page, with the text below it.
type element struct {
	name  string
	attrs map[string]string
	text  strings.Builder
}

// parse reads a page as XML: it is written so that it is both, and XML forgives nothing.
func parse(t *testing.T, page []byte) []*element {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(string(page)))
	var all, open []*element
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attrs: map[string]string{}}
			for _, a := range token.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			all, open = append(all, e), append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			for _, e := range open {
				e.text.Write(token)
			}
		}
	}
}

func render(t *testing.T, dir string, s Summary, results []record.Result) []*element {
	t.Helper()
	b, err := HTML(dir, s, results)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, b)
}

func find(all []*element, name, class string) []*element {
	var found []*element
	for _, e := range all {
		if e.name == name && (class == "" || strings.Contains(" "+e.attrs["class"]+" ", " "+class+" ")) {
			found = append(found, e)
		}
	}
	return found
}

func TestPageHasASectionForEachResultBadOnesFirst(t *testing.T) {
	results := []record.Result{
		{Scenario: "GOOD", Verdict: record.Pass, Checks: []record.Check{{Expected: "this", Observed: "this", Verdict: record.Pass}}},
		{Scenario: "DOUBT", Verdict: record.Inconclusive, Cause: record.Rig, Why: "the finger is dead"},
		{Scenario: "SKIPPED", Verdict: record.Skipped, Why: "it lacks a printer"},
		{Scenario: "BAD", Verdict: record.Fail, Cause: record.Terminal, Profile: "countertop", Lang: "zh", Rig: "virtual", Why: "act: expected that; observed nothing", Checks: []record.Check{
			{Phase: "act", Expected: "well", Observed: "well", Verdict: record.Pass},
			{Phase: "act", Expected: "that", Observed: "nothing", Verdict: record.Fail},
		}},
	}
	s := summarise(4, results)
	s.Defects = []string{"wrong-prompt-96"}
	all := render(t, t.TempDir(), s, results)
	sections := find(all, "section", "")
	if len(sections) != len(results) {
		t.Fatalf("%d sections for %d results", len(sections), len(results))
	}
	for i, want := range []struct{ id, class, text string }{
		{"r4", "fail", "BAD"}, {"r2", "inconclusive", "the finger is dead"}, {"r1", "pass", "GOOD"}, {"r3", "skipped", "it lacks a printer"},
	} {
		got := sections[i]
		if got.attrs["id"] != want.id || got.attrs["class"] != "scenario "+want.class || !strings.Contains(got.text.String(), want.text) {
			t.Errorf("section %d is %v: %s", i, got.attrs, got.text.String())
		}
	}
	brief := find(all, "dl", "brief")
	if len(brief) != 2 {
		t.Fatalf("%d briefs, want those of BAD and DOUBT", len(brief))
	}
	for _, part := range []string{"Expectedthat (act)", "Observednothing", "Faultthe terminal", "assay run --rig virtual --profile countertop --lang zh --scenario BAD --defect wrong-prompt-96"} {
		if !strings.Contains(brief[0].text.String(), part) {
			t.Errorf("no %q in %q", part, brief[0].text.String())
		}
	}
	if strings.Contains(brief[0].text.String(), "Why") {
		t.Errorf("says the same twice: %q", brief[0].text.String())
	}
	if !strings.Contains(brief[1].text.String(), "rig, not the terminal") {
		t.Errorf("no fault in %q", brief[1].text.String())
	}
	rows := find(all, "tr", "fail")
	if first := find(all, "tbody", "")[0].text.String(); len(rows) != 1 || !strings.HasPrefix(strings.TrimSpace(first), "✗ fail") {
		t.Errorf("the failed check is not the first: %q", first)
	}
}

func TestPageNeedsNothingElse(t *testing.T) {
	f := newFolder(t, Summary{Planned: 1, Rig: "virtual"})
	writeFile(t, filepath.Join(f.Path(), f.Timeline("S")), eventLine(t, record.Event{Source: "display", Kind: "screen", Fields: map[string]string{"text": "欢迎使用"}}))
	result := record.Result{Scenario: "S", TitleEN: "A sale", TitleZH: "消费", Verdict: record.Fail, Timeline: f.Timeline("S"), Checks: []record.Check{{Expected: "a", Observed: "b", Verdict: record.Fail}}}
	b, err := HTML(f.Path(), f.summary, []record.Result{result})
	if err != nil {
		t.Fatal(err)
	}
	outside := regexp.MustCompile(`(?i)https?:|//[a-z]|<(script|link|img|iframe|object|embed|base)\b|\bsrc=|\bon[a-z]+=|@import|url\(`)
	if found := outside.Find(b); found != nil {
		t.Errorf("the page refers to something outside: %s", found)
	}
	for _, link := range find(parse(t, b), "a", "") {
		if href := link.attrs["href"]; !strings.HasPrefix(href, "#") && href != "timeline/S.jsonl" {
			t.Errorf("a link to %s", href)
		}
	}
	if !strings.Contains(string(b), `content="default-src 'none'; style-src 'unsafe-inline'"`) {
		t.Error("the page does not forbid itself to load anything")
	}
}

// Every value may come from a terminal's garbled screen; none may become markup.
func TestPageEscapes(t *testing.T) {
	const hostile = `<script>alert(1)</script>" onclick="x' </td></table><!-- javascript:x https://evil.example/ ` + "\x00\x1b\x7f\u0085\xff"
	f := newFolder(t, Summary{Planned: 1})
	fields := map[string]string{"text": hostile, "prompts": hostile, "key": hostile, "name": hostile, "edge": "begin", hostile: hostile}
	var lines strings.Builder
	for _, kind := range [][2]string{{"display", "screen"}, {"keypad", "press"}, {"printer", "line"}, {"harness", "phase"}, {"network", "fired"}, {hostile, hostile}} {
		lines.WriteString(eventLine(t, record.Event{Source: kind[0], Kind: kind[1], Fields: fields}))
	}
	writeFile(t, filepath.Join(f.Path(), f.Timeline("S")), lines.String())
	check := record.Check{Phase: hostile, Expected: hostile, Observed: hostile, Why: hostile, Budget: hostile, Verdict: record.Fail}
	results := []record.Result{
		{Scenario: hostile, TitleEN: hostile, TitleZH: hostile, Article: hostile, Profile: hostile, Lang: hostile, Rig: hostile, Verdict: record.Fail,
			Cause: hostile, Why: hostile + "more", Checks: []record.Check{check, check}, Timeline: f.Timeline("S"), Firmware: hostile},
		{Scenario: hostile, Verdict: hostile, Why: hostile, Timeline: "javascript:alert(1)"},
	}
	s := Summary{Planned: 2, Failed: 2, Rig: hostile, Profile: hostile, Lang: hostile, Version: hostile, Defects: []string{hostile}, BenchFaults: []string{hostile}}
	all := render(t, f.Path(), s, results)
	for _, e := range all {
		if e.name == "script" || e.attrs["onclick"] != "" || strings.Contains(e.attrs["href"], "javascript") {
			t.Errorf("markup from outside: %s %v", e.name, e.attrs)
		}
	}
	if tables := find(all, "table", "events"); len(tables) != 1 || strings.Count(tables[0].text.String(), "<script>alert(1)</script>") < 6 {
		t.Error("the timeline does not show what was recorded")
	}
}

func TestPageSaysWhatItLeavesOut(t *testing.T) {
	f := newFolder(t, Summary{Planned: 1})
	var lines strings.Builder
	for i := range maxShown + 50 {
		lines.WriteString(eventLine(t, record.Event{Seq: i + 1, US: int64(i), Source: "harness", Kind: "step", Fields: map[string]string{"step": fmt.Sprintf("<%d>", i)}}))
	}
	writeFile(t, filepath.Join(f.Path(), f.Timeline("LONG")), lines.String())
	results := []record.Result{{Scenario: "LONG", Verdict: record.Fail, Timeline: f.Timeline("LONG")}}
	all := render(t, f.Path(), f.summary, results)
	left := find(all, "tr", "left")
	if len(left) != 1 || !strings.HasPrefix(left[0].text.String(), "50 events are left out") {
		t.Fatalf("no notice of 50 events: %d rows", len(left))
	}
	if steps := find(all, "tr", "step"); len(steps) != maxShown {
		t.Errorf("%d events shown, want %d", len(steps), maxShown)
	}
	text := find(all, "table", "events")[0].text.String()
	for part, want := range map[string]bool{"<0>": true, "<999>": true, "<1000>": false, "<1049>": false, "<1050>": true, "<2049>": true} {
		if strings.Contains(text, part) != want {
			t.Errorf("event %s shown: %v, want %v", part, !want, want)
		}
	}
}

func TestPageSaysWhatItCouldNotRead(t *testing.T) {
	f := newFolder(t, Summary{Planned: 2})
	writeFile(t, filepath.Join(f.Path(), f.Timeline("BROKEN")), eventLine(t, record.Event{Source: "power", Kind: "on"})+"nonsense\n"+eventLine(t, record.Event{}))
	results := []record.Result{{Verdict: record.Pass, Timeline: f.Timeline("MISSING")}, {Verdict: record.Pass, Timeline: f.Timeline("BROKEN")}}
	sections := find(render(t, f.Path(), f.summary, results), "section", "")
	if text := sections[0].text.String(); !strings.Contains(text, "could not be read: ") {
		t.Errorf("a missing timeline: %s", text)
	}
	if text := sections[1].text.String(); !strings.Contains(text, "could not be read to its end: line 2") || !strings.Contains(text, "power") {
		t.Errorf("a broken timeline: %s", text)
	}
}

func TestPageOpensFewTimelines(t *testing.T) {
	f := newFolder(t, Summary{Planned: 9})
	writeFile(t, filepath.Join(f.Path(), f.Timeline("S")), eventLine(t, record.Event{Source: "power", Kind: "on"}))
	var results []record.Result
	for i := range 8 {
		v := record.Inconclusive
		if i < 3 {
			v = record.Pass
		}
		results = append(results, record.Result{Verdict: v, Timeline: f.Timeline("S")})
	}
	var open int
	for i, d := range find(render(t, f.Path(), f.summary, results), "details", "timeline") {
		if d.attrs["open"] != "" {
			open++
			if i >= maxOpen {
				t.Errorf("timeline %d is open", i)
			}
		}
	}
	if open != maxOpen {
		t.Errorf("%d timelines are open, want %d", open, maxOpen)
	}
}
