package reports

import (
	"time"

	"github.com/assay-hil/assay/harness/record"
)

// Format is the version of the run folder. It grows by one when a reader of the last one would
// misread what is written; new fields alone do not change it. The JSON Schemas beside this file say what
// each file holds.
const Format = "assay-run/1"

// Plan is what was meant to run, written before anything does.
type Plan struct {
	Format string `json:"format"`
	Items  []Item `json:"items"`
	// Guide has the cashier's page for each scenario that is planned: what is seen, why, what to do.
	Guide map[string]Text `json:"guide,omitempty"`
}

// Item is one scenario on one profile.
type Item struct {
	Name     string   `json:"name"` // its own in the plan
	Scenario string   `json:"scenario"`
	Title    Text     `json:"title"`
	Profile  string   `json:"profile"`
	Lang     string   `json:"lang"`
	Family   string   `json:"family,omitempty"`
	Article  string   `json:"article,omitempty"`
	Labels   []string `json:"labels,omitempty"`
	// Digest tells whether two runs mean the same by the scenario's id: SHA-256 of all that it says.
	Digest string `json:"digest,omitempty"`
	Skip   string `json:"skip,omitempty"` // why it will not run
}

// Text is a wording in both languages of the catalogue.
type Text struct {
	EN string `json:"en"`
	ZH string `json:"zh"`
}

// Environment is what was run, on what: enough to know later whether two runs can be compared.
type Environment struct {
	Format  string `json:"format"`
	Version string `json:"version"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	// Binary, Catalogue and RigFileDigest are SHA-256, in hexadecimal.
	Binary        string `json:"binary,omitempty"`
	Catalogue     string `json:"catalogue,omitempty"`
	Rig           string `json:"rig"`
	RigFile       string `json:"rig_file,omitempty"`
	RigFileDigest string `json:"rig_file_digest,omitempty"`
	// Profiles that are planned, by id.
	Profiles map[string]ProfileFacts `json:"profiles,omitempty"`
}

// ProfileFacts is what a report needs of a terminal profile.
type ProfileFacts struct {
	Title  Text   `json:"title"`
	Digest string `json:"digest"` // SHA-256 of all that the profile says, scaled as it was run
	Host   string `json:"host"`   // the dialect
	// Scale is the factor by which its timers and budgets were shortened.
	Scale float64 `json:"scale"`
	// BudgetsUS are its budgets in microseconds.
	BudgetsUS map[string]int64 `json:"budgets_us,omitempty"`
}

// Summary is the run in numbers. The six counts after Planned and NotRun add up to it.
type Summary struct {
	Format       string `json:"format"`
	Planned      int    `json:"planned"`
	Passed       int    `json:"passed"`
	Marginal     int    `json:"marginal"`
	Failed       int    `json:"failed"`
	Inconclusive int    `json:"inconclusive"`
	Skipped      int    `json:"skipped"`
	// NotRun are planned scenarios that the run did not come to: it was interrupted, or it is still going.
	NotRun int `json:"not_run"`
	// Attempts are all results; Retried are the planned scenarios that took more than one.
	Attempts int `json:"attempts,omitempty"`
	Retried  int `json:"retried,omitempty"`

	Rig string `json:"rig"`
	// RigFile is what the rig was given as, where that is not its name: a lab's rig file.
	RigFile string `json:"rig_file,omitempty"`
	Profile string `json:"profile"`
	Lang    string `json:"lang"`
	Seed    int64  `json:"seed"`
	Version string `json:"version"`
	// Firmware that terminals said they have, sorted.
	Firmware []string `json:"firmware,omitempty"`
	// Hosts is where issuer and injector ran, if not in the process of the run.
	Hosts string `json:"hosts,omitempty"`
	// Defects and BenchFaults were planted on purpose; a run with any certifies nothing.
	Defects     []string  `json:"defects,omitempty"`
	BenchFaults []string  `json:"bench_faults,omitempty"`
	Started     time.Time `json:"started"`
	// WallSeconds is real time, TerminalSeconds the sum of the scenarios' in the terminal's time.
	WallSeconds     float64 `json:"wall_seconds"`
	TerminalSeconds float64 `json:"terminal_seconds"`
	// Leaks are places in the folder where the final scan found card data in clear, at most maxLeaks. With any,
	// the run is worth nothing, whatever its verdicts: cause harness.
	Leaks []Leak `json:"leaks,omitempty"`
	// Scanned is set when the final scan has looked at every file.
	Scanned bool `json:"scanned,omitempty"`
	// Complete is set when the run came to its end, interrupted or not. Without it the process died.
	Complete bool `json:"complete"`
}

// Leak is card data in clear, without saying which.
type Leak struct {
	File string `json:"file"` // within the folder
	What string `json:"what"`
	Line int    `json:"line,omitempty"` // from 1; 0 in a file without lines
}

// count adds a verdict to the counts, n times; -1 takes it out.
func (s *Summary) count(v record.Verdict, n int) {
	s.NotRun -= n
	switch v {
	case record.Pass:
		s.Passed += n
	case record.Marginal:
		s.Marginal += n
	case record.Fail:
		s.Failed += n
	case record.Skipped:
		s.Skipped += n
	case record.NotRun:
		s.NotRun += n
	default:
		s.Inconclusive += n
	}
}

// Decide is what the attempts of one planned scenario come to: a failure of the terminal stands, else the
// last attempt decides.
func Decide(attempts []record.Result) record.Result {
	for _, r := range attempts {
		if r.Verdict == record.Fail {
			return r
		}
	}
	return attempts[len(attempts)-1]
}
