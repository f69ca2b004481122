package bringup

import (
	"cmp"
	"slices"
	"time"

	"github.com/assay-hil/assay/rungs"
)

// Status says how a step of a check went.
type Status string

// The statuses of a Finding.
const (
	OK      Status = "ok"
	Warn    Status = "warn"    // works, but is not as it should be
	Failed  Status = "failed"  // does not work
	Skipped Status = "skipped" // was not tried, for a reason
)

// Finding is one line of a check.
type Finding struct {
	Subject string `json:"subject"` // an instrument, "rig file", "uplink primary", "issuer", "network"
	Step    string `json:"step"`
	Status  Status `json:"status"`
	Detail  string `json:"detail,omitempty"`
	Fix     string `json:"fix,omitempty"` // what to do about it
	Took    Millis `json:"took_ms"`
}

// Millis is a time in milliseconds in JSON.
type Millis float64

func millis(d time.Duration) Millis { return Millis(float64(d.Microseconds()) / 1000) }

// Report is what a check found.
type Report struct {
	Rig          string    `json:"rig"`
	File         string    `json:"file"`
	Terminal     string    `json:"terminal"`
	At           time.Time `json:"at"`
	OK           bool      `json:"ok"` // nothing failed
	Capabilities []string  `json:"capabilities"`
	Findings     []Finding `json:"findings"`
	// Latencies are the rig's own; Uncertainty is that of a time between two of its instruments, 0 where
	// too little was there to measure it.
	Latencies   []Latency `json:"latencies"`
	Uncertainty Millis    `json:"uncertainty_ms"`
}

// Latency is one of the rig's own delays.
type Latency struct {
	Name   string `json:"name"`
	From   string `json:"what"`
	Median Millis `json:"median_ms"`
	Spread Millis `json:"spread_ms"`
	Count  int    `json:"count"`
}

// samples are measurements of one delay.
type samples struct {
	name, from string
	values     []time.Duration
}

func (s *samples) add(d time.Duration) { s.values = append(s.values, d) }

// summary gives the median and the spread; false without measurements.
func (s *samples) summary() (rungs.Latency, bool) {
	if len(s.values) == 0 {
		return rungs.Latency{}, false
	}
	sorted := slices.Clone(s.values)
	slices.Sort(sorted)
	return rungs.Latency{
		Name: s.name, From: s.from, Count: len(sorted),
		Median: sorted[len(sorted)/2], Spread: sorted[len(sorted)-1] - sorted[0],
	}, true
}

// least is the smallest uncertainty that a few measurements can show: they don't meet the worst case.
const least = 5 * time.Millisecond

// uncertainty of a time between two instruments is how much the slowest way varies. The finger's own
// variation is in every press's two times already and does not count again.
func uncertainty(all []rungs.Latency) time.Duration {
	var worst time.Duration
	measured := false
	for _, l := range all {
		if l.Name == displayLatency || l.Name == networkLatency {
			worst, measured = max(worst, l.Spread), measured || l.Name == displayLatency
		}
	}
	if !measured {
		return 0
	}
	return max(least, worst)
}

// Names of the latencies.
const (
	pressLatency   = "press"
	displayLatency = "display"
	networkLatency = "network"
)

// conclude sums the report up, and gives what a run is told.
func (r *Report) conclude(all []samples) rungs.Measured {
	r.OK = !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Status == Failed })
	m := rungs.Measured{At: r.At}
	for _, s := range all {
		if l, ok := s.summary(); ok {
			m.Latencies = append(m.Latencies, l)
			r.Latencies = append(r.Latencies, Latency{l.Name, l.From, millis(l.Median), millis(l.Spread), l.Count})
		}
	}
	slices.SortFunc(r.Latencies, func(a, b Latency) int { return cmp.Compare(a.Name, b.Name) })
	m.Uncertainty = uncertainty(m.Latencies)
	r.Uncertainty = millis(m.Uncertainty)
	return m
}
