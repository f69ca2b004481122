package suites

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/harness"
	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/reports"
	"github.com/assay-hil/assay/rungs"
)

// slowRung takes a minute for each item and gives it no world; it counts how many it has at a time.
type slowRung struct {
	name      string
	worlds    int
	mu        sync.Mutex
	now, most int
	played    []string
}

var errNoWorld = errors.New("no world")

func (r *slowRung) Name() string                   { return r.name }
func (r *slowRung) Has(string) bool                { return true }
func (r *slowRung) Profiles() []*terminals.Profile { return nil }
func (r *slowRung) Lang() string                   { return "" }
func (r *slowRung) NoPackets(string) string        { return "" }
func (r *slowRung) Worlds() int                    { return r.worlds }
func (r *slowRung) Close() error                   { return nil }

func (r *slowRung) Do(_ context.Context, wanted rungs.Wanted, _ func(context.Context, *harness.Session) record.Result) error {
	r.mu.Lock()
	r.now++
	r.most = max(r.most, r.now)
	r.played = append(r.played, wanted.Profile.ID)
	r.mu.Unlock()
	<-time.After(time.Minute) // of the bubble
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now--
	return fmt.Errorf("%s: %w", wanted.Profile.ID, errNoWorld)
}

// names are the profiles that it was asked for so far.
func (r *slowRung) names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.played)
}

// itemsNamed makes an item for each name; the profile has the name too, so that a result says whose it is.
func itemsNamed(names ...string) []Item {
	var items []Item
	for _, name := range names {
		items = append(items, Item{Name: name, Scenario: &scenarios.Scenario{ID: name}, Profile: &terminals.Profile{ID: name}})
	}
	return items
}

func configFor(t *testing.T, worlds int, items []Item) (Config, *slowRung) {
	t.Helper()
	folder, err := reports.Create(filepath.Join(t.TempDir(), "run"), reports.Summary{Planned: len(items)})
	if err != nil {
		t.Fatal(err)
	}
	rung := &slowRung{name: "several", worlds: worlds}
	return Config{Items: items, Rung: rung, Folder: folder}, rung
}

func TestAheadPlaysSeveralAndGivesEachItsOwn(t *testing.T) {
	items := itemsNamed("A", "B", "C", "D", "E")
	items[2].Skip = "it lacks something"
	cfg, rung := configFor(t, 2, items)
	synctest.Test(t, func(t *testing.T) {
		cfg.ahead = cfg.playAhead()
		for _, i := range []int{4, 0, 3, 1} { // a spec may come in any order
			result, ok := cfg.result(t.Context(), items[i])
			if !ok || result.Name != items[i].Name || result.Profile != items[i].Name {
				t.Errorf("%s got %q on %q, %v", items[i].Name, result.Name, result.Profile, ok)
			}
		}
		if result, ok := cfg.result(t.Context(), items[2]); ok {
			t.Errorf("the skipped item was played: %q", result.Name)
		}
		cfg.ahead.played.Wait()
	})
	if rung.most != 2 || len(rung.played) != 4 {
		t.Errorf("at most %d at a time, want 2; %v played, want all but C", rung.most, rung.played)
	}
}

func TestAheadStopsWithTheRun(t *testing.T) {
	items := itemsNamed("A", "B", "C", "D")
	cfg, rung := configFor(t, 2, items)
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		cfg.ctx = ctx
		cfg.ahead = cfg.playAhead()
		synctest.Wait()
		stop() // while A and B are being played
		for _, item := range items[:2] {
			if _, ok := cfg.result(t.Context(), item); !ok {
				t.Errorf("%s had begun, and has no result", item.Name)
			}
		}
		for _, item := range items[2:] {
			if result, ok := cfg.result(t.Context(), item); ok {
				t.Errorf("%s was played after the end of the run: %q", item.Name, result.Name)
			}
		}
	})
	if len(rung.played) != 2 {
		t.Errorf("%v played, want A and B", rung.played)
	}
}

// What is played in real time has the machine to itself.
func TestAheadTakesOneRungAfterTheOther(t *testing.T) {
	items := itemsNamed("A", "B", "C", "D")
	other := &slowRung{name: "other", worlds: 2}
	items[2].on, items[3].on = other, other
	cfg, rung := configFor(t, 2, items)
	synctest.Test(t, func(t *testing.T) {
		cfg.ahead = cfg.playAhead()
		synctest.Wait()
		if mine, others := rung.names(), other.names(); len(mine) != 2 || len(others) != 0 {
			t.Errorf("at first: %v and %v", mine, others)
		}
		cfg.ahead.played.Wait()
		if len(other.played) != 2 || other.most != 2 {
			t.Errorf("then: %v, at most %d at a time", other.played, other.most)
		}
	})
}

// What is on a rig is played by its spec: there is one of it.
func TestAheadLeavesRigsToTheirSpecs(t *testing.T) {
	items := itemsNamed("A", "B")
	lab := &slowRung{name: "lab-3", worlds: 1}
	items[1].on = lab
	cfg, rung := configFor(t, 2, items)
	synctest.Test(t, func(t *testing.T) {
		cfg.ahead = cfg.playAhead()
		cfg.ahead.played.Wait()
		if len(rung.played) != 1 || len(lab.played) != 0 {
			t.Errorf("ahead: %v in virtual time, %v on the rig", rung.played, lab.played)
		}
		if result, ok := cfg.result(t.Context(), items[1]); !ok || result.Name != "B" || len(lab.played) != 1 {
			t.Errorf("its spec: %q, %v, %v", result.Name, ok, lab.played)
		}
	})
}

// Without anything ahead a spec plays its own item.
func TestResultWithoutAhead(t *testing.T) {
	items := itemsNamed("A")
	cfg, rung := configFor(t, 1, items)
	synctest.Test(t, func(t *testing.T) {
		if result, ok := cfg.result(t.Context(), items[0]); !ok || result.Name != "A" || len(rung.played) != 1 {
			t.Errorf("%q, %v, %v", result.Name, ok, rung.played)
		}
	})
}
