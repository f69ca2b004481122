package reports

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-hil/assay/harness/record"
)

const (
	killEnv   = "ASSAY_TEST_WRITE_RUN" // the folder that a child writes
	killItems = 40
	kills     = 50
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(killEnv); dir != "" {
		if err := writeRun(dir); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if dir := os.Getenv(renderEnv); dir != "" {
		if err := renderAll(dir); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// writeRun writes a run as the harness does, and tells each step when it is done.
func writeRun(dir string) error {
	start := Start{Summary: Summary{Rig: "virtual"}}
	for i := range killItems {
		name := fmt.Sprintf("S-%02d", i)
		start.Plan.Items = append(start.Plan.Items, Item{Name: name, Scenario: name})
	}
	f, err := Begin(dir, start)
	if err != nil {
		return err
	}
	fmt.Println("begun")
	for _, item := range start.Plan.Items {
		if err := f.Start(item.Name); err != nil {
			return err
		}
		fmt.Println("start", item.Name)
		path := f.Timeline(item.Name)
		timeline, err := os.Create(filepath.Join(dir, path))
		if err != nil {
			return err
		}
		for n := range 5 {
			fmt.Fprintf(timeline, `{"seq":%d,"us":%d,"source":"harness","kind":"%s"}`+"\n", n, n, map[bool]string{true: "verdict", false: "step"}[n == 4])
			fmt.Println("event")
		}
		if err := timeline.Close(); err != nil {
			return err
		}
		e, err := f.Keep(record.Receipt, "receipt 1.txt", []byte(strings.Repeat(item.Name, 2000)))
		if err != nil {
			return err
		}
		fmt.Println("kept")
		if err := f.Add(record.Result{Name: item.Name, Scenario: item.Name, Verdict: record.Pass, Timeline: path, Evidence: []record.Evidence{e}}); err != nil {
			return err
		}
		fmt.Println("added", item.Name)
	}
	return nil // without Close: whatever comes next is the killer's
}

// TestKillAtAnyMoment kills a process that writes a run, with SIGKILL, at 50 random moments.
func TestKillAtAnyMoment(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	during := 0
	for n := range kills {
		dir := filepath.Join(t.TempDir(), "run")
		added, last := killed(t, dir, 1+random.IntN(killItems*8))
		run, err := Open(dir)
		if err != nil {
			t.Fatalf("kill %d: %v", n, err)
		}
		s := run.Summary
		if s.Complete || s.Passed < len(added) || s.Passed > len(added)+1 || s.Passed+s.NotRun != s.Planned || s.Planned != killItems {
			t.Errorf("kill %d: %d results were told of: %+v", n, len(added), s)
		}
		if run.During != "" {
			during++
		}
		if strings.HasPrefix(last, "start ") && run.During == "" && s.Passed == len(added) {
			t.Errorf("kill %d: it was in %s, and the folder does not say so", n, last)
		}
		for _, r := range run.Results {
			checkWhole(t, dir, r)
		}
		if n%10 == 0 {
			if err := run.Render(nil); err != nil {
				t.Errorf("kill %d: %v", n, err)
			}
		}
	}
	if during == 0 {
		t.Error("no folder says in which scenario its process died")
	}
}

// killed starts a child, kills it after so many lines, and gives the scenarios that it had told to be recorded.
func killed(t *testing.T, dir string, after int) (added []string, last string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		last = lines.Text()
		if name, ok := strings.CutPrefix(last, "added "); ok {
			added = append(added, name)
		}
		if strings.HasPrefix(last, "error") {
			t.Fatal(last)
		}
		if after--; after == 0 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // it was killed
	return added, last
}

// checkWhole holds a result against what it refers to.
func checkWhole(t *testing.T, dir string, r record.Result) {
	t.Helper()
	events, err := readTimeline(filepath.Join(dir, r.Timeline))
	if err != nil || len(events) != 5 || events[4].Kind != "verdict" {
		t.Errorf("%s: %d events, %v", r.Name, len(events), err)
	}
	for _, e := range r.Evidence {
		b, err := os.ReadFile(filepath.Join(dir, BlobPath(e.SHA256)))
		if sum := sha256.Sum256(b); err != nil || hex.EncodeToString(sum[:]) != e.SHA256 {
			t.Errorf("%s: %s is not what its digest says, %v", r.Name, e.Name, err)
		}
	}
}
