package nightly

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/reports"
)

// cut carries out a night until ctx's time is over, as if it were interrupted.
func cut(t *testing.T, n *Night, after time.Duration, s script) Summary {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	defer time.AfterFunc(after, func() { cancel(errors.New("interrupt")) }).Stop()
	sum, _, _ := act(t, ctx, n, s)
	return sum
}

func resume(t *testing.T, dir string) *Night {
	t.Helper()
	n, err := Resume(dir)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestResumeRepeatsNothingThatIsFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := create(t, 2, "")
		s := cut(t, n, 2*lengthOf+lengthOf/2, pass)
		if s.Passed != 4 || s.NotRun != 6 || s.Inconclusive != 0 {
			t.Errorf("cut: %v", s.Counts)
		}
		if third := s.Rigs[0].Outcomes[2]; len(third.Attempts) != 1 || !third.Attempts[0].Interrupted || third.Why != "interrupt" {
			t.Errorf("%+v", third)
		}
		s, st, _ := act(t, t.Context(), resume(t, n.dir), pass)
		slices.Sort(st.begun)
		want := []string{"r1 CID-PHONE", "r1 HOST-96", "r1 NET-RESET", "r2 CID-PHONE", "r2 HOST-96", "r2 NET-RESET"}
		if s.Passed != 10 || !slices.Equal(st.begun, want) {
			t.Errorf("resumed: %v, begun %v", s.Counts, st.begun)
		}
		s, st, _ = act(t, t.Context(), resume(t, n.dir), pass)
		if s.Passed != 10 || len(st.begun) != 0 {
			t.Errorf("resumed again: %v, begun %v", s.Counts, st.begun)
		}
	})
}

// TestResumeAfterALossOfPower resumes from what a night leaves that could write nothing at its end.
func TestResumeAfterALossOfPower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := create(t, 1, "retry: {attempts: 2}")
		cut(t, n, 2*lengthOf+lengthOf/2, func(_, id string, try int) record.Verdict {
			if id == "SALE-STRIPE" {
				return record.Fail
			}
			return record.Pass
		})
		dir := filepath.Join(n.dir, orderDir("r1", 1))
		o := Order{Number: 1, Repeat: 1, Profile: "countertop", Lang: "zh", Scenarios: ids}
		if err := o.save(dir); err != nil { // as it was before the process ended
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, reports.ResultsFile))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(string(data), "\n")
		torn := lines[0] + lines[1] + lines[2][:len(lines[2])/2]
		if err := os.WriteFile(filepath.Join(dir, reports.ResultsFile), []byte(torn), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(n.dir, reports.SummaryFile)); err != nil {
			t.Fatal(err)
		}
		s, st, _ := act(t, t.Context(), resume(t, n.dir), pass)
		if s.Passed != 4 || s.Failed != 1 || !slices.Equal(st.begun, []string{"r1 CID-PHONE", "r1 HOST-96", "r1 NET-RESET"}) {
			t.Errorf("%v, begun %v", s.Counts, st.begun)
		}
	})
}

func TestResumeRefusesWhatIsNoNight(t *testing.T) {
	if _, err := Resume(t.TempDir()); err == nil || !strings.Contains(err.Error(), "only what was begun with --plan can be resumed") {
		t.Error(err)
	}
}

func TestTwoOfOneNight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := plan(t, 1, "")
		dir := filepath.Join(t.TempDir(), "night")
		n, err := Create(dir, path, "test", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Create(dir, path, "test", nil); err == nil || !strings.Contains(err.Error(), "already holds a night") {
			t.Errorf("a second night in one folder: %v", err)
		}
		if _, err := Resume(dir); err == nil || !strings.Contains(err.Error(), "is in use") {
			t.Errorf("a second run of one night: %v", err)
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		if err := resume(t, dir).Close(); err != nil {
			t.Error(err)
		}
	})
}
