//go:build unix

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/reports"
	"github.com/assay-hil/assay/suites/nightly"
)

// planFile writes a plan and gives its path.
func planFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "night.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func nightSummary(t *testing.T, folder string) nightly.Summary {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, reports.SummaryFile))
	if err != nil {
		t.Fatal(err)
	}
	var s nightly.Summary
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// verdicts gives a rig's verdicts in order, in a word each. On a machine that is busy with other tests what passed
// may be marginal.
func verdicts(r nightly.RigSummary) string {
	var words []string
	for _, o := range r.Outcomes {
		words = append(words, strings.Replace(string(o.Verdict), string(record.Marginal), string(record.Pass), 1))
	}
	return strings.Join(words, " ")
}

// TestNightOverEightRigs carries out a plan over seven simulated benches and one that stands in for a
// lab, and ends that one's process in its third scenario.
func TestNightOverEightRigs(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "bench")
	bench := start(t, "bench", "--dir", dir)
	bench.line(t)
	path := planFile(t, `name: eight
rigs:
  - {rig: sim, name: sim-1}
  - {rig: sim, name: sim-2}
  - {rig: sim, name: sim-3}
  - {rig: sim, name: sim-4}
  - {rig: sim, name: sim-5}
  - {rig: sim, name: sim-6}
  - {rig: sim, name: sim-7}
  - {rig: `+dir+`/rig.yaml, name: lab}
profiles: [countertop]
scenarios: [SALE-PLAIN, SALE-STRIPE, CID-EMPTY, CID-PHONE, HOST-96]
`)
	folder := filepath.Join(t.TempDir(), "night")
	begun := time.Now()
	night := start(t, "run", "--plan", path, "--out", folder)
	third := filepath.Join(folder, "rigs", "lab", "001", "timeline", "CID-EMPTY.jsonl")
	await(t, "the lab's third scenario", func() bool { _, err := os.Stat(third); return err == nil })
	if err := bench.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	code, out := night.ended(t)
	took := time.Since(begun).Seconds()
	if code != exitInconclusive {
		t.Errorf("exit %d, want %d\n%s", code, exitInconclusive, out)
	}
	s := nightSummary(t, folder)
	var sum, slowest float64
	for _, r := range s.Rigs {
		want := "pass pass pass pass pass"
		if r.Name == "lab" {
			want = "pass pass inconclusive not-run not-run"
			if o := r.Outcomes; o[2].Cause != record.Rig || r.GaveUp == "" || o[3].Why != r.GaveUp {
				t.Errorf("the lab: %+v", r)
			}
		}
		if got := verdicts(r); got != want {
			t.Errorf("%s: %s, want %s\n%s", r.Name, got, want, out)
		}
		sum, slowest = sum+r.Seconds, max(slowest, r.Seconds)
	}
	if took > sum/2 {
		t.Errorf("it took %.0f s; the slowest rig took %.0f s, all together %.0f s", took, slowest, sum)
	}
	if !strings.Contains(out, "the rest is not run: the rig is down") {
		t.Errorf("the output does not say what became of the lab:\n%s", out)
	}
}

// await waits for a condition of another process.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	limit := time.NewTimer(processLimit)
	defer limit.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-limit.C:
			t.Fatalf("%s did not come within %v", what, processLimit)
		case <-look.C:
		}
	}
}

const twoRigs = `name: two
rigs: [{rig: sim, name: a}, {rig: sim, name: b}]
profiles: [countertop]
scenarios: [SALE-PLAIN, SALE-STRIPE, CID-EMPTY, CID-PHONE]
`

// TestNightResumesAfterAKill kills a night with SIGKILL. Its processes notice, make their rigs safe and
// end; then the night goes on where it was.
func TestNightResumesAfterAKill(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "night")
	night := start(t, "run", "--plan", planFile(t, twoRigs), "--out", folder)
	for range 3 { // at least one result of each is there, and not all
		night.passed(t)
	}
	if err := night.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = night.Wait() // killed
	if s := nightSummary(t, folder); s.Complete || s.Passed+s.Marginal < 3 {
		t.Errorf("after the kill: %+v", s.Counts)
	}
	code, out := start(t, "run", "--resume", folder).ended(t)
	if code != exitPass {
		t.Fatalf("exit %d\n%s", code, out)
	}
	s := nightSummary(t, folder)
	if !s.Complete || s.Passed+s.Marginal != 8 || s.Retried != 0 {
		t.Errorf("%+v", s.Counts)
	}
	for _, r := range s.Rigs {
		first := filepath.Join(folder, "rigs", r.Name, "001")
		if left := summary(t, first); !left.Complete || left.NotRun == 0 {
			t.Errorf("%s: its process did not end by itself: %+v", r.Name, left)
		}
		for _, o := range r.Outcomes {
			whole := 0
			for _, a := range o.Attempts {
				if !a.Interrupted {
					whole++
				}
			}
			if whole != 1 {
				t.Errorf("%s %s was run %d times to its end: %+v", r.Name, o.Scenario, whole, o.Attempts)
			}
		}
	}
}

// TestNightIsInterruptedAndResumed presses Ctrl-C.
func TestNightIsInterruptedAndResumed(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "night")
	night := start(t, "run", "--plan", planFile(t, twoRigs), "--out", folder)
	night.line(t)
	if err := night.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	code, out := night.ended(t)
	if code != exitInconclusive || !strings.Contains(out, "assay run --resume "+folder) {
		t.Errorf("exit %d\n%s", code, out)
	}
	if s := nightSummary(t, folder); !s.Complete || s.Failed+s.Inconclusive > 0 || s.NotRun < 4 {
		t.Errorf("%+v", s.Counts)
	}
	code, out = start(t, "run", "--resume", folder).ended(t)
	if s := nightSummary(t, folder); code != exitPass || s.Passed+s.Marginal != 8 {
		t.Errorf("exit %d, %+v\n%s", code, s.Counts, out)
	}
}

func TestNightExitCodes(t *testing.T) {
	for _, c := range []struct {
		name, further string
		code          int
		want          string
	}{
		{"all is well", "scenarios: [SALE-PLAIN, HOST-96]\nrepeats: 2", exitPass, "The terminal passed.\n8 planned: 8 passed"},
		{"the terminal fails, each time", "scenarios: [SALE-PLAIN, HOST-96]\nretry: {attempts: 2, on: [fail]}", exitPass, "0 retried"},
		{"nothing can run", "scenarios: [CID-PHONE]\nprofiles: [handheld]", exitInconclusive, "Nothing was run."},
	} {
		folder := filepath.Join(t.TempDir(), "night")
		path := planFile(t, "name: n\nrigs: [{rig: virtual, name: a}, {rig: virtual, name: b}]\n"+c.further+"\n")
		code, out := start(t, "run", "--plan", path, "--out", folder).ended(t)
		if code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%s: exit %d, want %d and %q\n%s", c.name, code, c.code, c.want, out)
		}
	}
}

func TestNightOfADefectIsRedWithBothAttempts(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "night")
	path := planFile(t, `name: red
rigs: [{rig: virtual, defects: [wrong-prompt-96]}]
scenarios: [SALE-PLAIN, HOST-96]
retry: {attempts: 2, on: [fail]}
`)
	code, out := start(t, "run", "--plan", path, "--out", folder).ended(t)
	s := nightSummary(t, folder)
	if code != exitFailed || s.Failed != 1 || s.Passed != 1 || len(s.Rigs[0].Outcomes[1].Attempts) != 2 {
		t.Errorf("exit %d, %+v\n%s", code, s, out)
	}
	if !strings.Contains(out, "attempt 2") {
		t.Errorf("the second attempt is not shown:\n%s", out)
	}
}

func TestUntil(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "run")
	code, out := start(t, "run", "--rig", "virtual", "--until", "2000-01-01T00:00:00Z", "--scenario", "SALE-PLAIN", "--out", folder).ended(t)
	if s := summary(t, folder); code != exitInconclusive || s.NotRun != 1 {
		t.Errorf("exit %d, %+v\n%s", code, s, out)
	}
	now := time.Date(2026, 12, 24, 23, 30, 0, 0, time.UTC)
	for word, want := range map[string]string{"23:45": "2026-12-24T23:45:00Z", "06:00": "2026-12-25T06:00:00Z", "23:30": "2026-12-25T23:30:00Z"} {
		if at, err := (nightFlags{until: word}).untilTime(now); err != nil || at.Format(time.RFC3339) != want {
			t.Errorf("%s: %v, %v; want %s", word, at, err, want)
		}
	}
}

func TestBadNightsAreExit2WithTheRemedy(t *testing.T) {
	path := planFile(t, twoRigs)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--plan", path, "--rig", "sim"}, "--rig does not go with --plan"},
		{[]string{"--plan", filepath.Join(t.TempDir(), "no.yaml")}, "no such file"},
		{[]string{"--plan", planFile(t, twoRigs+"lables: smoke\n")}, `night.yaml:5:1: unknown key "lables"; did you mean "labels"?`},
		{[]string{"--plan", planFile(t, twoRigs+"labels: nosuchlabel\n")}, "nothing is selected"},
		{[]string{"--resume", t.TempDir()}, "holds no night"},
		{[]string{"--resume", t.TempDir(), "--plan", path}, "leave --plan out"},
		{[]string{"--until", "6"}, "--until"},
		{[]string{"--rig", "virtual", "--lifeline", "99"}, "--lifeline 99"},
	} {
		code, _, stderr := assay(t, append([]string{"run"}, c.args...)...)
		if code != exitUsage || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: exit %d, %q; want exit 2 and %q", c.args, code, stderr, c.want)
		}
	}
}
