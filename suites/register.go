package suites

import (
	"context"
	"fmt"
	"time"

	"github.com/onsi/ginkgo/v2"

	"github.com/assay-hil/assay/harness/record"
)

// specLimit bounds one spec in real time: longer than the slowest scenario with a real terminal's timers,
// shorter than a night.
const specLimit = 30 * time.Minute

// specGrace is how long a spec may take to make its rig safe after it was interrupted.
const specGrace = 3 * time.Minute

// Register makes a spec for each planned item, in the plan's order. Call it once before RunSpecs.
func Register(cfg Config) {
	for i, item := range cfg.Items {
		where := item.Profile.ID
		if item.on != nil {
			where += "@" + item.on.Name()
		}
		ginkgo.It(fmt.Sprintf("%s on %s: %s", item.Scenario.ID, where, item.Scenario.Title.EN),
			ginkgo.Label(LabelsOf(item.Scenario)...), ginkgo.SpecTimeout(specLimit), ginkgo.GracePeriod(specGrace),
			ginkgo.SpecPriority(len(cfg.Items)-i), // Ginkgo shuffles what has no priority
			func(ctx ginkgo.SpecContext) { spec(ctx, cfg, item) })
	}
}

// spec runs one item and tells Ginkgo. Only pass and marginal pass: Ginkgo has no word for inconclusive, so
// that fails too, and says what it is.
func spec(ctx context.Context, cfg Config, item Item) {
	ginkgo.GinkgoHelper()
	if cfg.ending() && !cfg.isAhead(item) { // what was begun ahead has a result
		ginkgo.Skip(cfg.whyEnding())
	}
	if item.Skip != "" {
		cfg.skip(item)
		ginkgo.Skip(item.Skip) // the exact missing capability
	}
	result, played := cfg.result(ctx, item)
	if !played {
		ginkgo.Skip(cfg.whyEnding())
	}
	ginkgo.AddReportEntry("verdict", string(result.Verdict)+" "+result.Timeline, ginkgo.ReportEntryVisibilityNever)
	switch result.Verdict {
	case record.Pass, record.Marginal:
	case record.Fail:
		ginkgo.Fail(fmt.Sprintf("%s: %s", result.Cause, result.Why))
	default:
		ginkgo.Fail(fmt.Sprintf("%s (%s), not the terminal's failure: %s", result.Verdict, result.Cause, result.Why))
	}
}
