package bringup_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/lease"
	"github.com/assay-hil/assay/rungs"
	"github.com/assay-hil/assay/rungs/bringup"
)

// bench starts a simulated bench behind pseudo-terminals. Its test waits most of the time, so it runs beside others.
func bench(t *testing.T, faults ...string) *rungs.StandIn {
	t.Helper()
	t.Parallel()
	s, err := rungs.StartStandIn(rungs.StandInOptions{Dir: filepath.Join(t.TempDir(), "bench"), Profile: "countertop", Faults: faults})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// with writes a rig file of its own for a bench; LINK is the folder of its instruments.
func with(t *testing.T, s *rungs.StandIn, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rig.yaml")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "LINK", filepath.Dir(s.RigFile))), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const keypadOnly = "name: alone\nprofile: countertop\ninstruments:\n  keypad: {driver: grbl, port: LINK/keypad, contact: 40ms}\n"

func TestCheckOfAWholeBench(t *testing.T) {
	s := bench(t)
	var lines int
	root := t.TempDir()
	r, err := bringup.Check(t.Context(), s.RigFile, bringup.CheckOptions{State: root, Each: func(bringup.Finding) { lines++ }})
	if err != nil || !r.OK {
		t.Fatalf("%v, %+v", err, r.Findings)
	}
	if lines != len(r.Findings) {
		t.Errorf("%d findings told, %d in the report", lines, len(r.Findings))
	}
	for _, want := range []string{"keypad home", "keypad touch CANCEL", "display alive", "card field", "power on", "uplink primary connect", "uplink backup connect", "issuer answer", "network answer"} {
		if !slices.ContainsFunc(r.Findings, func(f bringup.Finding) bool { return f.Subject+" "+f.Step == want && f.Status == bringup.OK }) {
			t.Errorf("no %q in %+v", want, r.Findings)
		}
	}
	f, err := rigs.LoadFile(s.RigFile)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := rungs.ReadMeasured(root, f)
	if err != nil || len(kept.Latencies) != 3 || kept.Uncertainty <= 0 {
		t.Errorf("kept for the runs: %+v, %v", kept, err)
	}
	if elsewhere, err := rungs.ReadMeasured(t.TempDir(), f); err != nil || !elsewhere.At.IsZero() {
		t.Errorf("known in another state folder: %+v, %v", elsewhere, err)
	}
}

func TestCheckOfAKeypadAlone(t *testing.T) {
	s := bench(t)
	r, err := bringup.Check(t.Context(), with(t, s, keypadOnly), bringup.CheckOptions{})
	if err != nil || !r.OK || len(r.Latencies) != 1 || r.Uncertainty != 0 {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestCheckNamesTheInstrumentAndTheFix(t *testing.T) {
	silent := silentPort(t)
	for _, c := range []struct {
		name, text, subject, fix string
		faults                   []string
	}{
		{name: "nothing there", text: strings.Replace(keypadOnly, "LINK/keypad", "LINK/none", 1), subject: "keypad open", fix: "assay rigs discover"},
		{name: "silent", text: strings.Replace(keypadOnly, "LINK/keypad", silent, 1), subject: "keypad open", fix: "is it on, is it the right port"},
		{name: "outside the machine", text: strings.Replace(keypadOnly, "contact: 40ms", "origin: {x: 0, y: 0, z: 400}", 1), subject: "keypad home", fix: "correct origin"},
		{name: "address of another", text: "listen: 192.0.2.1:1\n" + keypadOnly, subject: "uplink listen", fix: "no such address"},
		{name: "finger that misses", faults: []string{"keypad-misses"}, text: keypadOnly + "  display: {driver: debug-line, port: LINK/display}\n", subject: "display alive", fix: "look where the finger touches"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := bench(t, c.faults...)
			r, err := bringup.Check(t.Context(), with(t, s, c.text), bringup.CheckOptions{})
			if err != nil || r.OK {
				t.Fatalf("%v, %+v", err, r.Findings)
			}
			i := slices.IndexFunc(r.Findings, func(f bringup.Finding) bool { return f.Status == bringup.Failed })
			if f := r.Findings[i]; f.Subject+" "+f.Step != c.subject || !strings.Contains(f.Fix, c.fix) {
				t.Errorf("%+v, want %s and %q", f, c.subject, c.fix)
			}
		})
	}
}

// silentPort is a device on which nobody answers.
func silentPort(t *testing.T) string {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = master.Close(), slave.Close() })
	if _, err := term.MakeRaw(int(slave.Fd())); err != nil {
		t.Fatal(err)
	}
	return slave.Name()
}

func TestPress(t *testing.T) {
	s := bench(t)
	path := with(t, s, keypadOnly)
	var pressed []string
	homed := false
	o := bringup.PressOptions{Homed: func([]string) { homed = true }, Each: func(p bringup.Pressed) { pressed = append(pressed, p.Key) }}
	if err := bringup.Press(t.Context(), path, []string{"1", "CANCEL"}, o); err != nil || !homed || strings.Join(pressed, " ") != "1 CANCEL" {
		t.Errorf("%v, %v, %v", err, homed, pressed)
	}
	err := bringup.Press(t.Context(), path, []string{"CANCLE"}, o)
	if err == nil || !strings.Contains(err.Error(), `did you mean "CANCEL"?`) || bringup.IsRig(err) {
		t.Errorf("%v", err)
	}
	gone := with(t, s, strings.Replace(keypadOnly, "keypad, ", "none, ", 1))
	if err := bringup.Press(t.Context(), gone, []string{"1"}, o); !bringup.IsRig(err) || !strings.Contains(err.Error(), "→") {
		t.Errorf("%v", err)
	}
}

func TestCardByHand(t *testing.T) {
	s := bench(t)
	done := make(chan struct{})
	close(done)
	for _, c := range []struct{ action, card, wrong string }{
		{"swipe", "chip", ""}, {"insert", "chip", ""}, {"tap", "chip", ""}, {"remove", "", ""},
		{"swipe", "chp", `did you mean "chip"?`}, {"swype", "chip", `did you mean "swipe"?`},
	} {
		err := bringup.Card(t.Context(), s.RigFile, c.action, c.card, bringup.CardOptions{Done: done})
		if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s %s: %v", c.action, c.card, err)
		}
	}
}

func TestShow(t *testing.T) {
	s := bench(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	screens := make(chan rigs.Screen, 100)
	ended := make(chan error, 1)
	go func() {
		ended <- bringup.Show(ctx, s.RigFile, bringup.ShowOptions{Screen: func(s rigs.Screen) { screens <- s }, Paper: func(rigs.Paper) {}})
	}()
	select {
	case shown := <-screens:
		if len(shown.Lines) == 0 && shown.Noise == "" {
			t.Errorf("%+v", shown)
		}
	case err := <-ended:
		t.Fatal(err)
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was shown")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestARigInUseSaysByWhom(t *testing.T) {
	s := bench(t)
	lab, err := rungs.OpenLab(s.RigFile, rungs.LabOptions{Doing: "assay rigs show"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = bringup.Check(t.Context(), s.RigFile, bringup.CheckOptions{})
	if !errors.As(err, new(*lease.HeldError)) || !strings.Contains(err.Error(), fmt.Sprintf("process %d, assay rigs show", os.Getpid())) || !bringup.IsRig(err) {
		t.Errorf("%v", err)
	}
	if err := lab.Close(); err != nil {
		t.Fatal(err)
	}
	if err := bringup.Press(t.Context(), s.RigFile, []string{"CANCEL"}, bringup.PressOptions{}); err != nil {
		t.Errorf("after the other has ended: %v", err)
	}
}

func TestExamples(t *testing.T) {
	for _, kind := range []string{"full", "minimal", "human"} {
		if text, known := bringup.Example(kind); !known || !strings.Contains(text, "instruments:") {
			t.Errorf("%s: %v %q", kind, known, text)
		}
	}
}
