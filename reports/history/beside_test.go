package history

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/reports"
)

// failingFrom are nights on which S-1 fails from one on.
func failingFrom(t *testing.T, root string, from, nights int) (last string) {
	t.Helper()
	for n := range nights {
		last = night(t, root, n, "r", []string{"4.0.0", "4.1.0"}[min(n/from, 1)], func(id string) record.Verdict {
			if id == "S-1" && n >= from {
				return record.Fail
			}
			return record.Pass
		})
	}
	return last
}

// TestBesideKnowsWithoutAnIndex: nobody has indexed anything, and a run knows since when it fails. With an index there, it is brought up
// to date; a broken one is no reason not to know.
func TestBesideKnowsWithoutAnIndex(t *testing.T) {
	root := t.TempDir()
	last := failingFrom(t, root, 4, 7)
	run, err := reports.Open(last)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(name string) {
		t.Helper()
		b := NewBeside(last)
		defer b.Close()
		failing := run.Results[1]
		past, err := b.Of(failing, run.Summary.Started, 20)
		if err != nil || len(past) != 6 || past[0].Verdict != record.Fail || past[2].Verdict != record.Pass || past[1].Dir != filepath.Join(root, "04-r") {
			t.Errorf("%s: %+v, %v", name, past, err)
		}
		if d, err := past[0].Detail(); err != nil || len(d.Checks) != 0 {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
		words, err := run.Since(b, failing)
		if err != nil || !strings.Contains(words, "since when: 2026-10-05") || !strings.Contains(words, "3 times in a row; last good 2026-10-04") {
			t.Errorf("%s: %q, %v", name, words, err)
		}
	}
	ask("folders")
	if _, err := os.Stat(filepath.Join(root, DefaultName)); err == nil {
		t.Error("an index was made that nobody asked for")
	}
	x, err := Open(filepath.Join(root, DefaultName))
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	ask("an empty index")
	if err := os.WriteFile(filepath.Join(root, DefaultName), []byte(strings.Repeat("no database ", 100)), 0o644); err != nil {
		t.Fatal(err)
	}
	ask("a broken index")
}

// TestBesideOfANight: the runs of a night are in folders of it, and their past lies beside the night.
func TestBesideOfANight(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"one", "two"} {
		if err := os.MkdirAll(filepath.Join(root, name, "rigs"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name, nightFile), []byte("{}"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	pass := func(string) record.Verdict { return record.Pass }
	night(t, filepath.Join(root, "one", "rigs", "r"), 1, "r", "1", pass)
	own := night(t, filepath.Join(root, "two", "rigs", "r"), 2, "r", "1", pass)
	b := NewBeside(own)
	defer b.Close()
	past, err := b.Of(record.Result{Scenario: "S-1", Profile: "p", Lang: "zh", Rig: "r"}, firstNight.AddDate(0, 0, 2), 5)
	if err != nil || len(past) != 1 || !strings.Contains(past[0].Dir, "one") {
		t.Errorf("%+v, %v", past, err)
	}
}

// TestBesideLeavesOut what was planted, what came later, what can't be read, and other rungs where its own has a past.
func TestBesideLeavesOut(t *testing.T) {
	root := t.TempDir()
	pass := func(string) record.Verdict { return record.Pass }
	night(t, root, 1, "virtual", "1", pass)
	night(t, root, 2, "r", "1", pass)
	planted := night(t, root, 3, "r", "1", pass)
	summary, err := os.ReadFile(filepath.Join(planted, reports.SummaryFile))
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{
		filepath.Join(planted, reports.SummaryFile):      strings.Replace(string(summary), `"rig":`, `"defects": ["x"], "rig":`, 1),
		filepath.Join(root, "x", reports.SummaryFile):    "no json",
		filepath.Join(root, "x", reports.ResultsFile):    "",
		filepath.Join(root, "other", "readme.txt"):       "no run",
		filepath.Join(root, "a file beside the folders"): "",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	night(t, root, 9, "r", "1", pass)
	of := func(rig string) (nights string) {
		b := NewBeside(filepath.Join(root, "own"))
		defer b.Close()
		past, err := b.Of(record.Result{Scenario: "S-1", Profile: "p", Lang: "zh", Rig: rig}, firstNight.AddDate(0, 0, 5), 5)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range past {
			nights += filepath.Base(e.Dir) + " "
		}
		return nights
	}
	if got := of("lab-2"); got != "02-r " {
		t.Errorf("a lab's past is %s", got)
	}
	if got := of("virtual"); got != "01-virtual " {
		t.Errorf("virtual's past is %s", got)
	}
	if got := of("sim"); got != "02-r 01-virtual " {
		t.Errorf("of a rung without a past of its own: %s", got)
	}
}
