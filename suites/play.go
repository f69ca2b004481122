package suites

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness"
	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/reports"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rungs"
)

// Config is what the specs run on.
type Config struct {
	Items  []Item
	Rung   rungs.Rung
	Folder *reports.Folder
	// Progress is told when an item begins (with a nil result) and when it ends; nil for nobody.
	Progress func(Item, *record.Result)
	// Until is when nothing more is begun; zero is never.
	Until time.Time

	// ctx ends the run; nil never does. Specs are made before they run, so it can't be passed to them.
	ctx context.Context
	// playing holds a token while a spec plays its item; nil where nobody waits for it.
	playing chan struct{}
	// ahead plays items in virtual time before their specs; nil where each spec plays its own.
	ahead *ahead
}

// rung is the one that an item runs on.
func (c Config) rung(item Item) rungs.Rung {
	if item.on != nil {
		return item.on
	}
	return c.Rung
}

func (c Config) progress(item Item, r *record.Result) {
	if c.Progress != nil {
		c.Progress(item, r)
	}
}

// ending says that the run was interrupted, or that its time is over: nothing more is begun.
func (c Config) ending() bool {
	return c.ctx != nil && c.ctx.Err() != nil || !c.Until.IsZero() && !time.Now().Before(c.Until)
}

// whyEnding says why nothing more is begun.
func (c Config) whyEnding() string {
	if c.ctx != nil && c.ctx.Err() != nil {
		return "the run was interrupted"
	}
	return "its time is over: nothing is begun after " + c.Until.Format(time.DateTime)
}

// play runs an item, and records its result before anybody is told.
func (c Config) play(ctx context.Context, item Item) record.Result {
	if c.ctx != nil {
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		defer cancel(nil)
		defer context.AfterFunc(c.ctx, func() { cancel(context.Cause(c.ctx)) })()
	}
	c.progress(item, nil)
	begun := time.Now()
	result := c.begin(ctx, item)
	result.Started, result.WallSeconds = begun.UTC(), time.Since(begun).Seconds()
	return c.record(item, result)
}

// skip records an item that can't run here.
func (c Config) skip(item Item) {
	result := blank(item, c.rung(item).Name())
	result.Verdict, result.Why, result.Started = record.Skipped, item.Skip, time.Now().UTC()
	c.record(item, result)
}

func (c Config) record(item Item, result record.Result) record.Result {
	if err := c.Folder.Add(result); err != nil {
		// What is not on disk did not happen.
		result.Verdict, result.Cause, result.Why = record.Inconclusive, record.Harness, fmt.Sprintf("the result could not be recorded: %v", err)
	}
	c.progress(item, &result)
	return result
}

// begin notes that the item begins, and runs it.
func (c Config) begin(ctx context.Context, item Item) record.Result {
	if err := c.Folder.Start(item.Name); err != nil {
		return ended(blank(item, c.rung(item).Name()), record.Harness, fmt.Errorf("its beginning could not be recorded: %w", err))
	}
	relative := c.Folder.Timeline(item.Name)
	result := Play(ctx, c.rung(item), item, filepath.Join(c.Folder.Path(), relative), c.Folder.Keep)
	result.Name, result.Timeline = item.Name, relative
	return result
}

// Play has a rung run one item, and writes its timeline to a file that is not there yet. Whatever keeps it from a verdict is
// a verdict too. keep takes evidence by its digest, as harness.Timeline.KeepEvidence says; nil keeps none. On the rung virtual
// items may be played at the same time.
func Play(ctx context.Context, rung rungs.Rung, item Item, path string, keep harness.Keep) record.Result {
	var result record.Result
	var begun bool
	var err error
	if item.made.neighbour != nil {
		err = rungs.DoPair(ctx, rung, item.wanted(), func(ctx context.Context, one, other *harness.Session) {
			result, begun = playPair(ctx, one, other, item, path, keep), true
		})
	} else {
		err = rung.Do(ctx, item.wanted(), func(ctx context.Context, s *harness.Session) record.Result {
			result, begun = playOn(ctx, s, item.Scenario, blank(item, rung.Name()), path, keep), true
			return result
		})
	}
	switch {
	case !begun:
		result = neverBegan(ctx, rung, item, path, err)
	case errors.As(err, new(*rungs.PanicError)):
		result = ended(result, record.Harness, err)
	case err != nil && result.Verdict == record.Fail:
		result.Checks = append(result.Checks, record.Check{Phase: "run", What: "teardown", Expected: "the rig is taken down", Observed: err.Error(), Verdict: record.Inconclusive, Cause: record.Rig})
	case err != nil:
		result = ended(result, record.Rig, fmt.Errorf("the rig could not be taken down: %w", err))
	}
	return result
}

// playOn runs a scenario on a session and writes its timeline. A run for which there is none is what blank says of it.
func playOn(ctx context.Context, s *harness.Session, sc *scenarios.Scenario, blank record.Result, path string, keep harness.Keep) record.Result {
	tl, err := harness.CreateTimeline(path)
	if err != nil {
		return ended(blank, record.Harness, err)
	}
	defer tl.Close() // also when a defect of ours ends the world; what it says of a fault counts below
	if keep != nil {
		tl.KeepEvidence(keep)
	}
	result := s.Run(ctx, sc, tl)
	if err := tl.Close(); err != nil {
		return ended(result, record.Harness, err)
	}
	return result
}

// neverBegan is the result of an item for which no world could be built.
func neverBegan(ctx context.Context, rung rungs.Rung, item Item, path string, err error) record.Result {
	cause := record.Harness
	switch {
	case err == nil:
		err = errors.New("the rung did not run the scenario")
	case ctx.Err() != nil:
		err = fmt.Errorf("interrupted before it began: %w", context.Cause(ctx))
	case errors.As(err, new(*rigs.Error)):
		cause = record.Rig
	}
	if tl, create := harness.CreateTimeline(path); create == nil {
		tl.Now("harness", "stop", map[string]string{"phase": "open", "cause": string(cause), "why": err.Error()})
		_ = tl.Close() // the result says the same
	}
	return ended(blank(item, rung.Name()), cause, err)
}

// ended makes a result inconclusive.
func ended(r record.Result, cause record.Cause, err error) record.Result {
	r.Verdict, r.Cause, r.Why = record.Inconclusive, cause, err.Error()
	r.Checks = append(r.Checks, record.Check{Phase: "run", What: "run", Expected: "the scenario runs to its end", Observed: err.Error(), Verdict: record.Inconclusive, Cause: cause})
	return r
}

func blank(item Item, rig string) record.Result {
	sc := item.Scenario
	return record.Result{Name: item.Name, Scenario: sc.ID, TitleEN: sc.Title.EN, TitleZH: sc.Title.ZH, Article: sc.Cause, Labels: sc.Labels,
		Profile: item.Profile.ID, Lang: item.Lang, Rig: rig}
}
