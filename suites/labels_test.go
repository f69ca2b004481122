package suites

import (
	"slices"
	"testing"

	"github.com/assay-hil/assay/fixtures/scenarios"
)

func TestLabelsOf(t *testing.T) {
	all, err := Catalogue(scenarios.More{})
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string][]string{
		"CID-PHONE":           {"customer-id", "cause:article-A-01", "needs:customer-id-exact", "needs:chip", Quick},
		"NET-LOST-RESPONSE":   {"network", Slow},
		"POWER-AFTER-REQUEST": {"needs:power", Slow},
		"JOURNAL-FULL":        {"terminal-fault", Long},
		"PKT-LOSS":            {"seed"},
		"PKT-UNREACHABLE":     {"network"},
	} {
		i := slices.IndexFunc(all, func(s *scenarios.Scenario) bool { return s.ID == id })
		if i < 0 {
			t.Errorf("no scenario %s", id)
			continue
		}
		got := LabelsOf(all[i])
		for _, label := range want {
			if !slices.Contains(got, label) {
				t.Errorf("%s: %v lacks %s", id, got, label)
			}
		}
		if id == "PKT-UNREACHABLE" && slices.Contains(got, "seed") {
			t.Errorf("%s has nothing of chance, and the label seed", id)
		}
	}
}

// The labels are what a filter asks for.
func TestFilterByKeys(t *testing.T) {
	all, err := Catalogue(scenarios.More{})
	if err != nil {
		t.Fatal(err)
	}
	for _, filter := range []string{"cause: consistsOf {article-A-01}", "needs: containsAny {power}", "long", "slow && network", "seed"} {
		chosen, err := Filtered(all, filter)
		if err != nil || len(chosen) == 0 || len(chosen) == len(all) {
			t.Errorf("--filter %q: %d of %d, %v", filter, len(chosen), len(all), err)
		}
	}
}
