// Package record holds what a run leaves behind, as types: the timeline's events, verdicts
// and causes, the result of one scenario. The harness writes them, reports read them.
package record

import "time"

// Event is one line of a timeline. It was masked before it became an Event.
type Event struct {
	Seq    int               `json:"seq"`
	US     int64             `json:"us"` // microseconds since the timeline's start, monotonic
	Wall   time.Time         `json:"wall"`
	Source string            `json:"source"` // harness, keypad, card, display, power, printer, network, issuer
	Kind   string            `json:"kind"`
	Fields map[string]string `json:"fields,omitempty"`
}

// At is the event's time since the timeline's start.
func (e Event) At() time.Duration { return time.Duration(e.US) * time.Microsecond }

// Verdict is what the judge says of one scenario.
type Verdict string

// The verdicts. Skipped and NotRun are not the judge's: the scenario never began.
const (
	Pass         Verdict = "pass"
	Marginal     Verdict = "marginal"
	Fail         Verdict = "fail"
	Inconclusive Verdict = "inconclusive"
	Skipped      Verdict = "skipped"
	NotRun       Verdict = "not-run"
)

// Cause says whose fault a verdict is. Only Terminal fails a terminal.
type Cause string

// The cause classes. What nobody classified is Harness.
const (
	None     Cause = ""
	Terminal Cause = "terminal"
	Rig      Cause = "rig"
	Issuer   Cause = "issuer"
	Network  Cause = "network"
	Config   Cause = "config"
	Harness  Cause = "harness"
)

// Check is one expectation and what was observed.
type Check struct {
	Phase    string  `json:"phase"` // act, recover, audit
	What     string  `json:"what"`  // prompt, code, host, ledger, budget …
	Expected string  `json:"expected"`
	Observed string  `json:"observed"`
	Verdict  Verdict `json:"verdict"`
	Cause    Cause   `json:"cause,omitempty"`
	Why      string  `json:"why,omitempty"`
	// Measured, Limit and Uncertainty belong to a check with a budget; microseconds.
	Budget        string `json:"budget,omitempty"`
	MeasuredUS    int64  `json:"measured_us,omitempty"`
	LimitUS       int64  `json:"limit_us,omitempty"`
	UncertaintyUS int64  `json:"uncertainty_us,omitempty"`
	// Floor is the part of Limit that the terminal's own timer takes; what is allowed above it is the allowance.
	FloorUS int64 `json:"floor_us,omitempty"`
	// AtUS is where on the timeline it was decided; 0 when nowhere.
	AtUS int64 `json:"at_us,omitempty"`
}

// Evidence is a piece of evidence that is not in the timeline. The run folder keeps each once, by
// its digest, however many results refer to it.
type Evidence struct {
	Kind   string `json:"kind"` // one of the kinds below
	Name   string `json:"name"` // for people, for example "receipt 2.txt"
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
}

// Kinds of evidence.
const (
	Receipt   = "receipt"   // what the printer printed up to a cut; text
	Screens   = "screens"   // every different screen that was shown, in order; text
	Journal   = "journal"   // the host's journal: an issuer's entry a line, masked; JSON lines
	Capture   = "pcap"      // what passed between terminal and host, masked; pcapng
	WireLog   = "wire"      // the shape of what passed an instrument's line; text
	Container = "container" // what a container said; text
	RigFacts  = "rig"       // what is known of the rig: its own latencies; JSON
	Other     = "other"
)

// Result is one attempt of one scenario on one profile, as it ended.
type Result struct {
	// Name is the plan's name of what was run. Results of the same name are attempts.
	Name     string    `json:"name,omitempty"`
	Attempt  int       `json:"attempt,omitempty"` // from 1; 0 means 1
	Scenario string    `json:"scenario"`
	TitleEN  string    `json:"title_en"`
	TitleZH  string    `json:"title_zh"`
	Article  string    `json:"article,omitempty"` // what it proves, for example article/A-01
	Profile  string    `json:"profile"`
	Lang     string    `json:"lang"`
	Rig      string    `json:"rig"`
	Labels   []string  `json:"labels,omitempty"`
	Verdict  Verdict   `json:"verdict"`
	Cause    Cause     `json:"cause,omitempty"`
	Why      string    `json:"why,omitempty"` // one sentence
	Checks   []Check   `json:"checks,omitempty"`
	Started  time.Time `json:"started"`
	// TerminalSeconds is the scenario's length in the terminal's time (virtual on that rung).
	TerminalSeconds float64 `json:"terminal_seconds"`
	WallSeconds     float64 `json:"wall_seconds"`
	Timeline        string  `json:"timeline,omitempty"` // path inside the run folder
	Firmware        string  `json:"firmware,omitempty"` // as the terminal itself says
	// Evidence that was kept of this attempt.
	Evidence []Evidence `json:"evidence,omitempty"`
}

// ID is what the plan calls the item that the result belongs to; of a record without names, scenario and profile.
func (r Result) ID() string {
	switch {
	case r.Name != "":
		return r.Name
	case r.Profile != "":
		return r.Scenario + "@" + r.Profile
	}
	return r.Scenario
}
