package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-hil/assay/harness/record"
)

func newFolder(t *testing.T, s Summary) *Folder {
	t.Helper()
	f, err := Create(filepath.Join(t.TempDir(), "run"), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = f.Close() })
	return f
}

func readSummary(t *testing.T, f *Folder) Summary {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(f.Path(), SummaryFile))
	if err != nil {
		t.Fatal(err)
	}
	var s Summary
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return s
}

func readResults(t *testing.T, f *Folder) []record.Result {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(f.Path(), ResultsFile))
	if err != nil {
		t.Fatal(err)
	}
	var results []record.Result
	for line := range bytes.Lines(b) {
		var r record.Result
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		results = append(results, r)
	}
	return results
}

func TestFolderAddsUpAfterEveryResult(t *testing.T) {
	verdicts := []record.Verdict{
		record.Pass, record.Marginal, record.Fail, record.Inconclusive, record.Skipped, record.NotRun, "of a later version", record.Pass,
	}
	f := newFolder(t, Summary{Planned: len(verdicts) + 1, Rig: "virtual"})
	if s := readSummary(t, f); s.NotRun != s.Planned || s.Complete {
		t.Fatalf("before the first result: %+v", s)
	}
	for i, v := range verdicts {
		if err := f.Add(record.Result{Scenario: fmt.Sprint("S-", i), Verdict: v, TerminalSeconds: 1.5}); err != nil {
			t.Fatal(err)
		}
		s := readSummary(t, f)
		if sum := s.Passed + s.Marginal + s.Failed + s.Inconclusive + s.Skipped + s.NotRun; sum != s.Planned {
			t.Errorf("after %d results the counts make %d of %d", i+1, sum, s.Planned)
		}
		if s.Complete {
			t.Errorf("complete after %d results, before Close", i+1)
		}
		if got := readResults(t, f); len(got) != i+1 || got[i].Scenario != fmt.Sprint("S-", i) {
			t.Errorf("after %d results the file has %+v", i+1, got)
		}
	}
	s, err := f.Close()
	if err != nil {
		t.Fatal(err)
	}
	want := [6]int{2, 1, 1, 2, 1, 2}
	if got := [6]int{s.Passed, s.Marginal, s.Failed, s.Inconclusive, s.Skipped, s.NotRun}; got != want {
		t.Errorf("counts %v, want %v", got, want)
	}
	if s.TerminalSeconds != 12 {
		t.Errorf("%v terminal seconds, want 12", s.TerminalSeconds)
	}
	if !readSummary(t, f).Complete {
		t.Error("not complete after Close")
	}
}

func TestFolderReplacesTheSummaryAsAWhole(t *testing.T) {
	f := newFolder(t, Summary{Planned: 1})
	old, err := os.Open(filepath.Join(f.Path(), SummaryFile))
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if err := f.Add(record.Result{Verdict: record.Pass}); err != nil {
		t.Fatal(err)
	}
	// Who had the old one open still reads the old one, whole.
	var s Summary
	if err := json.NewDecoder(old).Decode(&s); err != nil || s.NotRun != 1 || s.Passed != 0 {
		t.Errorf("the open file changed under its reader: %+v, %v", s, err)
	}
	if s := readSummary(t, f); s.Passed != 1 {
		t.Errorf("the new summary is not there: %+v", s)
	}
	if _, err := f.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(f.Path(), "*.new"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestFolderRefuses(t *testing.T) {
	f := newFolder(t, Summary{Planned: 1})
	if _, err := Create(f.Path(), Summary{Planned: 1}); err == nil || !strings.Contains(err.Error(), "already holds a run") {
		t.Errorf("a second run in the same folder: %v", err)
	}
	if err := f.Add(record.Result{Scenario: "ONE", Verdict: record.Pass}); err != nil {
		t.Fatal(err)
	}
	if err := f.Add(record.Result{Scenario: "TWO", Verdict: record.Pass}); err == nil || !strings.Contains(err.Error(), "TWO") {
		t.Errorf("a result beyond the plan: %v", err)
	}
	if _, err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Add(record.Result{Verdict: record.Pass}); err == nil {
		t.Error("a result after Close was taken")
	}
	if _, err := f.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if got := readResults(t, f); len(got) != 1 {
		t.Errorf("%d results, want the one that was accepted", len(got))
	}
	if _, err := Create(f.Path(), Summary{}); err == nil {
		t.Error("a second run in the folder of an ended one")
	}
}

func TestFolderReportsWhatItCannotWrite(t *testing.T) {
	f := newFolder(t, Summary{Planned: 1})
	// A folder in the summary's way: nobody can replace that, root neither.
	path := filepath.Join(f.Path(), SummaryFile+".new")
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := f.Add(record.Result{Verdict: record.Pass}); err == nil {
		t.Error("Add lost the summary and said nothing")
	}
	if _, err := f.Close(); err == nil {
		t.Error("Close lost the summary and said nothing")
	}
	if got := readResults(t, f); len(got) != 1 {
		t.Errorf("%d results, want the one that was written before", len(got))
	}
	if _, err := os.Stat(filepath.Join(f.Path(), IndexFile)); err != nil {
		t.Errorf("the page is missing because of the summary: %v", err)
	}
}

func TestFolderOfADeadProcess(t *testing.T) {
	f := newFolder(t, Summary{Planned: 2})
	timeline := f.Timeline("CUT")
	whole := eventLine(t, record.Event{Seq: 1, US: 10, Source: "display", Kind: "screen", Fields: map[string]string{"text": "欢迎使用"}})
	cut := eventLine(t, record.Event{Seq: 2, US: 20, Source: "keypad", Kind: "press", Fields: map[string]string{"key": "1"}})
	writeFile(t, filepath.Join(f.Path(), timeline), whole+cut[:len(cut)/2])
	if err := f.Add(record.Result{Scenario: "CUT", Verdict: record.Inconclusive, Timeline: timeline}); err != nil {
		t.Fatal(err)
	}
	// No Close: the process died. What it left must be readable.
	s, results := readSummary(t, f), readResults(t, f)
	if s.Complete || s.NotRun != 1 || s.Inconclusive != 1 {
		t.Errorf("summary %+v", s)
	}
	events, err := readTimeline(filepath.Join(f.Path(), timeline))
	if err != nil || len(events) != 1 || events[0].Fields["text"] != "欢迎使用" {
		t.Errorf("events %+v, %v", events, err)
	}
	if len(results) != 1 {
		t.Errorf("%d results", len(results))
	}
	run, err := Open(f.Path())
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Render(nil); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(f.Path(), scenarioDir, "CUT.html"))
	if err != nil || !bytes.Contains(page, []byte("欢迎使用")) || bytes.Contains(page, []byte("can't be read")) {
		t.Errorf("the page of a dead run: %v", err)
	}
}

func eventLine(t *testing.T, e record.Event) string {
	t.Helper()
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + "\n"
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
