package reports

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-hil/assay/harness/record"
)

// published is a card number that schemes publish for tests, and that is on none of our cards.
const published = "5413330089604111"

// TestPlantedCardNumberFailsTheRun plants a card number in each kind of evidence.
func TestPlantedCardNumberFailsTheRun(t *testing.T) {
	packed := []byte{0x00, 0x5A, 0x08, 0x54, 0x13, 0x33, 0x00, 0x89, 0x60, 0x41, 0x11}
	blobs := map[string][]byte{
		record.Receipt: []byte("卡号: " + published + "\n"), record.Screens: []byte("│ 5413 3300 8960 4111\n"),
		record.Journal: []byte(`{"in":true,"fields":{"2":"` + published + `"}}` + "\n"), record.Capture: append([]byte{0x0a, 0x0d, 0x0d, 0x0a}, packed...),
		record.WireLog: fmt.Appendf(nil, "12:04:05 > %x \\n\n", published), record.Container: []byte("panic: message " + base64.StdEncoding.EncodeToString([]byte("pan="+published)) + "\n"),
		record.RigFacts: []byte(`{"note":"` + published + `"}`), record.Other: []byte(";" + published + "=25122010000000000000?"),
	}
	for kind, data := range blobs {
		for _, whole := range []bool{true, false} { // evidence of the run, and of a scenario
			f := newFolder(t, Summary{Planned: 1})
			r := record.Result{Scenario: "S", Verdict: record.Pass}
			if whole {
				file, err := f.Create("wire/" + kind)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := file.Write(data); err != nil {
					t.Fatal(err)
				}
				if err := file.Close(); err != nil {
					t.Fatal(err)
				}
			} else {
				e, err := f.Keep(kind, kind, data)
				if err != nil {
					t.Fatal(err)
				}
				r.Evidence = []record.Evidence{e}
			}
			leaksOf(t, f, r, kind)
		}
	}
	for name, result := range map[string]record.Result{
		"results":   {Scenario: "S", Verdict: record.Pass, Why: "card " + published},
		"exception": {Scenario: "S", Verdict: record.Inconclusive, Why: "panic: bad message \"" + published + "\"\n\tgoroutine 1"},
	} {
		leaksOf(t, newFolder(t, Summary{Planned: 1}), result, name)
	}
	f := newFolder(t, Summary{Planned: 1})
	r := record.Result{Scenario: "S", Verdict: record.Pass, Timeline: f.Timeline("S")}
	writeFile(t, filepath.Join(f.Path(), r.Timeline), eventLine(t, record.Event{Source: "card", Kind: "exchange", Fields: map[string]string{"response": "70\n 9F10 5A0854133300/89604111", "command": "5A 5413330089604111"}}))
	leaksOf(t, f, r, "timeline")
}

// leaksOf ends a run and wants it spoiled.
func leaksOf(t *testing.T, f *Folder, r record.Result, kind string) {
	t.Helper()
	if err := f.Add(r); err != nil {
		t.Fatal(err)
	}
	s, err := f.Close()
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Leaks) == 0 || !s.Scanned {
		t.Errorf("%s: nothing was found", kind)
		return
	}
	if s.tone() == record.Pass || !strings.Contains(s.Words(), "Card data") {
		t.Errorf("%s: the run says %q", kind, s.Words())
	}
	for _, name := range []string{IndexFile, JUnitFile, SummaryFile} {
		b, err := os.ReadFile(filepath.Join(f.Path(), name))
		if err != nil || !bytes.Contains(b, []byte(s.Leaks[0].File)) {
			t.Errorf("%s: %s does not say where, %v", kind, name, err)
		}
	}
}

func TestCleanRunHasNoLeaks(t *testing.T) {
	f := newFolder(t, Summary{Planned: 1})
	if err := f.Add(record.Result{Scenario: "S", Verdict: record.Pass}); err != nil {
		t.Fatal(err)
	}
	if s, err := f.Close(); err != nil || len(s.Leaks) > 0 || !s.Scanned || s.Words() != "The terminal passed." {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestBlobsAreKeptOnce(t *testing.T) {
	f := newFolder(t, Summary{Planned: 1})
	for _, name := range []string{"a", "b"} {
		if _, err := f.Keep(record.Receipt, name, []byte("the same")); err != nil {
			t.Fatal(err)
		}
	}
	found, err := filepath.Glob(filepath.Join(f.Path(), evidenceDir, "sha256", "*", "*"))
	if err != nil || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
	if _, err := f.Keep(record.Receipt, "large", make([]byte, maxBlob+1)); err == nil {
		t.Error("a blob beyond the limit was taken")
	}
}

func TestEventsAreStreamed(t *testing.T) {
	var told bytes.Buffer
	f, err := Begin(filepath.Join(t.TempDir(), "run"), Start{Summary: Summary{Planned: 1}, Events: &told})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Start("S"); err != nil {
		t.Fatal(err)
	}
	if err := f.Add(record.Result{Scenario: "S", Verdict: record.Fail, Why: "because"}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for line := range bytes.Lines(told.Bytes()) {
		var e Event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, e.Event)
		if e.Event == EventResult && (e.Result == nil || e.Result.Why != "because") {
			t.Errorf("a result without its result: %s", line)
		}
	}
	if got := strings.Join(kinds, " "); got != "run-begun begun result run-ended" {
		t.Errorf("events: %s", got)
	}
}

// deaf takes one line and then fails, as a pipe without a reader does.
type deaf struct{ lines int }

func (d *deaf) Write(p []byte) (int, error) {
	if d.lines++; d.lines > 1 {
		return 0, os.ErrClosed
	}
	return len(p), nil
}

func TestAListenerThatGoesAwayIsNotTheRunsFailure(t *testing.T) {
	f, err := Begin(filepath.Join(t.TempDir(), "run"), Start{Summary: Summary{Planned: 1}, Events: &deaf{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Add(record.Result{Scenario: "S", Verdict: record.Pass}); err != nil {
		t.Error(err)
	}
	if _, err := f.Close(); err != nil {
		t.Error(err)
	}
}

func TestNotify(t *testing.T) {
	out := filepath.Join(t.TempDir(), "said")
	s := Summary{Planned: 2, Failed: 1, Passed: 1}
	if err := Notify(context.Background(), fmt.Sprintf(`{ echo "$ASSAY_VERDICT $ASSAY_FAILED $ASSAY_FOLDER"; cat; } > %s`, quote(out)), "runs/x", s); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(out)
	if err != nil || !strings.HasPrefix(string(b), "fail 1 runs/x\n{") || !bytes.Contains(b, []byte(`"planned":2`)) {
		t.Errorf("%s, %v", b, err)
	}
	if err := Notify(context.Background(), "echo no such channel >&2; exit 3", "x", s); err == nil || !strings.Contains(err.Error(), "no such channel") {
		t.Errorf("a command that fails: %v", err)
	}
}

func TestCTRFAddsUp(t *testing.T) {
	run := &Run{Summary: summarise(4, []record.Result{{Scenario: "A", Verdict: record.Pass}, {Scenario: "B", Verdict: record.Fail}, {Scenario: "C", Verdict: record.Inconclusive}}),
		Results: []record.Result{{Scenario: "A", Verdict: record.Pass}, {Scenario: "B", Verdict: record.Fail, Why: "x"}, {Scenario: "C", Verdict: record.Inconclusive}}}
	b, err := CTRF(run)
	if err != nil {
		t.Fatal(err)
	}
	var r ctrfReport
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	s, count := r.Results.Summary, map[string]int{}
	for _, test := range r.Results.Tests {
		count[test.Status]++
	}
	if s.Tests != 4 || s.Passed+s.Failed+s.Pending+s.Skipped+s.Other != s.Tests || count["passed"] != s.Passed || count["failed"] != s.Failed || count["other"] != s.Other || count["pending"] != s.Pending {
		t.Errorf("%+v, tests %v", s, count)
	}
}

func TestMetricsAreWellFormed(t *testing.T) {
	run := &Run{Summary: summarise(1, nil)}
	run.Summary.Rig = "a \"rig\"\\\n"
	run.Results = []record.Result{bigResult(1), bigResult(2)}
	b, err := Metrics(run)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if !strings.HasPrefix(line, "#") && strings.Count(line, "{") != 1 {
			t.Errorf("%q", line)
		}
	}
	if !bytes.Contains(b, []byte(`rig="a \"rig\"\\\n"`)) || !bytes.Contains(b, []byte(`quantile="0.5"`)) || bytes.Contains(b, []byte(`quantile="0.99"`)) {
		t.Errorf("%s", b)
	}
}

func TestCrossCheck(t *testing.T) {
	dir := t.TempDir()
	run := &Run{Dir: dir, Summary: Summary{Planned: 2}, Results: []record.Result{{Scenario: "A", Profile: "p", Verdict: record.Pass}, {Scenario: "B", Profile: "p", Verdict: record.Fail}}}
	writeFile(t, filepath.Join(dir, GinkgoFile), `[{"SpecReports":[{"LeafNodeType":"It","LeafNodeText":"A on p: title","State":"passed"},{"LeafNodeType":"It","LeafNodeText":"B on p: title","State":"failed"}]}]`)
	if got, err := CrossCheck(run); err != nil || len(got) > 0 {
		t.Errorf("%v, %v", got, err)
	}
	run.Results[1].Verdict = record.Pass
	if got, err := CrossCheck(run); err != nil || len(got) != 1 || !strings.Contains(got[0], "B@p") {
		t.Errorf("%v, %v", got, err)
	}
	for why, want := range map[string]int{`"Interrupted by User"`: 0, "": 1} { // B was played ahead of Ginkgo, which never came to it
		writeFile(t, filepath.Join(dir, GinkgoFile), `[{"SpecialSuiteFailureReasons":[`+why+`],"SpecReports":[{"LeafNodeType":"It","LeafNodeText":"A on p: title","State":"passed"},{"LeafNodeType":"It","LeafNodeText":"B on p: title","State":"skipped"}]}]`)
		if got, err := CrossCheck(run); err != nil || len(got) != want {
			t.Errorf("%s: %v, %v", why, got, err)
		}
	}
}
