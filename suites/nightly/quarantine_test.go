package nightly

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
	"github.com/assay-hil/assay/rigs/lease"
	"github.com/assay-hil/assay/rigs/state"
)

// TestQuarantineInAPlan: what is in quarantine is skipped with the reason, and an entry whose day is over is told.
func TestQuarantineInAPlan(t *testing.T) {
	path := plan(t, 1, "quarantine: q.yaml")
	text := fmt.Sprintf("quarantine:\n  - {scenario: HOST-96, rig: virtual, reason: a cable, until: %s}\n  - {scenario: CID-PHONE, reason: a reader, until: 2020-02-01}\n",
		time.Now().Format(time.DateOnly))
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "q.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := Create(filepath.Join(t.TempDir(), "night"), path, "test", nil)
	if err != nil {
		t.Fatal(err)
	}
	begun := map[string]bool{}
	var told []string
	s, err := n.Run(t.Context(), func(_ context.Context, r Rig, o Order, dir string) Ending {
		f, err := reports.Create(dir, reports.Summary{Planned: len(o.Scenarios), Rig: r.Name})
		if err != nil {
			return Ending{Code: 2, Said: err.Error()}
		}
		for _, id := range o.Scenarios {
			begun[id] = true
			if err := f.Add(record.Result{Scenario: id, Profile: o.Profile, Lang: o.Lang, Verdict: record.Pass, WallSeconds: 1}); err != nil {
				return Ending{Code: 2, Said: err.Error()}
			}
		}
		_, _ = f.Close()
		return Ending{}
	}, func(e Event) {
		if e.Result == nil {
			told = append(told, e.Note)
		}
	})
	if err != nil || n.Close() != nil {
		t.Fatal(err)
	}
	if begun["HOST-96"] || !begun["CID-PHONE"] || s.Skipped != 1 || !strings.Contains(s.Rigs[0].Outcomes[3].Skip, "a cable") {
		t.Errorf("begun %v, %+v", begun, s.Rigs[0].Outcomes)
	}
	want := "the quarantine of CID-PHONE on every rig ended on 2020-02-01"
	if len(told) != 1 || !strings.HasPrefix(told[0], want) || !slices.Equal(told, s.Notes) {
		t.Errorf("told %q, notes %q", told, s.Notes)
	}
	page, err := os.ReadFile(filepath.Join(n.dir, reports.IndexFile))
	if err != nil || !strings.Contains(string(page), want) {
		t.Errorf("the page does not say so: %v", err)
	}
}

// TestPlanningTakesNoRig: a rig that somebody has when the night is planned keeps no other rig from its work.
func TestPlanningTakesNoRig(t *testing.T) {
	root := t.TempDir()
	t.Setenv("ASSAY_STATE", root)
	path := plan(t, 1, "")
	rig := filepath.Join(filepath.Dir(path), "lab.yaml")
	for file, text := range map[string]string{
		rig: "name: lab\nprofile: countertop\nlisten: 127.0.0.1:1\ninstruments:\n  keypad: {driver: human}\n  display: {driver: human}\n  card: {driver: relay, port: /dev/none}\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(data), "rigs:\n", "rigs:\n  - {rig: lab.yaml}\n", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	dir, err := state.Dir(root, "lab", rig)
	if err != nil {
		t.Fatal(err)
	}
	held, err := lease.Acquire(dir, "lab", "assay rigs show")
	if err != nil {
		t.Fatal(err)
	}
	n, err := Create(filepath.Join(t.TempDir(), "night"), path, "test", nil)
	if err != nil {
		t.Fatalf("a rig in use spoils the night: %v", err)
	}
	if len(n.about.Tasks["lab"]) == 0 || len(n.about.Tasks["r1"]) == 0 {
		t.Errorf("%v", n.about.Tasks)
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	if err := held.Release(); err != nil {
		t.Error(err)
	}
}
