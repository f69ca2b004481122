package proof

import (
	"context"
	"slices"
	"testing"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/rungs"
	"github.com/assay-hil/assay/suites"
)

func defect(t *testing.T, name string) rungs.Defect {
	t.Helper()
	all := rungs.Defects()
	i := slices.IndexFunc(all, func(d rungs.Defect) bool { return d.Name == name })
	if i < 0 {
		t.Fatalf("no defect %s", name)
	}
	return all[i]
}

// A defect is caught by the scenarios that meet it, as the terminal's; by others it is not, and then it is listed.
func TestDefectsAreCaughtOrListed(t *testing.T) {
	length := []rungs.Defect{defect(t, "id-length-unchecked")}
	m, err := Run(context.Background(), Config{Selection: suites.Selection{Scenarios: []string{"CID-13-FOR-12", "SALE-PLAIN"}}, Defects: length, All: true, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	if !m.OK() || len(m.Defects[0].By) == 0 || m.Defects[0].By[0].Scenario != "CID-13-FOR-12" || m.Defects[0].By[0].Cause != record.Terminal {
		t.Errorf("%+v", m)
	}
	if !slices.Equal(m.Idle, []string{"SALE-PLAIN"}) {
		t.Errorf("never caught anything: %v, want SALE-PLAIN", m.Idle)
	}
	m, err = Run(context.Background(), Config{Selection: suites.Selection{Scenarios: []string{"SALE-PLAIN"}}, Defects: length, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	if m.OK() || !slices.Equal(m.Uncaught, []string{"id-length-unchecked"}) {
		t.Errorf("uncaught: %v", m.Uncaught)
	}
}

// Every fault of rig, fakes and disk is classified right.
func TestPlantedFaultsAreNeverTheTerminals(t *testing.T) {
	p, err := prepare(Config{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range p.faults(context.Background()) {
		if !f.OK {
			t.Errorf("%s: want inconclusive (%s); %d noticed, %d passed, wrong %+v", f.Fault, f.Want, f.Noticed, f.Passed, f.Wrong)
		}
	}
	if p.err != nil {
		t.Error(p.err)
	}
	if n := len(plantable()); n < 15 {
		t.Errorf("%d faults are planted", n)
	}
}

// Every fault that the bench can have is planted.
func TestEveryBenchFaultIsPlanted(t *testing.T) {
	for _, name := range slices.Concat(rungs.Faults(), rungs.HostFaults()) {
		if !slices.ContainsFunc(plantable(), func(p plant) bool { return p.fault == name }) {
			t.Errorf("%s is never planted", name)
		}
	}
}

// Ctrl-C keeps what was found, and says that it is not all.
func TestInterruptedProofKeepsWhatItFound(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	cfg := Config{
		Selection: suites.Selection{Scenarios: []string{"CID-13-FOR-12", "SALE-PLAIN"}},
		Defects:   []rungs.Defect{defect(t, "id-length-unchecked"), defect(t, "id-off-by-one"), defect(t, "no-failover")},
		Workers:   1,
		Progress: func(done, _ int, _ string) {
			if done == 2 { // the sound terminal, and the first defect
				cancel()
			}
		},
	}
	m, err := Run(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if !m.Cut || m.OK() || m.Caught() != 1 || !m.Defects[1].Cut || !m.Defects[2].Cut || len(m.Uncaught) != 0 {
		t.Errorf("%+v", m)
	}
}

func TestRowsOfARule(t *testing.T) {
	for rule, want := range map[string][]string{
		"E-10 to E-12: a reply matches":                    {"payments/E-10", "payments/E-11", "payments/E-12"},
		"E-20, E-22: a reversal is repeated":               {"payments/E-20", "payments/E-22"},
		"fault 36: refused, and E-03 is not meant":         {"faults/36"},
		"EMV Contactless Book C-3 §5.5: an expired one":    nil,
		"the reversal goes before the next request":        nil,
		"B3: the prompt comes when the timer has run out":  {"payments/B-03"},
		"E-10 to E-18: 98 no reply, A0 wrong MAC, 06 else": {"payments/E-10", "payments/E-11", "payments/E-12", "payments/E-13", "payments/E-14", "payments/E-15", "payments/E-16", "payments/E-17", "payments/E-18"},
	} {
		if got := rowsOf(rule); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", rule, got, want)
		}
	}
}

// The scenario that proves the rule comes first, so a defect is found by what names it.
func TestScenariosOfTheRuleComeFirst(t *testing.T) {
	p, err := prepare(Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"reversal-25-refused", "certificate-unchecked", "no-failover"} {
		d := defect(t, name)
		if first := p.likely(d)[0]; len(named(first, rowsOf(d.Rule))) == 0 {
			t.Errorf("%s: %s comes first, which proves %v and not %s", name, first.Name, first.Scenario.Rows(), d.Rule)
		}
	}
}
