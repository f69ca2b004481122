package suites

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness"
	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/rungs"
)

// staging is what a scenario needs of its world that no file can say.
type staging struct {
	stage rungs.Stage
	// neighbour is what a second terminal does at the same issuer meanwhile; nil: there is none.
	neighbour *scenarios.Scenario
}

func (s staging) needed() bool { return s.stage != rungs.Stage{} || s.neighbour != nil }

// playPair runs an item on one session, and on the other what its neighbour does, whose timeline lies beside the item's own.
// What is wrong with either is the verdict.
func playPair(ctx context.Context, one, other *harness.Session, item Item, path string, keep harness.Keep) record.Result {
	beside := strings.TrimSuffix(path, filepath.Ext(path)) + ".neighbour" + filepath.Ext(path)
	unmade := blank(item, rungs.Virtual)
	var own, next record.Result
	var both sync.WaitGroup
	both.Go(func() { own = playOn(ctx, one, item.Scenario, unmade, path, keep) })
	both.Go(func() { next = playOn(ctx, other, item.made.neighbour, unmade, beside, keep) })
	both.Wait()
	for _, check := range next.Checks {
		check.What = "second terminal: " + check.What
		own.Checks = append(own.Checks, check)
	}
	if passes := []record.Verdict{record.Pass, record.Marginal}; slices.Contains(passes, own.Verdict) && !slices.Contains(passes, next.Verdict) {
		own.Verdict, own.Cause, own.Why = next.Verdict, next.Cause, "the second terminal: "+next.Why
	}
	return own
}
