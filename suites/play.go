package suites

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

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

	// ctx ends the run; nil never does. Specs are made before they run, so it can't be passed to them.
	ctx context.Context
	// playing holds a token while an item is being played; nil where nobody waits for it.
	playing chan struct{}
}

func (c Config) progress(item Item, r *record.Result) {
	if c.Progress != nil {
		c.Progress(item, r)
	}
}

// ending says that the run was interrupted: nothing more is begun.
func (c Config) ending() bool { return c.ctx != nil && c.ctx.Err() != nil }

// play runs an item, and records its result before anybody is told.
func (c Config) play(ctx context.Context, item Item) record.Result {
	if c.playing != nil {
		c.playing <- struct{}{}
		defer func() { <-c.playing }()
	}
	if c.ctx != nil {
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		defer cancel(nil)
		defer context.AfterFunc(c.ctx, func() { cancel(context.Cause(c.ctx)) })()
	}
	c.progress(item, nil)
	begun := time.Now()
	result := c.run(ctx, item)
	result.Started, result.WallSeconds = begun.UTC(), time.Since(begun).Seconds()
	return c.record(item, result)
}

// skip records an item that can't run here.
func (c Config) skip(item Item) {
	result := blank(item, c.Rung.Name())
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

// run has the rung run the scenario. Whatever keeps it from a verdict is a verdict too.
func (c Config) run(ctx context.Context, item Item) record.Result {
	relative := c.Folder.Timeline(item.Name)
	path := filepath.Join(c.Folder.Path(), relative)
	var result record.Result
	var begun bool
	err := c.Rung.Do(ctx, item.Profile, item.Lang, func(ctx context.Context, s *harness.Session) record.Result {
		tl, err := harness.CreateTimeline(path)
		if err != nil {
			result = ended(blank(item, c.Rung.Name()), record.Harness, err)
			begun = true
			return result
		}
		result = s.Run(ctx, item.Scenario, tl)
		begun = true
		if err := tl.Close(); err != nil {
			result = ended(result, record.Harness, err)
		}
		return result
	})
	switch {
	case !begun:
		result = c.neverBegan(ctx, item, path, err)
	case errors.As(err, new(*rungs.PanicError)):
		result = ended(result, record.Harness, err)
	case err != nil && result.Verdict == record.Fail:
		result.Checks = append(result.Checks, record.Check{Phase: "run", What: "teardown", Expected: "the rig is taken down", Observed: err.Error(), Verdict: record.Inconclusive, Cause: record.Rig})
	case err != nil:
		result = ended(result, record.Rig, fmt.Errorf("the rig could not be taken down: %w", err))
	}
	result.Timeline = relative
	return result
}

// neverBegan is the result of an item for which no world could be built.
func (c Config) neverBegan(ctx context.Context, item Item, path string, err error) record.Result {
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
	return ended(blank(item, c.Rung.Name()), cause, err)
}

// ended makes a result inconclusive.
func ended(r record.Result, cause record.Cause, err error) record.Result {
	r.Verdict, r.Cause, r.Why = record.Inconclusive, cause, err.Error()
	r.Checks = append(r.Checks, record.Check{Phase: "run", What: "run", Expected: "the scenario runs to its end", Observed: err.Error(), Verdict: record.Inconclusive, Cause: cause})
	return r
}

func blank(item Item, rig string) record.Result {
	sc := item.Scenario
	return record.Result{Scenario: sc.ID, TitleEN: sc.Title.EN, TitleZH: sc.Title.ZH, Article: sc.Cause, Labels: sc.Labels,
		Profile: item.Profile.ID, Lang: item.Lang, Rig: rig}
}
