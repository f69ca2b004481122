package reports

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/assay-hil/assay/harness/record"
)

// Metrics writes a run for the textfile collector of Prometheus' node exporter.
func Metrics(run *Run) ([]byte, error) {
	s := run.Summary
	var b bytes.Buffer
	labels := labelled("rig", s.Rig, "profile", s.Profile, "firmware", strings.Join(s.Firmware, ","))
	metric := func(name, help string, value float64) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n%s{%s} %s\n", name, help, name, name, labels, number(value))
	}
	const scenarios = "assay_run_scenarios"
	fmt.Fprintf(&b, "# HELP %s Planned scenarios of the last run by verdict.\n# TYPE %s gauge\n", scenarios, scenarios)
	for _, v := range []struct {
		verdict record.Verdict
		n       int
	}{{record.Pass, s.Passed}, {record.Marginal, s.Marginal}, {record.Fail, s.Failed}, {record.Inconclusive, s.Inconclusive}, {record.Skipped, s.Skipped}, {record.NotRun, s.NotRun}} {
		fmt.Fprintf(&b, "%s{%s,%s} %d\n", scenarios, labels, labelled("verdict", string(v.verdict)), v.n)
	}
	metric("assay_run_planned", "Scenarios planned.", float64(s.Planned))
	metric("assay_run_retried", "Scenarios that took more than one attempt.", float64(s.Retried))
	metric("assay_run_started_seconds", "When the last run began, since 1970.", float64(s.Started.UnixMilli())/1000)
	metric("assay_run_duration_seconds", "How long it took.", s.WallSeconds)
	metric("assay_run_complete", "1 when it came to its end.", boolean(s.Complete))
	metric("assay_run_leaks", "Places with card data in clear in its folder.", float64(len(s.Leaks)))
	budgets := latencies(run.Results)
	if len(budgets) > 0 {
		const latency = "assay_budget_latency_seconds"
		fmt.Fprintf(&b, "# HELP %s Measured times by budget; no quantile from too few samples.\n# TYPE %s summary\n", latency, latency)
		for _, name := range slices.Sorted(maps.Keys(budgets)) {
			with := labels + "," + labelled("budget", name)
			samples := budgets[name]
			sum := 0.0
			for _, us := range samples {
				sum += float64(us) / 1e6
			}
			for _, q := range Quantiles(samples) {
				fmt.Fprintf(&b, "%s{%s,quantile=\"%g\"} %s\n", latency, with, q.Q, number(float64(q.US)/1e6))
			}
			fmt.Fprintf(&b, "%s_sum{%s} %s\n%s_count{%s} %d\n", latency, with, number(sum), latency, with, len(samples))
		}
	}
	return b.Bytes(), nil
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// labelled writes pairs of label names and values.
func labelled(pairs ...string) string {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	var parts []string
	for i := 0; i+1 < len(pairs); i += 2 {
		parts = append(parts, fmt.Sprintf(`%s="%s"`, pairs[i], escape.Replace(pairs[i+1])))
	}
	return strings.Join(parts, ",")
}

// latencies gives what was measured against each budget, in microseconds, sorted.
func latencies(results []record.Result) map[string][]int64 {
	all := map[string][]int64{}
	for _, r := range results {
		for _, c := range r.Checks {
			if c.Budget != "" && c.LimitUS > 0 && (c.Verdict == record.Pass || c.Verdict == record.Marginal || c.MeasuredUS > 0) {
				all[c.Budget] = append(all[c.Budget], c.MeasuredUS)
			}
		}
	}
	for _, samples := range all {
		slices.Sort(samples)
	}
	return all
}

// Quantile is one quantile of some samples.
type Quantile struct {
	Q  float64
	US int64 // microseconds
}

// fewest samples from which a quantile is told: with fewer, it says something about one or two of them.
var fewest = []struct {
	q float64
	n int
}{{0.5, 1}, {0.95, 20}, {0.99, 100}}

// Quantiles gives the median, and the 95th and 99th percentile where there are samples enough: 20 and 100. Samples
// are sorted; the quantile is the smallest sample that so many are not above.
func Quantiles(sorted []int64) []Quantile {
	var all []Quantile
	for _, f := range fewest {
		if len(sorted) >= f.n {
			i := int(f.q*float64(len(sorted))+0.999999) - 1
			all = append(all, Quantile{f.q, sorted[max(i, 0)]})
		}
	}
	return all
}
