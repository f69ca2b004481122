package reports

import (
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/assay-hil/assay/harness/record"
)

// The JUnit form that CI systems read. A terminal's failure is a failure; what is inconclusive
// is an error: the test could not say.
type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Name    string       `xml:"name,attr"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitProblem `xml:"failure,omitempty"`
	Error   *junitProblem `xml:"error,omitempty"`
	Skipped *junitProblem `xml:"skipped,omitempty"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitProblem struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit writes the results as JUnit XML.
func JUnit(s Summary, results []record.Result) ([]byte, error) {
	suite := junitSuite{
		Name: "assay", Tests: s.Planned, Failures: s.Failed, Errors: s.Inconclusive, Skipped: s.Skipped + s.NotRun,
		Time: fmt.Sprintf("%.3f", s.WallSeconds), Timestamp: s.Started.Format("2006-01-02T15:04:05"),
		Properties: []junitProperty{
			{"rig", s.Rig}, {"profile", s.Profile}, {"lang", s.Lang}, {"version", s.Version}, {"seed", fmt.Sprint(s.Seed)},
			{"defects", strings.Join(s.Defects, ",")}, {"bench_faults", strings.Join(s.BenchFaults, ",")},
		},
	}
	for _, r := range results {
		suite.Cases = append(suite.Cases, junitCaseOf(s, r))
	}
	missing := s.Planned - len(results) // NotRun counts results that say so too
	for n := range missing {
		suite.Cases = append(suite.Cases, junitCase{Class: "assay", Name: fmt.Sprintf("not run %d", n+1), Time: "0", Skipped: &junitProblem{Message: "the run ended before"}})
	}
	b, err := xml.MarshalIndent(junitSuites{Name: "assay", Suites: []junitSuite{suite}}, "", "  ")
	return append([]byte(xml.Header), append(b, '\n')...), err
}

func junitCaseOf(s Summary, r record.Result) junitCase {
	c := junitCase{Class: "assay." + r.Profile, Name: r.Scenario + " " + r.TitleEN, Time: fmt.Sprintf("%.3f", r.WallSeconds), Out: r.Timeline}
	problem := &junitProblem{Type: string(r.Cause), Message: r.Why, Text: checkLines(r) + "again: " + s.replay(r) + "\n"}
	switch r.Verdict {
	case record.Pass, record.Marginal:
	case record.Fail:
		c.Failure = problem
	case record.Skipped, record.NotRun:
		c.Skipped = &junitProblem{Message: r.Why}
	default:
		c.Error = problem
	}
	return c
}

// checkLines lists what was not as expected.
func checkLines(r record.Result) string {
	var b strings.Builder
	for _, c := range r.Checks {
		if c.Verdict != record.Pass {
			fmt.Fprintf(&b, "%s %s: expected %s; observed %s\n", c.Phase, c.Verdict, c.Expected, c.Observed)
		}
	}
	return b.String()
}
