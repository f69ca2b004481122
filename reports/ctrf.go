package reports

import (
	"encoding/json"

	"github.com/assay-hil/assay/harness/record"
)

// The Common Test Report Format, https://ctrf.io: what dashboards of several CI systems read.
type ctrfReport struct {
	ReportFormat string      `json:"reportFormat"`
	SpecVersion  string      `json:"specVersion"`
	Results      ctrfResults `json:"results"`
}

type ctrfResults struct {
	Tool        ctrfTool        `json:"tool"`
	Summary     ctrfSummary     `json:"summary"`
	Tests       []ctrfTest      `json:"tests"`
	Environment ctrfEnvironment `json:"environment"`
}

type ctrfTool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type ctrfSummary struct {
	Tests   int   `json:"tests"`
	Passed  int   `json:"passed"`
	Failed  int   `json:"failed"`
	Pending int   `json:"pending"`
	Skipped int   `json:"skipped"`
	Other   int   `json:"other"`
	Start   int64 `json:"start"` // milliseconds since 1970
	Stop    int64 `json:"stop"`
}

type ctrfEnvironment struct {
	TestEnvironment string    `json:"testEnvironment"`
	OSPlatform      string    `json:"osPlatform,omitempty"`
	BuildNumber     string    `json:"buildNumber,omitempty"`
	Extra           ctrfExtra `json:"extra"`
}

type ctrfExtra struct {
	Profile  string   `json:"profile,omitempty"`
	Firmware []string `json:"firmware,omitempty"`
	Article  string   `json:"article,omitempty"`
	Cause    string   `json:"cause,omitempty"`
	Replay   string   `json:"replay,omitempty"`
}

type ctrfTest struct {
	Name      string     `json:"name"`
	Status    string     `json:"status"` // passed, failed, skipped, pending, other
	RawStatus string     `json:"rawStatus"`
	Duration  int64      `json:"duration"` // milliseconds
	Start     int64      `json:"start,omitempty"`
	Suite     string     `json:"suite,omitempty"`
	Message   string     `json:"message,omitempty"`
	Trace     string     `json:"trace,omitempty"`
	Tags      []string   `json:"tags,omitempty"`
	FilePath  string     `json:"filePath,omitempty"`
	Retries   int        `json:"retries,omitempty"`
	Flaky     bool       `json:"flaky,omitempty"`
	Extra     *ctrfExtra `json:"extra,omitempty"`
}

// CTRF writes a run in the Common Test Report Format. What is inconclusive is "other": it has no word for it.
func CTRF(run *Run) ([]byte, error) {
	s := run.Summary
	start := s.Started.UnixMilli()
	report := ctrfReport{ReportFormat: "CTRF", SpecVersion: "0.0.0", Results: ctrfResults{
		Tool: ctrfTool{"assay", s.Version},
		Summary: ctrfSummary{Tests: s.Planned, Passed: s.Passed + s.Marginal, Failed: s.Failed, Pending: s.NotRun, Skipped: s.Skipped,
			Other: s.Inconclusive, Start: start, Stop: start + int64(s.WallSeconds*1000)},
		Environment: ctrfEnvironment{TestEnvironment: s.Rig, OSPlatform: run.Environment.OS, BuildNumber: s.Version,
			Extra: ctrfExtra{Profile: s.Profile, Firmware: s.Firmware}},
		Tests: []ctrfTest{},
	}}
	for _, o := range run.Outcomes() {
		report.Results.Tests = append(report.Results.Tests, ctrfTestOf(s, o))
	}
	b, err := json.Marshal(report)
	return append(b, '\n'), err
}

func ctrfTestOf(s Summary, o Outcome) ctrfTest {
	r := o.Result
	t := ctrfTest{Name: o.Item.Name, RawStatus: string(r.Verdict), Duration: int64(r.WallSeconds * 1000), Suite: o.Item.Family, Message: r.Why,
		Tags: r.Labels, FilePath: r.Timeline, Retries: max(len(o.Attempts)-1, 0)}
	if !r.Started.IsZero() {
		t.Start = r.Started.UnixMilli()
	}
	switch r.Verdict {
	case record.Pass, record.Marginal:
		t.Status, t.Flaky = "passed", t.Retries > 0
	case record.Fail:
		t.Status = "failed"
	case record.Skipped:
		t.Status = "skipped"
	case record.NotRun:
		t.Status = "pending"
	default:
		t.Status = "other"
	}
	if rank(r.Verdict) <= rank(record.Inconclusive) {
		t.Trace = checkLines(r)
		t.Extra = &ctrfExtra{Article: r.Article, Cause: string(r.Cause), Replay: s.replay(r)}
	}
	return t
}
