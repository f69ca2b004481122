package mutants

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/assay-hil/assay/suites/proof/mutants/switches"
)

const rules = "testdata/rules"

func rewritten(t *testing.T) Rewritten {
	t.Helper()
	r, err := Rewrite(Part{Folder: rules, Files: []string{"main.go"}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestEveryMutantShows builds the program with its mutants once, and runs it with each of them: its output must be another.
// Without one it is that of the original.
func TestEveryMutantShows(t *testing.T) {
	r, scratch := rewritten(t), t.TempDir()
	overlay, err := r.Overlay(scratch)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(scratch, "rules")
	if said, err := exec.Command("go", "build", "-overlay", overlay, "-o", program, "./"+rules).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	original, err := exec.Command("go", "run", "./"+rules).Output()
	if err != nil {
		t.Fatal(err)
	}
	with := func(id string) string {
		cmd := exec.Command(program)
		cmd.Env = append(os.Environ(), switches.Variable+"="+id)
		out, _ := cmd.CombinedOutput() // a mutant may crash
		return string(out)
	}
	if got := with("0"); got != string(original) {
		t.Fatalf("with the mutants off:\n%s\nwant\n%s", got, original)
	}
	for _, m := range r.Mutants {
		if got := with(strconv.Itoa(m.ID)); got == string(original) {
			t.Errorf("%s shows nothing", m)
		}
	}
}

// What only a planted defect would execute is left alone; of the rest there is every kind.
func TestMutantsOfARule(t *testing.T) {
	r := rewritten(t)
	var kinds []string
	for _, m := range r.Mutants {
		kinds = append(kinds, m.Kind)
		if strings.Contains(m.Code, "-1") || strings.Contains(m.Code, "has(") && m.Kind != Guard || m.Code == "n = 1" {
			t.Errorf("%s is a defect's", m)
		}
	}
	for _, kind := range []string{Flip, Boundary, Guard, Delete, Constant, Result, Field} {
		if !slices.Contains(kinds, kind) {
			t.Errorf("there is no mutant of the kind %q", kind)
		}
	}
}

func TestNestedEdits(t *testing.T) {
	var e edits
	e.wrap(4, 9, "(", ")")
	e.wrap(4, 9, "[", "]") // inside
	e.wrap(4, 5, "<", ">")
	e.wrap(8, 9, "{", "}")
	e.wrap(0, 3, "/", "/")
	if got := string(e.apply([]byte("if  a && b"))); got != "/if / ([<a> &&{ }])b" {
		t.Errorf("%q", got)
	}
}
