package rungs

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/assay-hil/assay/harness"
	"github.com/assay-hil/assay/harness/record"
)

// TestBenchesSideBySide: two scenarios are each in the middle of a session at the same time, a third waits.
func TestBenchesSideBySide(t *testing.T) {
	r, err := Open(Options{Rig: Sim, Benches: 2})
	if err != nil {
		t.Fatal(err)
	}
	if r.Worlds() != 2 {
		t.Errorf("%d worlds, want 2", r.Worlds())
	}
	wanted := Wanted{Profile: r.Profiles()[0], Lang: "zh"}
	inside, leave := make(chan *harness.Session), make(chan struct{})
	var calls sync.WaitGroup
	serve := func(ctx context.Context) error {
		return r.Do(ctx, wanted, func(_ context.Context, s *harness.Session) record.Result {
			inside <- s
			<-leave
			return record.Result{Verdict: record.Pass}
		})
	}
	for range 2 {
		calls.Go(func() {
			if err := serve(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	if first, second := <-inside, <-inside; first == second {
		t.Error("both have the same session")
	}
	waits, cancel := context.WithCancel(t.Context())
	cancel()
	if err := serve(waits); err == nil {
		t.Error("a third was served while both benches were at work")
	}
	close(leave)
	calls.Wait()
	other := Wanted{Profile: r.Profiles()[1], Lang: "zh"}
	served := func(w Wanted) (by []int) {
		for i, b := range r.(*several).benches {
			if b.fit(w) == 3 {
				by = append(by, i)
			}
		}
		return by
	}
	nothing := func(context.Context, *harness.Session) record.Result { return record.Result{Verdict: record.Pass} }
	if err := r.Do(t.Context(), other, nothing); err != nil {
		t.Error(err)
	}
	if err := r.Do(t.Context(), wanted, nothing); err != nil { // goes where such a terminal is up
		t.Error(err)
	}
	if by, also := served(other), served(wanted); !slices.Equal(by, []int{0}) || !slices.Equal(also, []int{1}) {
		t.Errorf("benches %v and %v serve one and the other, want 0 and 1", by, also)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestBenchesAreChecked(t *testing.T) {
	for _, o := range []Options{
		{Rig: Virtual, Benches: 2}, {Rig: Sim, Benches: -1}, {Rig: Sim, Benches: MaxBenches + 1}, {Rig: Sim, Benches: 2, Hosts: Containers},
	} {
		if r, err := Open(o); err == nil {
			_ = r.Close()
			t.Errorf("%+v was taken", o)
		}
	}
}
