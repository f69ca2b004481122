package suites

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/rungs"
)

// ahead plays items before Ginkgo comes to them: it runs one spec at a time, and a rung may hold several worlds that share
// nothing. A spec then only takes its item's result. Rungs come one after the other: what runs in real time has the machine to
// itself.
type ahead struct {
	results map[string]chan record.Result // by item name; closed without a result where the run ended before
	played  sync.WaitGroup
}

// playAhead begins to play the items that are not skipped, in the plan's order, on each rung that holds several worlds; on others
// a spec plays its own.
func (c Config) playAhead() *ahead {
	a := &ahead{results: map[string]chan record.Result{}}
	var order []rungs.Rung
	items := map[rungs.Rung][]Item{}
	for _, item := range c.Items {
		r := c.rung(item)
		if r.Worlds() == 1 {
			continue
		}
		if items[r] == nil {
			order = append(order, r)
		}
		items[r] = append(items[r], item)
		a.results[item.Name] = make(chan record.Result, 1)
	}
	a.played.Go(func() {
		for _, r := range order {
			a.on(c, r.Worlds(), items[r])
		}
	})
	return a
}

// on plays items, so many at a time.
func (a *ahead) on(c Config, worlds int, items []Item) {
	var workers sync.WaitGroup
	var next atomic.Int64
	for range worlds {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(items); i = int(next.Add(1)) - 1 {
				a.one(c, items[i])
			}
		})
	}
	workers.Wait()
}

func (a *ahead) one(c Config, item Item) {
	defer close(a.results[item.Name])
	if c.ending() || item.Skip != "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), specLimit)
	defer cancel()
	a.results[item.Name] <- c.play(ctx, item)
}

// isAhead says whether an item is played before its spec, unless the run ends before that.
func (c Config) isAhead(item Item) bool {
	return item.Skip == "" && c.ahead != nil && c.ahead.results[item.Name] != nil
}

// result plays an item, or takes what was played ahead; false when the run ended before.
func (c Config) result(ctx context.Context, item Item) (record.Result, bool) {
	if c.ahead != nil && c.ahead.results[item.Name] != nil {
		r, ok := <-c.ahead.results[item.Name]
		return r, ok
	}
	if c.playing != nil {
		c.playing <- struct{}{}
		defer func() { <-c.playing }()
	}
	return c.play(ctx, item), true
}
