package history

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/reports"
)

var firstNight = time.Date(2026, 10, 1, 22, 0, 0, 0, time.UTC)

// night writes a run folder, as if it had been begun then.
func night(t *testing.T, root string, n int, rig, firmware string, verdict func(scenario string) record.Verdict) string {
	t.Helper()
	dir := filepath.Join(root, fmt.Sprintf("%02d-%s", n, rig))
	start := reports.Start{Summary: reports.Summary{Rig: rig}}
	for i := range 6 {
		id := fmt.Sprintf("S-%d", i)
		start.Plan.Items = append(start.Plan.Items, reports.Item{Name: id, Scenario: id, Profile: "p", Lang: "zh", Digest: "d"})
	}
	f, err := reports.Begin(dir, start)
	if err != nil {
		t.Fatal(err)
	}
	begun := firstNight.AddDate(0, 0, n)
	for i, item := range start.Plan.Items {
		r := record.Result{Name: item.Name, Scenario: item.Scenario, Profile: "p", Lang: "zh", Rig: rig, Firmware: firmware, Verdict: verdict(item.Scenario), Started: begun.Add(time.Duration(i) * time.Minute)}
		if r.Verdict == record.Fail {
			r.Cause, r.Why = record.Terminal, "it failed"
		}
		if r.Verdict == record.Inconclusive {
			r.Cause = record.Rig
		}
		if err := f.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Close(); err != nil {
		t.Fatal(err)
	}
	backdate(t, dir, begun)
	return dir
}

// backdate writes a summary's beginning anew.
func backdate(t *testing.T, dir string, begun time.Time) {
	t.Helper()
	path := filepath.Join(dir, reports.SummaryFile)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	run, err := reports.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	old := run.Summary.Started.Format(time.RFC3339Nano)
	if !strings.Contains(string(b), old) {
		t.Fatalf("no %s in %s", old, b)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(b), old, begun.Format(time.RFC3339Nano), 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// thirtyNights are three rigs and four firmwares: S-1 fails from 4.2.0 on, on every rig; S-3 fails on rig-c alone, which also spoils S-5.
func thirtyNights(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for n := range 30 {
		rig := []string{"rig-a", "rig-b", "rig-c"}[n%3]
		firmware := []string{"4.0.0", "4.1.0", "4.2.0", "4.3.0"}[n/8]
		night(t, root, n, rig, firmware, func(id string) record.Verdict {
			switch {
			case id == "S-1" && firmware >= "4.2.0":
				return record.Fail
			case id == "S-3" && rig == "rig-c" && n > 10:
				return record.Fail
			case id == "S-5" && rig == "rig-c":
				return record.Inconclusive
			}
			return record.Pass
		})
	}
	return root
}

func indexed(t *testing.T, root string) *Index {
	t.Helper()
	x, err := Open(filepath.Join(root, DefaultName))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	if c, err := x.Update(context.Background(), root); err != nil || len(c.Unread) > 0 {
		t.Fatalf("%+v, %v", c, err)
	}
	return x
}

func TestThirtyNights(t *testing.T) {
	x := indexed(t, thirtyNights(t))
	trend, err := x.Trend(context.Background(), Selection{})
	if err != nil {
		t.Fatal(err)
	}
	if len(trend.Nights) != 30 || len(trend.Firmware) != 4 || len(trend.Scenarios) != 2 || len(trend.Rigs) != 3 {
		t.Fatalf("%d nights, %d firmwares, %+v, %d rigs", len(trend.Nights), len(trend.Firmware), trend.Scenarios, len(trend.Rigs))
	}
	firmware := trend.Scenarios[slices.IndexFunc(trend.Scenarios, func(s ScenarioTrend) bool { return s.Scenario == "S-1" })]
	if firmware.Blame != record.Terminal || firmware.FirstFailing != "4.2.0" || firmware.LastGood != "4.1.0" || len(firmware.Rigs) != 3 || !firmware.Since.Equal(firstNight.AddDate(0, 0, 16).Add(time.Minute)) {
		t.Errorf("the firmware's: %+v", firmware)
	}
	rig := trend.Scenarios[slices.IndexFunc(trend.Scenarios, func(s ScenarioTrend) bool { return s.Scenario == "S-3" })]
	if rig.Blame != record.Rig || !slices.Equal(rig.Rigs, []string{"rig-c"}) || !slices.Equal(rig.Others, []string{"rig-a", "rig-b"}) || !strings.Contains(rig.Words, "look at the rig") {
		t.Errorf("the rig's: %+v", rig)
	}
	for _, r := range trend.Rigs {
		if want := r.Rig == "rig-c"; (r.Blame == record.Rig) != want {
			t.Errorf("%s: %+v", r.Rig, r)
		}
	}
	one, err := x.Trend(context.Background(), Selection{Scenario: "S-1", Rig: "rig-a", Since: firstNight.AddDate(0, 0, 20)})
	if err != nil || len(one.Scenarios) != 1 || len(one.Nights) >= 10 {
		t.Errorf("a selection: %+v, %v", one, err)
	}
}

func TestTheIndexFollowsTheFolders(t *testing.T) {
	root := t.TempDir()
	pass := func(string) record.Verdict { return record.Pass }
	night(t, root, 1, "r", "1", pass)
	gone := night(t, root, 2, "r", "1", pass)
	x := indexed(t, root)
	if err := os.RemoveAll(gone); err != nil {
		t.Fatal(err)
	}
	night(t, root, 3, "r", "1", pass)
	if err := os.MkdirAll(filepath.Join(root, "broken"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{reports.ResultsFile: "no json\nat all\n", reports.SummaryFile: "{}"} {
		if err := os.WriteFile(filepath.Join(root, "broken", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c, err := x.Update(context.Background(), root)
	if err != nil || c.Added != 1 || c.Unchanged != 1 || c.Gone != 1 || len(c.Unread) != 1 {
		t.Errorf("%+v, %v", c, err)
	}
	trend, err := x.Trend(context.Background(), Selection{})
	if err != nil || len(trend.Nights) != 2 {
		t.Errorf("%d nights, %v", len(trend.Nights), err)
	}
	// A file that is no index is refused, and one of another version is made anew.
	other := filepath.Join(t.TempDir(), "x.db")
	if err := os.WriteFile(other, []byte(strings.Repeat("no database ", 100)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(other); err == nil {
		t.Error("a file of something else was taken for an index")
	}
	if _, err := x.db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	again, err := Open(x.path)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if trend, err := again.Trend(context.Background(), Selection{}); err != nil || len(trend.Nights) != 0 {
		t.Errorf("an index of another version: %+v, %v", trend, err)
	}
}

func TestPastOfAScenario(t *testing.T) {
	x := indexed(t, thirtyNights(t))
	past, err := x.Of(record.Result{Scenario: "S-1", Profile: "p", Lang: "zh"}, firstNight.AddDate(0, 0, 18), 5)
	if err != nil || len(past) != 5 || past[0].Verdict != record.Fail || past[4].Verdict != record.Pass || !past[0].Started.After(past[1].Started) {
		t.Errorf("%+v, %v", past, err)
	}
	if past, err := x.Of(record.Result{Scenario: "S-1", Profile: "q", Lang: "zh"}, firstNight.AddDate(1, 0, 0), 5); err != nil || len(past) != 0 {
		t.Errorf("of another profile: %+v, %v", past, err)
	}
}

func TestCompare(t *testing.T) {
	run := func(verdicts map[string]record.Verdict, us int64) *reports.Run {
		r := &reports.Run{}
		for _, id := range []string{"A", "B", "C", "D", "E", "F"} {
			if v, ok := verdicts[id]; ok {
				r.Plan.Items = append(r.Plan.Items, reports.Item{Name: id, Scenario: id})
				r.Results = append(r.Results, record.Result{Name: id, Scenario: id, Verdict: v, Checks: []record.Check{{Phase: "act", What: "prompt", Expected: "x", Budget: "local", MeasuredUS: us, LimitUS: 1_000_000, UncertaintyUS: 20_000}}})
			}
		}
		return r
	}
	a := run(map[string]record.Verdict{"A": "pass", "B": "fail", "C": "fail", "D": "pass", "E": "inconclusive"}, 300_000)
	b := run(map[string]record.Verdict{"A": "fail", "B": "marginal", "C": "fail", "D": "pass", "F": "pass"}, 420_000)
	d := Compare(a, b)
	names := func(changes []Change) (s string) {
		for _, c := range changes {
			s += c.Name
		}
		return s
	}
	if got := strings.Join([]string{names(d.Regressed), names(d.Fixed), names(d.StillFailing), names(d.New), names(d.Removed), fmt.Sprint(d.Unchanged)}, "|"); got != "A|B|C|F|E|1" {
		t.Errorf("regressed|fixed|still|new|removed|unchanged are %s", got)
	}
	if len(d.Shifts) != 1 || d.Shifts[0].Name != "D" || d.Shifts[0].After-d.Shifts[0].Before != 120_000 || d.Shifts[0].Uncertainty != 40_000 {
		t.Errorf("shifts %+v", d.Shifts)
	}
	if d := Compare(b, b); len(d.Regressed)+len(d.Fixed)+len(d.New)+len(d.Removed)+len(d.Shifts) != 0 {
		t.Errorf("a run differs from itself: %+v", d)
	}
	small := Compare(a, run(map[string]record.Verdict{"A": "pass", "B": "fail", "C": "fail", "D": "pass", "E": "inconclusive"}, 310_000))
	if len(small.Shifts) != 0 {
		t.Errorf("a shift within the uncertainty is told: %+v", small.Shifts)
	}
}

func TestPruneKeepsTheLastGood(t *testing.T) {
	root := thirtyNights(t)
	now := firstNight.AddDate(0, 0, 40)
	dry, err := Prune(context.Background(), root, Keep{OlderThan: 5 * 24 * time.Hour, Now: now}, true)
	if err != nil {
		t.Fatal(err)
	}
	if found, _ := reports.Find(root); len(found) != 30 {
		t.Fatalf("a dry run left %d folders", len(found))
	}
	all, err := Prune(context.Background(), root, Keep{OlderThan: 5 * 24 * time.Hour, Now: now}, false)
	if err != nil || len(all) != len(dry) {
		t.Fatal(all, err)
	}
	left, err := reports.Find(root)
	if err != nil {
		t.Fatal(err)
	}
	// All are older than five days. The newest has passes; S-1 passed last in night 15, S-3 and S-5 in nights 28 or 29.
	var names []string
	for _, dir := range left {
		names = append(names, filepath.Base(dir)[:2])
	}
	if got := strings.Join(names, " "); got != "15 28 29" {
		t.Errorf("left are nights %s", got)
	}
	if kept, err := Prune(context.Background(), root, Keep{Count: 3, Now: now}, false); err != nil || slices.ContainsFunc(kept, func(p Pruned) bool { return p.Gone }) {
		t.Errorf("%+v, %v", kept, err)
	}
}
