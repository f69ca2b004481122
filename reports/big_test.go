package reports

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"syscall"
	"testing"
	"time"

	"github.com/assay-hil/assay/harness/record"
)

// What ten thousand results may take: seconds of the processor for pages and index together, resident memory, the run's page.
const (
	bigSeconds = 10.0
	bigMemory  = 500e6
	bigPage    = 5e6
)

// TestBigRun is the measure that the pages are held to. ASSAY_BIG=FOLDER makes it 10,000 results with timelines and evidence, keeps the
// folder, and holds it against the whole goal; else a tenth of that, in which only sizes fail the test: other tests run meanwhile.
func TestBigRun(t *testing.T) {
	keep := os.Getenv(bigEnv)
	n, dir := 1000, filepath.Join(t.TempDir(), "run")
	if keep != "" {
		n, dir = 10_000, keep
	}
	bigRun(t, dir, n)
	cpu, memory := render(t, dir)
	index, err := os.Stat(filepath.Join(dir, IndexFile))
	if err != nil {
		t.Fatal(err)
	}
	part := float64(n) / 10_000
	for _, m := range []struct {
		what       string
		got, limit float64
		always     bool
	}{
		{"s of the processor", cpu, bigSeconds * part, false},
		{"MB resident at most", memory / 1e6, bigMemory / 1e6, true},
		{"MB of the run's page", float64(index.Size()) / 1e6, bigPage / 1e6 * part, true},
	} {
		t.Logf("%d results: %.2f %s, %.2f of what they may take", n, m.got, m.what, m.got/m.limit)
		if m.got > m.limit && (m.always || keep != "") {
			t.Errorf("%.2f %s are more than %.2f", m.got, m.what, m.limit)
		}
	}
	pages, err := filepath.Glob(filepath.Join(dir, scenarioDir, "*.html"))
	if err != nil || len(pages) != n {
		t.Errorf("%d pages for %d results, %v", len(pages), n, err)
	}
}

const (
	bigEnv    = "ASSAY_BIG"
	renderEnv = "ASSAY_TEST_RENDER" // the folder that a child renders
)

// render renders a folder in a process of its own, and gives what that took: seconds of the processor, and its peak of resident
// memory in bytes.
func render(t *testing.T, dir string) (cpu, memory float64) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), renderEnv+"="+dir)
	begun := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		t.Skip("this system does not say what a process used")
	}
	unit := 1024.0 // of Maxrss; macOS counts bytes
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	cpu = cmd.ProcessState.UserTime().Seconds() + cmd.ProcessState.SystemTime().Seconds()
	t.Logf("%.2f s by the clock: user %.2f s, system %.2f s", time.Since(begun).Seconds(), cmd.ProcessState.UserTime().Seconds(), cmd.ProcessState.SystemTime().Seconds())
	return cpu, float64(usage.Maxrss) * unit
}

// renderAll is what the child does.
func renderAll(dir string) error {
	if path := os.Getenv("ASSAY_TEST_PROFILE"); path != "" {
		file, err := os.Create(path)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	run, err := Open(dir)
	if err != nil {
		return err
	}
	return run.Render(nil)
}

// bigRun writes a run folder of n results, each with a timeline of two hundred events, receipts, screens and
// a journal, faster than a Folder that has each on the disk before the next.
func bigRun(tb testing.TB, dir string, n int) {
	tb.Helper()
	for _, d := range []string{timelineDir, evidenceDir} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	f := &Folder{path: dir}
	run := &Run{Dir: dir, Plan: Plan{Format: Format, Guide: map[string]Text{}}, Summary: Summary{Format: Format, Planned: n, NotRun: n, Rig: "virtual", Profile: "countertop,handheld", Lang: "zh", Version: "assay test",
		Started: time.Date(2026, 11, 1, 2, 3, 4, 0, time.UTC), WallSeconds: 3600, Complete: true}}
	var results bytes.Buffer
	for i := range n {
		r := bigResult(i)
		r.Timeline = filepath.Join(timelineDir, r.Name+".jsonl")
		if err := os.WriteFile(filepath.Join(dir, r.Timeline), bigTimeline(i), 0o644); err != nil {
			tb.Fatal(err)
		}
		r.Evidence = bigEvidence(tb, f, i)
		line, err := json.Marshal(r)
		if err != nil {
			tb.Fatal(err)
		}
		results.Write(append(line, '\n'))
		run.Summary.add([]record.Result{r})
		run.Plan.Items = append(run.Plan.Items, Item{Name: r.Name, Scenario: r.Scenario, Title: Text{r.TitleEN, r.TitleZH}, Profile: r.Profile, Lang: r.Lang, Family: r.Labels[0], Article: r.Article, Labels: r.Labels, Digest: "d"})
		if _, ok := run.Plan.Guide[r.Scenario]; !ok && i < 300 {
			run.Plan.Guide[r.Scenario] = Text{"The response was lost on its way. Do the sale again.", "应答报文丢失。请重新交易。"}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, ResultsFile), results.Bytes(), 0o644); err != nil {
		tb.Fatal(err)
	}
	for name, v := range map[string]any{SummaryFile: run.Summary, PlanFile: run.Plan, EnvironmentFile: Environment{Format: Format, Rig: "virtual"}} {
		if err := f.writeJSON(name, v); err != nil {
			tb.Fatal(err)
		}
	}
}

func bigResult(i int) record.Result {
	families := []string{"customer-id", "network", "host-codes", "stripe", "power"}
	r := record.Result{
		Name: fmt.Sprintf("%s-%05d@countertop", "NET-LOST", i), Scenario: fmt.Sprintf("NET-LOST-%05d", i), TitleEN: fmt.Sprintf("The response %d is lost on its way", i), TitleZH: fmt.Sprintf("第 %d 个应答报文丢失", i),
		Article: fmt.Sprintf("article/A-%02d", i%6+1), Profile: []string{"countertop", "handheld"}[i%2], Lang: "zh", Rig: "virtual", Labels: []string{families[i%5], "smoke"}, Verdict: record.Pass,
		Started: time.Date(2026, 11, 1, 2, 3, 4, 0, time.UTC).Add(time.Duration(i) * time.Second), TerminalSeconds: 40 + float64(i%90), WallSeconds: .1, Firmware: "4.12.3",
		Checks: []record.Check{
			{Phase: "act", What: "prompt", Expected: `prompt comm-timeout within host-timeout: "通讯超时"`, Observed: `"通讯超时" 30s after the request`, Verdict: record.Pass, Budget: "host-timeout", MeasuredUS: int64(29_000_000 + i*97%2_000_000), LimitUS: 32_000_000, UncertaintyUS: 1000, AtUS: 69_185_000},
			{Phase: "recover", What: "prompt", Expected: `prompt approved within host-reply: "交易成功"`, Observed: `"交易成功" 0s after the host's answer`, Verdict: record.Pass, Budget: "host-reply", MeasuredUS: int64(i * 131 % 1_700_000), LimitUS: 2_000_000, UncertaintyUS: 1000},
			{Phase: "recover", What: "code", Expected: "response code 00", Observed: "00", Verdict: record.Pass},
			{Phase: "audit", What: "charges", Expected: "at most one net charge for each sale", Observed: "2 sales, 1 net charges", Verdict: record.Pass},
		}}
	switch {
	case i%97 == 0:
		r.Verdict, r.Cause, r.Why = record.Fail, record.Terminal, fmt.Sprintf("audit: expected every request without an answer is reversed; observed the sale with trace %06d got no answer and was never reversed", i)
		r.Checks = append(r.Checks, record.Check{Phase: "audit", What: "unanswered", Expected: "every request without an answer is reversed", Observed: fmt.Sprintf("the sale with trace %06d got no answer and was never reversed", i), Verdict: record.Fail, Cause: record.Terminal})
	case i%211 == 0:
		r.Verdict, r.Cause, r.Why = record.Inconclusive, record.Rig, "keypad: no answer within 2s"
	}
	return r
}

func bigTimeline(i int) []byte {
	var b bytes.Buffer
	for n := range 200 {
		us := int64(n * 400_000)
		switch n % 4 {
		case 0:
			fmt.Fprintf(&b, `{"seq":%d,"us":%d,"wall":"2026-11-01T02:03:04Z","source":"keypad","kind":"press","fields":{"key":"%d","took_us":"769444"}}`+"\n", n, us, n%10)
		case 1:
			fmt.Fprintf(&b, `{"seq":%d,"us":%d,"wall":"2026-11-01T02:03:04Z","source":"display","kind":"screen","fields":{"prompts":"amount","text":"请输入金额\n%d.%02d"}}`+"\n", n, us, n, i%100)
		case 2:
			fmt.Fprintf(&b, `{"seq":%d,"us":%d,"wall":"2026-11-01T02:03:04Z","source":"card","kind":"exchange","fields":{"command":"","command_bytes":"5","instruction":"00B2","parameters":"010C","response":"70\n 57 476173******0119\n 5F20 [13 bytes]","response_bytes":"40","status":"9000"}}`+"\n", n, us)
		default:
			fmt.Fprintf(&b, `{"seq":%d,"us":%d,"wall":"2026-11-01T02:03:04Z","source":"network","kind":"%s","fields":{"fault":"drop-1","kind":"drop","direction":"terminal>host","mti":"0200","stan":"%06d","fate":"passed","uplink":"primary"}}`+"\n", n, us, map[bool]string{true: "fired", false: "message"}[n == 103 && i%3 == 0], i)
		}
	}
	return b.Bytes()
}

func bigEvidence(tb testing.TB, f *Folder, i int) []record.Evidence {
	var kept []record.Evidence
	for _, e := range []struct{ kind, name, text string }{
		{record.Receipt, "receipt 1.txt", fmt.Sprintf("商户存根\n终端号: 10000001\n凭证号: %06d\n交易成功\n", i%1000)},
		{record.Screens, "screens.txt", fmt.Sprintf("┌── amount\n│ 请输入金额\n│ 0.%02d\n", i%100)},
		{record.Journal, "journal.jsonl", fmt.Sprintf(`{"in":true,"mti":"0200","stan":"%06d","fields":{"2":"[pan 16]","4":"000000001250"}}`+"\n", i)},
	} {
		kept = append(kept, quickKeep(tb, f, e.kind, e.name, []byte(e.text)))
	}
	return kept
}

// quickKeep is Keep without waiting for the disk.
func quickKeep(tb testing.TB, f *Folder, kind, name string, data []byte) record.Evidence {
	sum := sha256.Sum256(data)
	e := record.Evidence{Kind: kind, Name: name, SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(data))}
	path := filepath.Join(f.path, BlobPath(e.SHA256))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		tb.Fatal(err)
	}
	return e
}
