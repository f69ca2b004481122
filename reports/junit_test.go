package reports

import (
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"github.com/assay-hil/assay/harness/record"
)

// readJUnit reads what CI would read.
func readJUnit(t *testing.T, s Summary, results []record.Result) junitSuite {
	t.Helper()
	b, err := JUnit(&Run{Summary: s, Results: results})
	if err != nil {
		t.Fatal(err)
	}
	var suites junitSuites
	if err := xml.Unmarshal(b, &suites); err != nil {
		t.Fatalf("%v in\n%s", err, b)
	}
	if len(suites.Suites) != 1 {
		t.Fatalf("%d suites, want 1", len(suites.Suites))
	}
	return suites.Suites[0]
}

func summarise(planned int, results []record.Result) Summary {
	s := Summary{Planned: planned, NotRun: planned, Rig: "virtual", Started: time.Date(2000, 1, 2, 3, 4, 5, 0, time.UTC)}
	for _, r := range results {
		s.count(r.Verdict, 1)
	}
	return s
}

func TestJUnitKinds(t *testing.T) {
	for _, test := range []struct {
		verdict                 record.Verdict
		failure, error, skipped bool
	}{
		{record.Pass, false, false, false},
		{record.Marginal, false, false, false},
		{record.Fail, true, false, false},
		{record.Inconclusive, false, true, false},
		{"of a later version", false, true, false},
		{record.Skipped, false, false, true},
		{record.NotRun, false, false, true},
	} {
		t.Run(string(test.verdict), func(t *testing.T) {
			results := []record.Result{{Scenario: "S", Verdict: test.verdict, Cause: record.Rig, Why: "because"}}
			suite := readJUnit(t, summarise(1, results), results)
			if len(suite.Cases) != 1 {
				t.Fatalf("%d cases, want 1", len(suite.Cases))
			}
			c := suite.Cases[0]
			if (c.Failure != nil) != test.failure || (c.Error != nil) != test.error || (c.Skipped != nil) != test.skipped {
				t.Errorf("failure %v, error %v, skipped %v", c.Failure, c.Error, c.Skipped)
			}
			for _, p := range []*junitProblem{c.Failure, c.Error, c.Skipped} {
				if p != nil && p.Message != "because" {
					t.Errorf("message %q", p.Message)
				}
			}
		})
	}
}

// CI trusts the attributes; they must be what the cases say.
func TestJUnitCountsAreItsCases(t *testing.T) {
	results := []record.Result{
		{Scenario: "A", Verdict: record.Pass}, {Scenario: "B", Verdict: record.Fail}, {Scenario: "C", Verdict: record.Fail},
		{Scenario: "D", Verdict: record.Inconclusive}, {Scenario: "E", Verdict: record.Skipped}, {Scenario: "F", Verdict: record.NotRun},
		{Scenario: "G", Verdict: record.Marginal},
	}
	suite := readJUnit(t, summarise(10, results), results)
	var failures, errors, skipped int
	for _, c := range suite.Cases {
		switch {
		case c.Failure != nil:
			failures++
		case c.Error != nil:
			errors++
		case c.Skipped != nil:
			skipped++
		}
	}
	got := [4]int{suite.Tests, suite.Failures, suite.Errors, suite.Skipped}
	if cases := [4]int{len(suite.Cases), failures, errors, skipped}; got != cases {
		t.Errorf("attributes %v, cases %v", got, cases)
	}
	if want := [4]int{10, 2, 1, 5}; got != want {
		t.Errorf("tests, failures, errors, skipped are %v, want %v", got, want)
	}
}

func TestJUnitEscapes(t *testing.T) {
	const hostile = `"不支持的客户ID" <b>&amp; ]]> 'x'`
	results := []record.Result{{
		Scenario: "S", TitleEN: hostile, Profile: "countertop", Verdict: record.Fail, Cause: record.Terminal, Why: hostile, Timeline: "timeline/S.jsonl",
		Checks: []record.Check{
			{Phase: "act", Expected: hostile, Observed: "garbled \x1b[2J\x00", Verdict: record.Fail},
			{Phase: "act", Expected: "not listed", Verdict: record.Pass},
		},
	}}
	s := summarise(1, results)
	s.Defects, s.BenchFaults, s.Lang = []string{"wrong-prompt-96", "id-length-unchecked"}, []string{"<fault>"}, "zh"
	suite := readJUnit(t, s, results)
	c := suite.Cases[0]
	if c.Name != "S "+hostile || c.Class != "assay.countertop" || c.Out != "timeline/S.jsonl" {
		t.Errorf("case %q of %q, %q", c.Name, c.Class, c.Out)
	}
	if c.Failure.Message != hostile || c.Failure.Type != "terminal" {
		t.Errorf("failure %+v", c.Failure)
	}
	for _, part := range []string{hostile, "garbled \uFFFD[2J\uFFFD", "assay run", "--defect wrong-prompt-96"} {
		if !strings.Contains(c.Failure.Text, part) {
			t.Errorf("no %q in %q", part, c.Failure.Text)
		}
	}
	if strings.Contains(c.Failure.Text, "not listed") {
		t.Errorf("a passed check in %q", c.Failure.Text)
	}
	properties := map[string]string{}
	for _, p := range suite.Properties {
		properties[p.Name] = p.Value
	}
	if properties["defects"] != "wrong-prompt-96,id-length-unchecked" || properties["bench_faults"] != "<fault>" || properties["lang"] != "zh" {
		t.Errorf("properties %v", properties)
	}
	if suite.Timestamp != "2000-01-02T03:04:05" {
		t.Errorf("timestamp %q", suite.Timestamp)
	}
}
