package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assay-hil/assay/reports"
	"github.com/assay-hil/assay/reports/history"
)

// TestReportOfTwoRuns runs the same scenarios twice, the second time with a planted defect, and has the report commands
// tell the two apart.
func TestReportOfTwoRuns(t *testing.T) {
	root := t.TempDir()
	a, b := filepath.Join(root, "a"), filepath.Join(root, "b")
	scenarios := "SALE-PLAIN,NET-SILENT,NET-LOST-RESPONSE,HOST-96,CID-PHONE"
	if code, out := start(t, "run", "--rig", "virtual", "--scenario", scenarios, "--out", a).ended(t); code != exitPass {
		t.Fatalf("exit %d\n%s", code, out)
	}
	events := filepath.Join(root, "events.jsonl")
	said := filepath.Join(root, "said")
	if code, out := start(t, "run", "--rig", "virtual", "--scenario", scenarios, "--out", b, "--defect", "no-reversal-after-timeout", "--events", events, "--notify", "cat > "+said).ended(t); code != exitFailed {
		t.Fatalf("exit %d\n%s", code, out)
	}
	checkSecond(t, b, events, said) // nobody has made an index yet
	if code, stdout, stderr := assay(t, "report", "index", root); code != exitPass || !strings.Contains(stdout, "2 added") {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	code, stdout, stderr := assay(t, "report", "diff", "--json", a, b)
	var d history.Diff
	if err := json.Unmarshal([]byte(stdout), &d); err != nil {
		t.Fatalf("%v: %s%s", err, stdout, stderr)
	}
	var regressed []string
	for _, c := range d.Regressed {
		regressed = append(regressed, c.Name)
	}
	slices.Sort(regressed)
	if code != exitFailed || !slices.Equal(regressed, []string{"NET-LOST-RESPONSE", "NET-SILENT"}) || d.Unchanged != 3 || len(d.Fixed)+len(d.New)+len(d.Removed)+len(d.Undecided) != 0 {
		t.Errorf("exit %d, %+v", code, d)
	}
	if code, _, _ := assay(t, "report", "diff", b, a); code != exitPass {
		t.Errorf("the other way round: exit %d", code)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"show", b}, "fail NET-SILENT"},
		{[]string{"show", b, "net-silent"}, "never reversed"},
		{[]string{"show", b, "net-silent"}, "since when: this run; it passed in the one before"},
		{[]string{"history", "--index", filepath.Join(root, history.DefaultName)}, "Fails now\n  nothing"},
		{[]string{"scan", b}, "no card data in clear"},
		{[]string{"prune", "--days", "1", "--dry-run", root}, "0 of 2 would go"},
		{[]string{"render", a}, "index.html"},
	} {
		if code, stdout, stderr := assay(t, append([]string{"report"}, c.args...)...); code != exitPass || !strings.Contains(stdout, c.want) {
			t.Errorf("%v: exit %d, %s%s", c.args, code, stdout, stderr)
		}
	}
	checkOpen(t, b)
}

// checkOpen: a page that was made without earlier runs is made anew when it is opened; that there is no browser is told.
func checkOpen(t *testing.T, dir string) {
	t.Helper()
	page := filepath.Join(dir, reports.IndexFile)
	if err := os.WriteFile(page, []byte("made elsewhere"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", t.TempDir())
	if code, _, stderr := assay(t, "report", "open", dir); code != exitInconclusive || !strings.Contains(stderr, "no browser") || !knowsPast(page) {
		t.Errorf("exit %d, %s; the page knows the past: %v", code, stderr, knowsPast(page))
	}
}

// checkSecond looks at what the second run left: it knows the first, and told everybody.
func checkSecond(t *testing.T, dir, events, said string) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(dir, "scenario", "NET-SILENT.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"past":[{`, `"diff":{`, `"first":{"lane":`} {
		if !strings.Contains(string(page), part) {
			t.Errorf("the page knows no %s", part)
		}
	}
	told, err := os.ReadFile(events)
	if err != nil || strings.Count(string(told), `"event":"result"`) != 5 || !strings.Contains(string(told), `"event":"run-ended"`) {
		t.Errorf("events: %.300s, %v", told, err)
	}
	var s reports.Summary
	input, err := os.ReadFile(said)
	if err == nil {
		err = json.Unmarshal(input, &s)
	}
	if err != nil || s.Failed != 2 || !s.Scanned {
		t.Errorf("the notification had %s, %v", input, err)
	}
}

func TestReportRefusesWithTheRemedy(t *testing.T) {
	empty := t.TempDir()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"diff", empty}, "two run folders"},
		{[]string{"diff", empty, empty}, "no run folder"},
		{[]string{"show", empty}, "no run folder"},
		{[]string{"index", filepath.Join(empty, "none")}, "no folder"},
		{[]string{"history", "--index", filepath.Join(empty, "none.db")}, "assay report index"},
		{[]string{"prune", empty}, "--days"},
		{[]string{"serve", "--listen", "0.0.0.0:0", empty}, "loopback"},
		{[]string{"serve", filepath.Join(empty, "none")}, "no folder"},
		{[]string{"histroy"}, `did you mean "history"?`},
	} {
		if code, _, stderr := assay(t, append([]string{"report"}, c.args...)...); code != exitUsage || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: exit %d, %q; want exit 2 and %q", c.args, code, stderr, c.want)
		}
	}
}

func TestReportServe(t *testing.T) {
	root := t.TempDir()
	f, err := reports.Create(filepath.Join(root, "one"), reports.Summary{Planned: 0})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	reader, writer := io.Pipe()
	done := make(chan int, 1)
	go func() { done <- run(ctx, []string{"report", "serve", root}, writer, io.Discard) }()
	line := make([]byte, 256)
	n, err := reader.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	base := strings.TrimSpace(string(line[:n]))
	get := func(path string, want int, part string) {
		t.Helper()
		resp, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != want || !strings.Contains(string(body), part) {
			t.Errorf("%s: %d, %.200s, %v", path, resp.StatusCode, body, err)
		}
	}
	get("", http.StatusOK, "one/index.html")
	get("one/", http.StatusOK, `id="data"`)
	get("one/assets/scenario.js", http.StatusOK, "Timeline")
	get("../../etc/passwd", http.StatusNotFound, "")
	cancel()
	if code := <-done; code != exitPass {
		t.Errorf("exit %d after an interrupt", code)
	}
}
