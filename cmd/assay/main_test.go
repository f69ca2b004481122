package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// assay runs the command in this process. Runs of scenarios can't be tested so: Ginkgo allows one a
// process.
func assay(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(context.Background(), args, &out, &err)
	return code, out.String(), err.String()
}

func TestBadInputIsExit2WithTheRemedy(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "rig.yaml")
	if err := os.WriteFile(broken, []byte("name: x\nprofil: countertop\nlisten: 0.0.0.0:1\ninstruments: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	used := t.TempDir()
	if err := os.WriteFile(filepath.Join(used, "results.jsonl"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"unknown flag", []string{"run", "--rigg", "sim"}, `did you mean "--rig"?`},
		{"unknown command", []string{"rnu"}, `did you mean "run"?`},
		{"unknown command of a group", []string{"scenarios", "lits"}, `did you mean "list"?`},
		{"unknown rig", []string{"run", "--rig", "virtul"}, `did you mean "virtual"?`},
		{"unknown scenario", []string{"run", "--rig", "virtual", "--scenario", "CID-PHON"}, `did you mean "CID-PHONE"?`},
		{"unknown profile", []string{"run", "--rig", "virtual", "--profile", "countertap"}, `did you mean "countertop"?`},
		{"unknown language", []string{"run", "--rig", "virtual", "--lang", "eng"}, `did you mean "en"?`},
		{"unknown defect", []string{"run", "--rig", "virtual", "--defect", "wrong-prompt-69"}, `did you mean "wrong-prompt-96"?`},
		{"unknown bench fault", []string{"run", "--rig", "virtual", "--bench-fault", "keypad-ded"}, `did you mean "keypad-dead"?`},
		{"bad filter", []string{"run", "--rig", "virtual", "--filter", "smoke &&"}, "--filter"},
		{"filter that matches nothing", []string{"run", "--rig", "virtual", "--filter", "nosuchlabel"}, "nothing is selected"},
		{"broken rig file", []string{"run", "--rig", broken}, `rig.yaml:2:1: unknown key "profil"; did you mean "profile"?`},
		{"folder in use", []string{"run", "--rig", "virtual", "--out", used}, "already holds a run"},
		{"seed that is no number", []string{"run", "--seed", "x"}, "invalid"},
		{"argument where none belongs", []string{"run", "CID-PHONE"}, "assay run --scenario CID-PHONE"},
		{"second scenario unknown", []string{"run", "--rig", "virtual", "--scenario", "CID-PHONE", "CID-OVER"}, `did you mean "CID-OVER-MAX"?`},
	} {
		code, _, stderr := assay(t, c.args...)
		if code != exitUsage || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: exit %d, %q; want exit 2 and %q", c.name, code, stderr, c.want)
		}
	}
}

func TestScenariosList(t *testing.T) {
	code, stdout, stderr := assay(t, "scenarios", "list", "--json")
	if code != exitPass {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	var list []listed
	if err := json.Unmarshal([]byte(stdout), &list); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, s := range list {
		ids[s.ID] = true
	}
	for _, id := range []string{"CID-PHONE", "CID-OVER-MAX", "POWER-AFTER-REQUEST", "SALES-IN-A-ROW"} {
		if !ids[id] {
			t.Errorf("%s is not listed", id)
		}
	}
	if code, stdout, _ = assay(t, "scenarios", "list"); code != exitPass || !strings.Contains(stdout, "CID-PHONE") {
		t.Errorf("exit %d: %s", code, stdout)
	}
}

func TestHelpHasExamples(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"run", "--help"}, {"scenarios", "--help"}, {"scenarios", "list", "--help"}, {"bench", "--help"}, {"version", "--help"}} {
		if code, stdout, _ := assay(t, args...); code != exitPass || !strings.Contains(stdout, "Examples:") {
			t.Errorf("%v: exit %d:\n%s", args, code, stdout)
		}
	}
}

func TestVersion(t *testing.T) {
	if code, stdout, _ := assay(t, "version"); code != exitPass || !strings.HasPrefix(stdout, "assay ") {
		t.Errorf("exit %d: %q", code, stdout)
	}
}

// Every broken catalogue is a usage error that names file and line, and says how to mend it.
func TestLintOfBrokenCatalogues(t *testing.T) {
	const root = "../../fixtures/scenarios/testdata/broken"
	kinds, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	const some = 9 // package scenarios holds every kind to its message; here it is the command's turn
	for i := 0; i < len(kinds); i += some {
		kind := kinds[i]
		want, err := os.ReadFile(filepath.Join(root, kind.Name(), "want.txt"))
		if err != nil {
			t.Fatal(err)
		}
		for _, command := range []string{"lint", "list"} {
			code, _, stderr := assay(t, "scenarios", command, "--catalogue", filepath.Join(root, kind.Name()))
			_, message, _ := strings.Cut(strings.TrimSpace(string(want)), ": ")
			if code != exitUsage || !strings.Contains(stderr, message) {
				t.Errorf("scenarios %s of %s: exit %d, %s\nwant %s", command, kind.Name(), code, stderr, message)
			}
		}
	}
}

// A vendor's catalogue and terminal need no Go: a file from the skeleton, a profile of their own.
func TestScenariosOfAVendor(t *testing.T) {
	dir := t.TempDir()
	_, text, _ := assay(t, "scenarios", "new", "MINE-1")
	if err := os.MkdirAll(filepath.Join(dir, "mine", "host-codes"), 0o755); err != nil {
		t.Fatal(err)
	}
	profile, err := os.ReadFile("../../fixtures/terminals/countertop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	own := strings.Replace(string(profile), "id: countertop", "id: t9", 1)
	for name, text := range map[string]string{"mine/host-codes/1.yaml": text, "t9.yaml": own, "mute.yaml": strings.Replace(own, "  no-funds:", "  funds-none:", 1)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mine, t9, mute := filepath.Join(dir, "mine"), filepath.Join(dir, "t9.yaml"), filepath.Join(dir, "mute.yaml")
	code, stdout, stderr := assay(t, "scenarios", "show", "MINE-1", "--catalogue", mine, "--profile", t9)
	if code != exitPass || !strings.Contains(stdout, "on t9") {
		t.Errorf("exit %d, %s%s", code, stdout, stderr)
	}
	// A terminal that has no wording for what is expected of it is an error, not a pass.
	if code, _, stderr = assay(t, "scenarios", "lint", "--catalogue", mine, "--profile", mute); code != exitUsage || !strings.Contains(stderr, "no-funds") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

func TestGuideAndCoverage(t *testing.T) {
	code, stdout, _ := assay(t, "scenarios", "guide", "--lang", "zh")
	if code != exitPass || !strings.Contains(stdout, "把手机号当作客户ID输入") {
		t.Errorf("guide: exit %d", code)
	}
	if code, _, stderr := assay(t, "scenarios", "guide", "--lang", "zj"); code != exitUsage || !strings.Contains(stderr, `did you mean "zh"`) {
		t.Errorf("guide: exit %d, %s", code, stderr)
	}
	if code, stdout, _ = assay(t, "scenarios", "coverage"); code != exitPass || !strings.Contains(stdout, "article/A-01") || !strings.Contains(stdout, "transaction") {
		t.Errorf("coverage: exit %d, %s", code, stdout)
	}
	if code, stdout, _ = assay(t, "scenarios", "coverage", "--holes"); code != exitPass || strings.Contains(stdout, "article/A-01") || strings.Contains(stdout, "HOLE") ||
		!strings.Contains(stdout, "article: causes: 12 of 12 proved") {
		t.Errorf("coverage --holes: exit %d, %s", code, stdout)
	}
}
