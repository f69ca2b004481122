package reports

import (
	"os/exec"
	"testing"

	"github.com/assay-hil/assay/harness/record"
)

func TestWords(t *testing.T) {
	for _, test := range []struct {
		summary Summary
		want    string
		tone    record.Verdict
	}{
		{Summary{Planned: 3, Passed: 3}, "The terminal passed.", record.Pass},
		{Summary{Planned: 3, Passed: 2, Skipped: 1}, "The terminal passed.", record.Pass},
		{Summary{Planned: 3, Passed: 2, Marginal: 1}, "The terminal passed, 1 scenario only just.", record.Marginal},
		{Summary{Planned: 3, Passed: 1, Failed: 2}, "The terminal failed 2 scenarios.", record.Fail},
		{Summary{Planned: 3, Failed: 1, Inconclusive: 1, NotRun: 1}, "The terminal failed 1 scenario.", record.Fail},
		{Summary{Planned: 3, Passed: 1, NotRun: 2}, "The run ended early: 2 scenarios not run.", record.Inconclusive},
		{Summary{Planned: 3, Inconclusive: 2, NotRun: 1}, "The run ended early: 1 scenario not run, 2 undecided.", record.Inconclusive},
		{Summary{Planned: 3, Passed: 2, Inconclusive: 1}, "1 scenario could not be decided: the bench, not the terminal.", record.Inconclusive},
		{Summary{Planned: 3, Skipped: 3}, "Nothing was run.", record.Skipped},
		{Summary{}, "Nothing was run.", record.Skipped},
	} {
		if got := test.summary.Words(); got != test.want {
			t.Errorf("%+v: %q, want %q", test.summary, got, test.want)
		}
		if got := test.summary.tone(); got != test.tone {
			t.Errorf("%+v: tone %q, want %q", test.summary, got, test.tone)
		}
	}
}

func TestReplay(t *testing.T) {
	r := record.Result{Scenario: "HOST-96", Profile: "countertop", Lang: "zh", Rig: "virtual"}
	for _, test := range []struct {
		name    string
		summary Summary
		result  record.Result
		want    string
	}{
		{"plain", Summary{}, r, "assay run --rig virtual --profile countertop --lang zh --scenario HOST-96"},
		{"planted", Summary{Defects: []string{"a", "b"}, BenchFaults: []string{"c"}, Seed: -7}, r,
			"assay run --rig virtual --profile countertop --lang zh --scenario HOST-96 --defect a --defect b --bench-fault c --seed -7"},
		{"lab", Summary{RigFile: "labs/lab 7.yaml"}, r, "assay run --rig 'labs/lab 7.yaml' --profile countertop --lang zh --scenario HOST-96"},
		{"bare", Summary{}, record.Result{Scenario: "S", Rig: "sim"}, "assay run --rig sim --scenario S"},
	} {
		if got := test.summary.replay(test.result); got != test.want {
			t.Errorf("%s:\n %s, want\n %s", test.name, got, test.want)
		}
	}
}

// A shell must get back the word that was quoted.
func TestQuoteSurvivesAShell(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell here")
	}
	for _, word := range []string{"plain-1.yaml", "two words", "it's", `$HOME "x" \n`, "a;b|c&d", "终端", "`x`", "*"} {
		out, err := exec.Command(sh, "-c", "printf %s "+quote(word)).Output()
		if err != nil || string(out) != word {
			t.Errorf("%q came back as %q, %v", word, out, err)
		}
	}
}
