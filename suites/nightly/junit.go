package nightly

import (
	"encoding/xml"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/assay-hil/assay/harness/record"
)

// The JUnit form that CI systems read: a suite for each rig. A terminal's failure is a failure; what is
// inconclusive is an error.
type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Name    string       `xml:"name,attr"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Errors    int         `xml:"errors,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Time      string      `xml:"time,attr"`
	Timestamp string      `xml:"timestamp,attr"`
	Cases     []junitCase `xml:"testcase"`
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
}

func junit(s Summary) ([]byte, error) {
	all := junitSuites{Name: s.Plan}
	for _, r := range s.Rigs {
		suite := junitSuite{Name: r.Name, Tests: r.Planned, Failures: r.Failed, Errors: r.Inconclusive, Skipped: r.Skipped + r.NotRun,
			Time: fmt.Sprintf("%.3f", r.Seconds), Timestamp: s.Begun.Format("2006-01-02T15:04:05")}
		for _, o := range r.Outcomes {
			suite.Cases = append(suite.Cases, junitCaseOf(r.Name, o))
		}
		all.Suites = append(all.Suites, suite)
	}
	b, err := xml.MarshalIndent(all, "", "  ")
	return append([]byte(xml.Header), append(b, '\n')...), err
}

func junitCaseOf(rig string, o Outcome) junitCase {
	var seconds float64
	for _, a := range o.Attempts {
		seconds += a.Seconds
	}
	c := junitCase{Class: "assay." + rig + "." + o.Profile, Name: o.name(), Time: fmt.Sprintf("%.3f", seconds), Out: o.attemptLines()}
	problem := &junitProblem{Type: string(o.Cause), Message: o.Why}
	switch o.Verdict {
	case record.Pass, record.Marginal:
	case record.Fail:
		c.Failure = problem
	case record.Skipped, record.NotRun:
		c.Skipped = problem
	default:
		c.Error = problem
	}
	return c
}

// name tells an outcome from the rig's others.
func (o Outcome) name() string {
	name := o.Scenario + " " + o.Title + " (" + o.Lang + ")"
	if o.Repeat > 1 {
		name += fmt.Sprintf(" [repeat %d]", o.Repeat)
	}
	return name
}

// attemptLines lists every attempt, a line each.
func (o Outcome) attemptLines() string {
	var b strings.Builder
	for i, a := range o.Attempts {
		fmt.Fprintf(&b, "attempt %d: %s\n", i+1, a)
	}
	return b.String()
}

// String says an attempt in a line.
func (a Attempt) String() string {
	words := []string{string(a.Verdict)}
	if a.Interrupted {
		words = append(words, "(interrupted, does not count)")
	}
	if a.Cause != record.None {
		words = append(words, "(cause "+string(a.Cause)+")")
	}
	if a.Why != "" {
		words = append(words, a.Why)
	}
	if a.Timeline != "" {
		words = append(words, "["+path.Clean(filepath.ToSlash(a.Timeline))+"]")
	}
	return strings.Join(words, " ")
}
