package rungs

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/harness"
	"github.com/assay-hil/assay/harness/record"
)

// runOne runs a scenario on a rung, on the first profile that can.
func runOne(t *testing.T, r Rung, id string) record.Result {
	t.Helper()
	all, err := scenarios.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range all {
		if sc.ID != id {
			continue
		}
		for _, p := range r.Profiles() {
			if len(sc.Missing(p, r.Has)) > 0 {
				continue
			}
			return runOn(t, r, sc, p.ID)
		}
	}
	t.Fatalf("no scenario %s that a profile can run", id)
	return record.Result{}
}

func runOn(t *testing.T, r Rung, sc *scenarios.Scenario, profile string) (result record.Result) {
	t.Helper()
	for _, p := range r.Profiles() {
		if p.ID != profile {
			continue
		}
		path := filepath.Join(t.TempDir(), sc.ID+".jsonl")
		err := r.Do(context.Background(), p, p.Languages[0], func(ctx context.Context, s *harness.Session) record.Result {
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

func TestVirtualPassesTheCatalogue(t *testing.T) {
	all, err := scenarios.Load()
	if err != nil {
		t.Fatal(err)
	}
	r, err := Open(Options{Rig: Virtual})
	if err != nil {
		t.Fatal(err)
	}
	for _, sc := range all {
		t.Run(sc.ID, func(t *testing.T) {
			result := runOne(t, r, sc.ID)
			if result.Verdict != record.Pass {
				t.Errorf("%s (%s): %s", result.Verdict, result.Cause, result.Why)
			}
		})
	}
}
