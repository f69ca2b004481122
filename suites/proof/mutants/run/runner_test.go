package main

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assay-hil/assay/suites/proof/mutants"
)

// Who has caught before and who is about the file comes first, then a scenario of each family in turn, the quick one of each.
func TestOrderOfTheScenariosThatMeetAMutant(t *testing.T) {
	r := &runner{killers: map[string]int{"power-2": 1}, family: map[string]string{}}
	for _, p := range []played{
		{Item: "network-1", Seconds: 3, Met: []int{7}}, {Item: "network-2", Seconds: 1, Met: []int{7}}, {Item: "network-3", Met: []int{8}},
		{Item: "power-1", Seconds: 2, Met: []int{6, 7}}, {Item: "power-2", Seconds: 9, Met: []int{7}},
	} {
		r.items = append(r.items, p)
		r.family[p.Item], _, _ = strings.Cut(p.Item, "-")
	}
	if got, want := r.meeting(mutants.Mutant{ID: 7, File: "x.go"}), []string{"power-2", "network-2", "power-1", "network-1"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got, want := r.meeting(mutants.Mutant{ID: 7, File: "online.go"}), []string{"power-2", "network-2", "network-1", "power-1"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := r.meeting(mutants.Mutant{ID: 5}); len(got) != 0 {
		t.Errorf("%v meet a mutant that nobody meets", got)
	}
}

// What nobody meets is in no percentage, what survives is listed.
func TestReport(t *testing.T) {
	var out bytes.Buffer
	m := mutants.Mutant{File: "x.go", Line: 3, Func: "f", Kind: mutants.Delete, Code: "y()"}
	err := report(&out, 10, []outcome{{Mutant: m, State: failed}, {Mutant: m, State: hung}, {Mutant: m, State: unmet}, {Mutant: m, State: survived, Tried: 2, Met: 2}}, false)
	if err != nil || !strings.Contains(out.String(), "3 make a difference in some scenario: 2 caught (66.7 %)") ||
		!strings.Contains(out.String(), "SURVIVES     x.go:3 f: delete y()  (2 of 2 scenarios)") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// A sample that an earlier run wrote names them by lines that have moved since.
func TestAgainAfterLinesWereAdded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "outcome.json")
	m := func(id, line int, code string) mutants.Mutant {
		return mutants.Mutant{ID: id, File: "sale.go", Line: line, Func: "begin", Kind: mutants.Flip, Code: code}
	}
	before := []outcome{
		{Mutant: m(3, 12, "a < b"), State: survived}, {Mutant: m(1, 10, "a < b"), State: "fails"},
		{Mutant: m(2, 11, "c"), State: unmet}, {Mutant: m(4, 13, "gone"), State: survived},
	}
	if err := writeJSON(file, before); err != nil {
		t.Fatal(err)
	}
	got, err := options{again: file}.choose([]mutants.Mutant{
		m(7, 20, "a < b"), m(8, 21, "c"), m(9, 22, "a < b"), m(10, 23, "new"),
	})
	want := []mutants.Mutant{m(8, 21, "c"), m(9, 22, "a < b")}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v\nwant %v", got, err, want)
	}
}
