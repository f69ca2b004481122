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
	Class      string           `xml:"classname,attr"`
	Name       string           `xml:"name,attr"`
	Time       string           `xml:"time,attr"`
	Properties *junitProperties `xml:"properties,omitempty"`
	Failure    *junitProblem    `xml:"failure,omitempty"`
	Error      *junitProblem    `xml:"error,omitempty"`
	Skipped    *junitProblem    `xml:"skipped,omitempty"`
	// Flaky are attempts that were not well before one that was, as Maven Surefire writes them; there is no
	// agreed element.
	Flaky []junitProblem `xml:"flakyFailure,omitempty"`
	Out   string         `xml:"system-out,omitempty"`
}

type junitProperties struct {
	List []junitProperty `xml:"property"`
}

type junitProblem struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit writes a run as JUnit XML: a case for everything that was planned, each attempt in its
// properties.
func JUnit(run *Run) ([]byte, error) {
	s := run.Summary
	suite := junitSuite{
		Name: "assay", Tests: s.Planned, Failures: s.Failed, Errors: s.Inconclusive, Skipped: s.Skipped + s.NotRun,
		Time: fmt.Sprintf("%.3f", s.WallSeconds), Timestamp: s.Started.Format("2006-01-02T15:04:05"),
		Properties: []junitProperty{
			{"rig", s.Rig}, {"profile", s.Profile}, {"lang", s.Lang}, {"version", s.Version}, {"seed", fmt.Sprint(s.Seed)},
			{"firmware", strings.Join(s.Firmware, ",")}, {"defects", strings.Join(s.Defects, ",")}, {"bench_faults", strings.Join(s.BenchFaults, ",")},
		},
	}
	for _, o := range run.Outcomes() {
		suite.Cases = append(suite.Cases, junitCaseOf(s, o))
	}
	if len(s.Leaks) > 0 {
		suite.Tests, suite.Errors = suite.Tests+1, suite.Errors+1
		suite.Cases = append(suite.Cases, junitCase{Class: "assay", Name: "no card data in clear in the run folder", Time: "0",
			Error: &junitProblem{Type: string(record.Harness), Message: s.leaked(), Text: s.leakLines()}})
	}
	b, err := xml.MarshalIndent(junitSuites{Name: "assay", Suites: []junitSuite{suite}}, "", "  ")
	return append([]byte(xml.Header), append(b, '\n')...), err
}

func junitCaseOf(s Summary, o Outcome) junitCase {
	r := o.Result
	if len(o.Attempts) == 0 && r.Scenario == "" { // of a run without a plan
		return junitCase{Class: "assay", Name: o.Item.Name, Time: "0", Skipped: &junitProblem{Message: "the run ended before"}}
	}
	c := junitCase{Class: "assay." + r.Profile, Name: strings.TrimSpace(r.Scenario + " " + r.TitleEN), Time: fmt.Sprintf("%.3f", r.WallSeconds), Out: r.Timeline}
	c.Properties = junitPropertiesOf(o)
	switch r.Verdict {
	case record.Pass, record.Marginal:
		for _, a := range o.Attempts[:len(o.Attempts)-1] {
			c.Flaky = append(c.Flaky, *problem(s, a))
		}
	case record.Fail:
		c.Failure = problem(s, r)
	case record.Skipped, record.NotRun:
		c.Skipped = &junitProblem{Message: r.Why}
	default:
		c.Error = problem(s, r)
	}
	return c
}

func problem(s Summary, r record.Result) *junitProblem {
	return &junitProblem{Type: string(r.Cause), Message: r.Why, Text: checkLines(r) + "again: " + s.replay(r) + "\n"}
}

func junitPropertiesOf(o Outcome) *junitProperties {
	var list []junitProperty
	add := func(name, value string) {
		if value != "" {
			list = append(list, junitProperty{name, value})
		}
	}
	r := o.Result
	add("verdict", string(r.Verdict))
	add("cause", string(r.Cause))
	add("article", r.Article)
	add("labels", strings.Join(r.Labels, ","))
	add("lang", r.Lang)
	add("firmware", r.Firmware)
	for i, a := range o.Attempts {
		if len(o.Attempts) > 1 {
			add(fmt.Sprintf("attempt.%d", i+1), strings.TrimSpace(string(a.Verdict)+" "+string(a.Cause)+" "+a.Timeline))
		}
	}
	for _, e := range r.Evidence {
		add("evidence."+e.Name, "sha256:"+e.SHA256)
	}
	return &junitProperties{list}
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
