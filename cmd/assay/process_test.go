//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/reports"
)

// ownState is the folder that the tests of this package have for themselves while they run.
var ownState string

// together is how many tests wait beside each other: nearly all of their time they wait for processes.
const together = "4"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", together); err != nil {
		panic(err)
	}
	// What tests learn about their rigs is nobody else's.
	dir, err := os.MkdirTemp("", "assay-state-")
	if err != nil {
		panic(err)
	}
	if err := os.Setenv("ASSAY_STATE", dir); err != nil {
		panic(err)
	}
	ownState = dir
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// processLimit bounds one process in these tests.
const processLimit = 2 * time.Minute

// process is assay as a user runs it.
type process struct {
	*exec.Cmd
	out   *bufio.Reader
	other bytes.Buffer
}

// start starts the command as users have it: a race detector makes it several times slower, which is not what its
// times are held against.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	exe := static(t)
	p := &process{Cmd: exec.Command(exe, args...)}
	p.Stderr = &p.other
	pipe, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(pipe)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	limit := time.AfterFunc(processLimit, func() { _ = p.Process.Kill() })
	t.Cleanup(func() { limit.Stop(); _ = p.Process.Kill() })
	return p
}

// ended reads the rest of the output and gives it with the exit code.
func (p *process) ended(t *testing.T) (int, string) {
	t.Helper()
	rest, err := io.ReadAll(p.out)
	if err != nil {
		t.Fatal(err)
	}
	_ = p.Wait() // the exit code says it
	return p.ProcessState.ExitCode(), string(rest) + p.other.String()
}

// line reads one line of output.
func (p *process) line(t *testing.T) string {
	t.Helper()
	s, err := p.out.ReadString('\n')
	if err != nil {
		t.Fatalf("the process ended: %v\n%s", err, p.other.String())
	}
	return s
}

// passed reads until a scenario has passed. On a machine that is busy with other tests it may have passed marginally,
// which takes a line more to tell.
func (p *process) passed(t *testing.T) {
	t.Helper()
	for {
		if line := p.line(t); strings.Contains(line, "✓ pass") || strings.Contains(line, "~ marginal") {
			return
		}
	}
}

func summary(t *testing.T, folder string) reports.Summary {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, reports.SummaryFile))
	if err != nil {
		t.Fatal(err)
	}
	var s reports.Summary
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	if s.Passed+s.Marginal+s.Failed+s.Inconclusive+s.Skipped+s.NotRun != s.Planned {
		t.Errorf("the counts do not add up to the plan: %+v", s)
	}
	return s
}

// results reads every line of results.jsonl, and each result's whole timeline.
func results(t *testing.T, folder string) []record.Result {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, reports.ResultsFile))
	if err != nil {
		t.Fatal(err)
	}
	var all []record.Result
	for line := range strings.Lines(string(data)) {
		var r record.Result
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, r)
		timeline, err := os.ReadFile(filepath.Join(folder, r.Timeline))
		if err != nil {
			t.Fatal(err)
		}
		var last record.Event
		for event := range strings.Lines(string(timeline)) {
			if err := json.Unmarshal([]byte(event), &last); err != nil {
				t.Fatalf("%s: %q: %v", r.Timeline, event, err)
			}
		}
		if last.Kind != "verdict" && last.Kind != "stop" {
			t.Errorf("%s ends with %s, not with a verdict", r.Timeline, last.Kind)
		}
	}
	return all
}

func TestVirtualRunTwentyTimes(t *testing.T) {
	t.Parallel()
	const runs = 20
	var first string
	for n := range runs {
		folder := filepath.Join(t.TempDir(), "run")
		code, out := start(t, "run", "--rig", "virtual", "--filter", "smoke", "--out", folder).ended(t)
		if code != exitPass {
			t.Fatalf("run %d: exit %d\n%s", n, code, out)
		}
		s := summary(t, folder)
		if !s.Complete || s.Passed != s.Planned || s.TerminalSeconds < 60 {
			t.Errorf("run %d: %+v", n, s)
		}
		var verdicts []string
		for _, r := range results(t, folder) { // in the order in which worlds ended
			verdicts = append(verdicts, fmt.Sprintln(r.Scenario, r.Profile, r.Verdict, r.Cause))
		}
		slices.Sort(verdicts)
		all := strings.Join(verdicts, "")
		if first == "" {
			first = all
		}
		if all != first {
			t.Errorf("run %d differs:\n%s\nfirst:\n%s", n, all, first)
		}
	}
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		code int
		last string
	}{
		{"the terminal fails", []string{"--defect", "wrong-prompt-96", "--scenario", "HOST-96,SALE-PLAIN"}, exitFailed, "2 planned: 1 passed, 0 marginal, 1 failed"},
		{"the rig is dead", []string{"--bench-fault", "keypad-dead", "--scenario", "HOST-96,SALE-PLAIN"}, exitInconclusive, "2 planned: 0 passed, 0 marginal, 0 failed, 2 inconclusive"},
		{"all is skipped", []string{"--profile", "handheld", "--scenario", "CID-PHONE"}, exitInconclusive, "1 skipped"},
		{"some is skipped", []string{"--profile", "handheld", "--scenario", "CID-PHONE,SALE-PLAIN"}, exitPass, "1 passed, 0 marginal, 0 failed, 0 inconclusive, 1 skipped"},
		{"then on a second rig", []string{"--scenario", "CID-PHONE", "--then", "virtual"}, exitPass, "0 not run"},
		{"shuffled", []string{"--seed", "7", "--filter", "control"}, exitPass, "0 failed"},
	} {
		folder := filepath.Join(t.TempDir(), "run")
		code, out := start(t, append([]string{"run", "--rig", "virtual", "--out", folder}, c.args...)...).ended(t)
		if code != c.code || !strings.Contains(out, c.last) || !strings.Contains(out, filepath.Join(folder, "index.html")) {
			t.Errorf("%s: exit %d, want %d and %q\n%s", c.name, code, c.code, c.last, out)
		}
		summary(t, folder)
		data, err := os.ReadFile(filepath.Join(folder, reports.JUnitFile))
		if err != nil {
			t.Fatal(err)
		}
		if err := xml.Unmarshal(data, new(struct{})); err != nil {
			t.Errorf("%s: junit.xml: %v", c.name, err)
		}
	}
}

// TestKillLeavesFinishedScenariosReadable kills a run with SIGKILL after its second result.
func TestKillLeavesFinishedScenariosReadable(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "run")
	p := start(t, "run", "--rig", "sim", "--filter", "control", "--out", folder)
	p.passed(t)
	p.passed(t)
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if code, _ := p.ended(t); code != -1 {
		t.Errorf("exit %d, want a kill", code)
	}
	all := results(t, folder)
	if len(all) != 2 || all[0].Verdict != record.Pass && all[0].Verdict != record.Marginal {
		t.Errorf("%d results after two were reported: %+v", len(all), all)
	}
	if s := summary(t, folder); s.Complete || s.Passed+s.Marginal != 2 || s.NotRun != s.Planned-2 {
		t.Errorf("summary after a kill: %+v", s)
	}
}

// TestInterruptMakesTheRigSafeAndReports presses Ctrl-C twice in the middle of a scenario, on real
// pseudo-terminals, and looks at them first: five of them, opened by this process.
func TestInterruptMakesTheRigSafeAndReports(t *testing.T) {
	for _, benches := range []int{1, 3} {
		t.Run(fmt.Sprint(benches), func(t *testing.T) {
			t.Parallel()
			interruptBenches(t, benches)
		})
	}
}

func interruptBenches(t *testing.T, benches int) {
	folder := filepath.Join(t.TempDir(), "run")
	p := start(t, "run", "--rig", "sim", "--benches", fmt.Sprint(benches), "--filter", "control", "--out", folder)
	p.line(t)
	if got, counted := pseudoTerminals(t, p.Process.Pid); counted && benches == 1 && got != 5 {
		t.Errorf("%d pseudo-terminals are open, want 5: keypad, card, display, power, printer", got)
	}
	for range 2 {
		if err := p.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
	}
	begun := time.Now()
	code, out := p.ended(t)
	if code != exitInconclusive {
		t.Errorf("exit %d, want 3\n%s", code, out)
	}
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("it took %v to end", took)
	}
	s := summary(t, folder)
	if !s.Complete || s.NotRun == 0 || s.Failed != 0 {
		t.Errorf("summary after an interrupt: %+v", s)
	}
	page, err := os.ReadFile(filepath.Join(folder, reports.IndexFile))
	if err != nil || !bytes.Contains(page, []byte("</html>")) {
		t.Errorf("the report was not written: %v", err)
	}
	interrupted := 0
	for _, r := range results(t, folder) {
		if r.Verdict == record.Pass || r.Verdict == record.Marginal {
			continue // it had come to its end by then
		}
		interrupted++
		timeline, err := os.ReadFile(filepath.Join(folder, r.Timeline))
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != record.Inconclusive || r.Cause != record.Harness || !bytes.Contains(timeline, []byte("halt the keypad")) {
			t.Errorf("%s: %s (%s), and the keypad was made safe: %v", r.Scenario, r.Verdict, r.Cause, bytes.Contains(timeline, []byte("halt the keypad")))
		}
	}
	if interrupted > benches || interrupted == 0 && benches > 1 { // one alone may be between two scenarios
		t.Errorf("%d scenarios were interrupted on %d benches", interrupted, benches)
	}
}

// pseudoTerminals counts the different pseudo-terminals that a process holds open by their slave ends. Only
// Linux tells; elsewhere the rest of the test must not be lost for that.
func pseudoTerminals(t *testing.T, pid int) (n int, counted bool) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		if runtime.GOOS == "linux" {
			t.Error(err)
		}
		return 0, false
	}
	names := map[string]bool{}
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil && strings.HasPrefix(to, "/dev/pts/") && to != "/dev/pts/ptmx" {
			names[to] = true
		}
	}
	return len(names), true
}
