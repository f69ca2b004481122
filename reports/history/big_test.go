package history

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/reports"
)

// indexSeconds is what indexing ten thousand results may take of the processor: a part of the ten seconds that they have with their
// pages (TestBigRun in package reports).
const indexSeconds = 5.0

// TestBigIndex indexes ten thousand results.
func TestBigIndex(t *testing.T) {
	const n = 10_000
	root := t.TempDir()
	dir := filepath.Join(root, "run")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	encode := json.NewEncoder(&lines)
	for i := range n {
		id := fmt.Sprintf("S-%05d", i)
		r := record.Result{Name: id, Scenario: id, Profile: "p", Lang: "zh", Rig: "r", Verdict: record.Pass, Started: firstNight, Firmware: "4.1.0", Timeline: "timeline/" + id + ".jsonl",
			Evidence: []record.Evidence{{Kind: record.Journal, Name: "journal.jsonl", SHA256: strings.Repeat("a", 64)}}}
		for k := range 12 {
			r.Checks = append(r.Checks, record.Check{Phase: "act", What: "prompt", Expected: "prompt approved within host-reply", Observed: "it", Verdict: record.Pass, Budget: []string{"", "host-reply"}[k%2], LimitUS: 2e6})
		}
		if err := encode.Encode(r); err != nil {
			t.Fatal(err)
		}
	}
	summary, err := json.Marshal(reports.Summary{Format: reports.Format, Planned: n, Rig: "r", Started: firstNight, Complete: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{reports.ResultsFile: lines.Bytes(), reports.SummaryFile: summary} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	before := used(t)
	x, err := Open(filepath.Join(root, DefaultName))
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if c, err := x.Update(context.Background(), root); err != nil || c.Added != 1 {
		t.Fatalf("%+v, %v", c, err)
	}
	took := (used(t) - before).Seconds()
	t.Logf("%d results indexed in %.2f s of the processor, %.2f of what it may take", n, took, took/indexSeconds)
	if took > indexSeconds && !underRace {
		t.Errorf("it may take %.0f s", indexSeconds)
	}
	if past, err := x.Of(record.Result{Scenario: "S-09999", Profile: "p", Lang: "zh", Rig: "r"}, firstNight.Add(time.Hour), 3); err != nil || len(past) != 1 {
		t.Errorf("%+v, %v", past, err)
	}
}

// used is what this process has used of the processor.
func used(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
