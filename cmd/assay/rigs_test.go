package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-hil/assay/rungs"
)

func TestRigsNewGivesAFileToBeginWith(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rig.yaml")
	for _, args := range [][]string{{"rigs", "new"}, {"rigs", "new", "--minimal"}, {"rigs", "new", "--human"}} {
		var out, errs strings.Builder
		if code := run(t.Context(), args, &out, &errs); code != exitPass || !strings.Contains(out.String(), "instruments:") {
			t.Errorf("%v: exit %d, %s%s", args, code, out.String(), errs.String())
		}
	}
	var out, errs strings.Builder
	if code := run(t.Context(), []string{"rigs", "new", "--minimal", "--out", path}, &out, &errs); code != exitPass {
		t.Errorf("exit %d, %s", code, errs.String())
	}
	if code := run(t.Context(), []string{"rigs", "new", "--out", path}, &out, &errs); code != exitUsage || !strings.Contains(errs.String(), "is there already") {
		t.Errorf("a file was written over: exit %d, %s", code, errs.String())
	}
}

func TestRigsUsage(t *testing.T) {
	t.Setenv("ASSAY_STATE", t.TempDir())
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("name: x\nprofile: countertop\ninstruments:\n  keypad: {driver: gbrl, port: /dev/x}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	gone := filepath.Join(t.TempDir(), "gone.yaml")
	if err := os.WriteFile(gone, []byte("name: x\nprofile: countertop\ninstruments:\n  keypad: {driver: grbl, port: /dev/no-such-port}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"rigs", "chekc"}, exitUsage, `did you mean "check"?`},
		{[]string{"rigs", "check"}, exitUsage, "a rig file is needed"},
		{[]string{"rigs", "check", "none.yaml"}, exitUsage, "no such file"},
		{[]string{"rigs", "check", bad}, exitUsage, bad + `:4:12: instruments: keypad: driver: unknown driver "gbrl"; did you mean "grbl"?`},
		{[]string{"rigs", "check", gone}, exitInconclusive, "assay rigs discover"},
		{[]string{"rigs", "press", gone}, exitUsage, "at least one key"},
		{[]string{"rigs", "press", gone, "1"}, exitInconclusive, "→ nothing is at grbl on /dev/no-such-port"},
		{[]string{"rigs", "card", gone, "insert"}, exitUsage, "an action and a card are needed"},
		{[]string{"rigs", "show", gone}, exitInconclusive, "the rig file has none"},
		{[]string{"rigs", "new", "--minimal", "--human"}, exitUsage, "two different rig files"},
		{[]string{"run", "--rig", gone}, exitUsage, `scenarios need "listen"`},
	} {
		var out, errs strings.Builder
		if code := run(t.Context(), c.args, &out, &errs); code != c.code || !strings.Contains(out.String()+errs.String(), c.want) {
			t.Errorf("%v: exit %d, %s%s; want %d and %q", c.args, code, out.String(), errs.String(), c.code, c.want)
		}
	}
}

func TestRigsCheckAsJSON(t *testing.T) {
	t.Setenv("ASSAY_STATE", t.TempDir())
	s, err := rungs.StartStandIn(rungs.StandInOptions{Dir: filepath.Join(t.TempDir(), "bench"), Profile: "countertop"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	var out, errs strings.Builder
	if code := run(t.Context(), []string{"rigs", "check", s.RigFile, "--json"}, &out, &errs); code != exitPass {
		t.Fatalf("exit %d, %s%s", code, out.String(), errs.String())
	}
	var report struct {
		OK       bool              `json:"ok"`
		Findings []json.RawMessage `json:"findings"`
	}
	if err := json.Unmarshal([]byte(out.String()), &report); err != nil || !report.OK || len(report.Findings) < 10 {
		t.Errorf("%v, %+v", err, report)
	}
}
