package rungs

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness"
	"github.com/assay-hil/assay/harness/record"
)

// catalogue reads the embedded catalogue once.
var catalogue = sync.OnceValues(scenarios.Load)

// runOne runs a scenario on a rung, on the first profile that can.
func runOne(t *testing.T, r Rung, id string) record.Result {
	t.Helper()
	sc := scenario(t, id)
	for _, p := range r.Profiles() {
		if len(sc.Missing(p, r.Has)) == 0 {
			return runOn(t, r, sc, p.ID)
		}
	}
	t.Fatalf("no profile can run %s", id)
	return record.Result{}
}

func scenario(t *testing.T, id string) *scenarios.Scenario {
	t.Helper()
	all, err := catalogue()
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range all {
		if sc.ID == id {
			return sc
		}
	}
	t.Fatalf("no scenario %s", id)
	return nil
}

func runOn(t *testing.T, r Rung, sc *scenarios.Scenario, profile string) (result record.Result) {
	t.Helper()
	for _, p := range r.Profiles() {
		if p.ID != profile {
			continue
		}
		path := filepath.Join(t.TempDir(), sc.ID+".jsonl")
		err := r.Do(context.Background(), Wanted{Profile: p, Lang: p.Languages[0], Packets: len(sc.Arrange.Packet) > 0}, func(ctx context.Context, s *harness.Session) record.Result {
			tl, err := harness.CreateTimeline(path)
			if err != nil {
				t.Fatal(err)
			}
			result = s.Run(ctx, sc, tl)
			if err := tl.Close(); err != nil {
				t.Error(err)
			}
			return result
		})
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	t.Fatalf("no profile %s", profile)
	return result
}

// TestVirtualPassesTheCatalogue plays what is labelled smoke and every eighth of the rest.
func TestVirtualPassesTheCatalogue(t *testing.T) {
	all, err := catalogue()
	if err != nil {
		t.Fatal(err)
	}
	r, err := Open(Options{Rig: Virtual})
	if err != nil {
		t.Fatal(err)
	}
	for i, sc := range all {
		if !slices.Contains(sc.Labels, "smoke") && i%8 != 0 {
			continue // suites play the whole of it
		}
		t.Run(sc.ID, func(t *testing.T) {
			if why := NoPackets(r, sc.PacketFaults()); why != "" {
				t.Skip(why)
			}
			result := runOne(t, r, sc.ID)
			if result.Verdict != record.Pass {
				t.Errorf("%s (%s): %s", result.Verdict, result.Cause, result.Why)
			}
		})
	}
}
