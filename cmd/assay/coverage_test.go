package main

import (
	"strings"
	"testing"

	"github.com/assay-hil/assay/fixtures/scenarios"
)

// The catalogue of the program has no hole at present, so that one is made here.
func TestHoleIsARow(t *testing.T) {
	c := scenarios.Coverage{Codes: []scenarios.Covered{
		{ID: "51", What: "no funds", Scenarios: []string{"HOST-51", "A", "B", "C", "D"}}, {ID: "96", What: "system error"},
	}}
	for _, test := range []struct {
		holes bool
		has   []string
		not   string
	}{
		{false, []string{"response codes: 1 of 2 proved", "51  no funds      HOST-51 A B C and 1 more", "96  system error  HOLE"}, "\x00"},
		{true, []string{"response codes: 1 of 2 proved", "96  system error  HOLE"}, "HOST-51"},
	} {
		var out strings.Builder
		if err := coverageText(&out, c, test.holes); err != nil {
			t.Fatal(err)
		}
		for _, words := range test.has {
			if !strings.Contains(out.String(), words) {
				t.Errorf("holes only %v: %q is missing in\n%s", test.holes, words, out.String())
			}
		}
		if strings.Contains(out.String(), test.not) {
			t.Errorf("holes only %v: %q is in\n%s", test.holes, test.not, out.String())
		}
	}
}
