package rungs

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/harness"
	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/rigs/serial"
)

const (
	// pullLimit is how long a run may go on after an instrument was pulled: longer is a hang.
	pullLimit = 10 * time.Second
	// pullLook is how often the test looks how far the scenario is.
	pullLook = 2 * time.Millisecond
	// pullScale shortens the terminal's timers less than the rung does: many benches share this machine, and
	// no budget is this test's subject.
	pullScale = 3
	// pullTogether is how many benches are pulled at one time.
	pullTogether = 11
)

// pullable is a sim rung whose instruments can be pulled: their pseudo-terminals close. Each world
// has new ones, so that after a pull everything is plugged in again.
type pullable struct {
	*realtime
	mu    sync.Mutex
	ports map[string]io.Closer
}

func newPullable(t *testing.T) *pullable {
	t.Helper()
	rung, err := newSim(Options{Rig: Sim, Benches: 1})
	if err != nil {
		t.Fatal(err)
	}
	p := &pullable{realtime: rung.(*realtime)}
	p.scale = pullScale
	p.plan = func(t *teardown, wanted Wanted) (plan, error) {
		ports, paths, err := openPorts(t)
		if err != nil {
			return plan{}, err
		}
		p.mu.Lock()
		p.ports = map[string]io.Closer{"keypad": ports.Keypad, "card": ports.Card, "display": ports.Display, "power": ports.Power, "printer": ports.Printer}
		p.mu.Unlock()
		w := newLoopback(nil)
		return plan{
			wire:     w,
			lines:    func(name string) (*serial.Line, error) { return serial.Open(paths[name], serial.Mode{}) },
			settings: settings{name: Sim, contact: simContact, plunge: simPlunge, keypad: simKeypad(), uncertainty: simUncertainty},
			bench:    startBench(Options{}, wanted.Profile, wanted.Lang, ports, w),
		}, nil
	}
	return p
}

func (p *pullable) pull(instrument string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ports[instrument].Close()
}

// moment is a point of a scenario: an event that has come n times.
type moment struct {
	kind, field, value string
	n                  int
}

func (m moment) String() string { return fmt.Sprintf("%s %s", m.kind, m.value) }

func (m moment) come(events []record.Event) bool {
	n := 0
	for _, e := range events {
		if e.Kind == m.kind && (m.field == "" || e.Fields[m.field] == m.value) {
			n++
		}
	}
	return n >= m.n
}

// moments are a sale's: its phases, its steps, and in the middle of typing.
func moments(sale *scenarios.Scenario) []moment {
	all := []moment{{"phase", "name", "idle", 1}, {"phase", "name", "arrange", 1}, {"phase", "name", "audit", 1}}
	for n := range sale.Act {
		all = append(all, moment{"step", "n", fmt.Sprint(n + 1), 1})
	}
	return append(all, moment{"press", "", "", 3}, moment{"message", "", "", 1}, moment{"charge", "", "", 1})
}

// TestPullingAnInstrumentIsTheRigsFault at every step of a sale: inconclusive, naming the instrument, soon, with the
// others safe. Then it is plugged in again, and the next sale passes.
func TestPullingAnInstrumentIsTheRigsFault(t *testing.T) {
	t.Parallel()
	all, err := scenarios.Load()
	if err != nil {
		t.Fatal(err)
	}
	sale := all[slices.IndexFunc(all, func(s *scenarios.Scenario) bool { return s.ID == "SALE-PLAIN" })]
	type pull struct {
		instrument string
		at         moment
	}
	pulls := make(chan pull, len(instruments)*len(moments(sale)))
	for _, instrument := range instruments {
		for _, at := range moments(sale) {
			pulls <- pull{instrument, at}
		}
	}
	close(pulls)
	var benches sync.WaitGroup
	for range pullTogether {
		benches.Go(func() {
			p := newPullable(t)
			for c := range pulls {
				what := fmt.Sprintf("%s pulled at %s", c.instrument, c.at)
				pulled(t, p, sale, c.instrument, c.at, what)
				if again, _ := p.sale(t, sale, nil); again.Verdict != record.Pass && again.Verdict != record.Marginal {
					t.Errorf("%s, and plugged in again: %s (%s): %s", what, again.Verdict, again.Cause, again.Why)
				}
				// The terminal of a rig that is given up is not this test's subject.
				p.breaker = breaker{}
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	benches.Wait()
}

// pulled plays a sale, pulls an instrument in it, and looks at what came of it.
func pulled(t *testing.T, p *pullable, sale *scenarios.Scenario, instrument string, at moment, what string) {
	var when time.Time
	result, events := p.sale(t, sale, func(events []record.Event) bool {
		if !at.come(events) {
			return false
		}
		when = time.Now()
		if err := p.pull(instrument); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		return true
	})
	switch {
	case when.IsZero():
		t.Errorf("%s: the moment never came: %s (%s): %s", what, result.Verdict, result.Cause, result.Why)
	case time.Since(when) > pullLimit:
		t.Errorf("%s: ended %v later", what, time.Since(when))
	}
	if result.Verdict != record.Inconclusive || result.Cause != record.Rig || !strings.Contains(result.Why, instrument) {
		t.Errorf("%s: %s (%s): %s", what, result.Verdict, result.Cause, result.Why)
	}
	for _, other := range instruments {
		i := slices.IndexFunc(events, func(e record.Event) bool { return e.Kind == "safe" && e.Fields["what"] == "halt the "+other })
		switch {
		case i < 0:
			t.Errorf("%s: nobody made the %s safe", what, other)
		case other != instrument && events[i].Fields["error"] != "":
			t.Errorf("%s: the %s is not safe: %s", what, other, events[i].Fields["error"])
		}
	}
}

// sale plays the sale, shows each new state of its timeline to watch until that is satisfied, and gives the
// timeline.
func (p *pullable) sale(t *testing.T, sale *scenarios.Scenario, watch func([]record.Event) bool) (result record.Result, events []record.Event) {
	profile := p.Profiles()[slices.IndexFunc(p.Profiles(), func(f *terminals.Profile) bool { return len(sale.Missing(f, p.Has)) == 0 })]
	// A world that could not be taken down well, with an instrument gone, is no failure of this test.
	_ = p.Do(t.Context(), Wanted{Profile: profile, Lang: profile.Languages[0]}, func(ctx context.Context, s *harness.Session) record.Result {
		tl, err := harness.CreateTimeline(filepath.Join(t.TempDir(), "timeline.jsonl"))
		if err != nil {
			t.Error(err)
			return record.Result{}
		}
		ctx, done := context.WithCancel(ctx)
		var watched sync.WaitGroup
		if watch != nil {
			watched.Go(func() { look(ctx, tl, watch) })
		}
		result = s.Run(t.Context(), sale, tl)
		done()
		watched.Wait()
		events, _ = tl.Events()
		if err := tl.Close(); err != nil {
			t.Error(err)
		}
		return result
	})
	return result, events
}

func look(ctx context.Context, tl *harness.Timeline, watch func([]record.Event) bool) {
	tick := time.NewTicker(pullLook)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if events, _ := tl.Events(); watch(events) {
			return
		}
	}
}
