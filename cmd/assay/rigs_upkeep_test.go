//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// lab starts a stand-in for a lab in a process of its own, and gives its rig file.
func lab(t *testing.T) string {
	t.Helper()
	p := start(t, "bench", "--dir", filepath.Join(t.TempDir(), "bench"))
	p.line(t)
	return strings.TrimSpace(strings.TrimPrefix(p.line(t), "rig file: "))
}

// says runs assay and holds its exit code and words.
func says(t *testing.T, code int, words []string, args ...string) {
	t.Helper()
	got, out := start(t, args...).ended(t)
	if got != code {
		t.Errorf("%s: exit %d, want %d\n%s", strings.Join(args, " "), got, code, out)
	}
	for _, w := range words {
		if !strings.Contains(out, w) {
			t.Errorf("%s: %q is missing in\n%s", strings.Join(args, " "), w, out)
		}
	}
}

func onLab(t *testing.T, rig string, args ...string) []string {
	return append([]string{"run", "--rig", rig, "--out", filepath.Join(t.TempDir(), fmt.Sprint("run", len(args)))}, args...)
}

// TestOneRigOneRun: a second run says who has the rig; a killed run frees it at once, and the next one makes
// it safe first.
func TestOneRigOneRun(t *testing.T) {
	t.Parallel()
	rig := lab(t)
	first := pressing(t, rig)
	holder := fmt.Sprintf("(process %d, assay run) since 20", first.Process.Pid)
	says(t, exitInconclusive, []string{"is in use by", holder}, onLab(t, rig)...)
	says(t, exitInconclusive, []string{holder, "--reason WHY"}, "rigs", "unlock", rig)
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	first.ended(t)
	says(t, exitPass, []string{"not safe since", "killed"}, "rigs", "health", rig)
	says(t, exitPass, []string{"is free"}, "rigs", "unlock", rig)
	says(t, exitPass, []string{"1 planned", "0 skipped, 0 not run"}, onLab(t, rig, "--scenario", "SALE-PLAIN")...)
	says(t, exitPass, []string{"stand-in: good", "it was made safe: left by", "free", "presses", "pin-tries"}, "rigs", "health", rig)
}

func TestMaintenanceRefusesRuns(t *testing.T) {
	rig := lab(t)
	says(t, exitUsage, []string{"--reason"}, "rigs", "maintenance", rig)
	says(t, exitPass, []string{"new plunger"}, "rigs", "maintenance", rig, "--reason", "new plunger")
	says(t, exitInconclusive, []string{"in maintenance", "new plunger"}, onLab(t, rig)...)
	says(t, exitInconclusive, []string{"stand-in: maintenance", "found unknown: never checked"}, "rigs", "health", rig)
	says(t, exitPass, []string{"in service"}, "rigs", "maintenance", rig, "--end", "--replaced")
	says(t, exitPass, []string{"stand-in: unknown"}, "rigs", "health", rig)
}

// TestARunThatIsEndedLeavesTheRigSafe by a signal, or by somebody who needs the rig.
func TestARunThatIsEndedLeavesTheRigSafe(t *testing.T) {
	t.Parallel()
	for _, end := range []struct {
		how string
		do  func(t *testing.T, p *process, rig string)
	}{
		{"SIGTERM", func(t *testing.T, p *process, _ string) { signalled(t, p, syscall.SIGTERM) }},
		{"SIGHUP", func(t *testing.T, p *process, _ string) { signalled(t, p, syscall.SIGHUP) }},
		{"Ctrl-C twice", func(t *testing.T, p *process, _ string) {
			signalled(t, p, syscall.SIGINT)
			signalled(t, p, syscall.SIGINT)
		}},
		{"unlock", func(t *testing.T, _ *process, rig string) {
			says(t, exitPass, []string{"asking", "is free"}, "rigs", "unlock", rig, "--reason", "release to certify")
		}},
	} {
		rig := lab(t)
		p := pressing(t, rig)
		end.do(t, p, rig)
		code, out := p.ended(t)
		if code != exitInconclusive {
			t.Errorf("%s: exit %d\n%s", end.how, code, out)
		}
		if end.how == "unlock" && !strings.Contains(out, "release to certify") {
			t.Errorf("the run does not say why it ended:\n%s", out)
		}
		code, out = start(t, "rigs", "health", rig).ended(t)
		if code != exitPass || !strings.Contains(out, "  free") {
			t.Errorf("after %s: exit %d\n%s", end.how, code, out)
		}
	}
}

// pressing starts a run and waits until the finger presses keys.
func pressing(t *testing.T, rig string) *process {
	t.Helper()
	args := onLab(t, rig, "--scenario", "SALE-PLAIN,SALE-STRIPE")
	p := start(t, args...)
	timeline := filepath.Join(args[4], "timeline", "SALE-PLAIN.jsonl")
	limit := time.After(processLimit)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-limit:
			t.Fatal("no key was pressed")
		case <-look.C:
		}
		if data, err := os.ReadFile(timeline); err == nil && bytes.Contains(data, []byte(`"kind":"press"`)) {
			return p
		}
	}
}

func signalled(t *testing.T, p *process, s syscall.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Error(err)
	}
}
