package nightly

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/reports"
)

// lengthOf is how long a scenario takes on a scripted rig.
const lengthOf = time.Minute

// hang makes a scripted process do nothing until it is told to stop; die makes it die in the scenario.
const (
	hang record.Verdict = "hang"
	die  record.Verdict = "die"
	down record.Verdict = "down"
)

// script says what a scenario comes to on a rig at its nth try, from 1.
type script func(rig, scenario string, try int) record.Verdict

// stage runs orders by a script and notes what was begun.
type stage struct {
	script script
	mu     sync.Mutex
	tries  map[string]int
	begun  []string
}

func (s *stage) begin(rig, scenario string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries[rig+scenario]++
	s.begun = append(s.begun, rig+" "+scenario)
	return s.tries[rig+scenario]
}

func (s *stage) run(ctx context.Context, r Rig, o Order, dir string) Ending {
	f, err := reports.Create(dir, reports.Summary{Planned: len(o.Scenarios), Rig: r.Name})
	if err != nil {
		return Ending{Code: 2, Said: err.Error()}
	}
	for _, id := range o.Scenarios {
		result := record.Result{Scenario: id, Profile: o.Profile, Lang: o.Lang, Rig: r.Name, TerminalSeconds: 60, WallSeconds: 60, Timeline: f.Timeline(id)}
		if err := os.WriteFile(filepath.Join(dir, result.Timeline), []byte("{}\n"), 0o600); err != nil {
			return Ending{Code: 2, Said: err.Error()}
		}
		length := lengthOf
		switch result.Verdict = s.script(r.Name, id, s.begin(r.Name, id)); result.Verdict {
		case record.Inconclusive:
			result.Cause, result.Why = record.Rig, "keypad: no answer"
		case record.Fail:
			result.Cause, result.Why = record.Terminal, "wrong prompt"
		case down:
			result.Verdict, result.Cause, result.Why, result.TerminalSeconds = record.Inconclusive, record.Rig, "keypad: it is gone", 0
			length = 0
		case die:
			return Ending{Code: -1, Said: "signal: killed"}
		case hang:
			length = 1000 * time.Hour
		}
		if !wait(ctx, length) {
			result.Verdict, result.Cause, result.Why = record.Inconclusive, record.Harness, "interrupted in phase act"
		}
		if err := f.Add(result); err != nil {
			return Ending{Code: 2, Said: err.Error()}
		}
		if ctx.Err() != nil {
			break
		}
	}
	if _, err := f.Close(); err != nil {
		return Ending{Code: 2, Said: err.Error()}
	}
	return Ending{}
}

// plan writes a plan over some virtual rigs and five scenarios, with further lines.
func plan(t *testing.T, rigs int, further string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("name: night\nrigs:\n")
	for n := range rigs {
		fmt.Fprintf(&b, "  - {rig: virtual, name: r%d}\n", n+1)
	}
	b.WriteString("profiles: [countertop]\nscenarios: [" + strings.Join(ids, ", ") + "]\n" + further + "\n")
	path := filepath.Join(t.TempDir(), "plan.yaml")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ids are in the catalogue's order.
var ids = []string{"SALE-PLAIN", "SALE-STRIPE", "CID-PHONE", "HOST-96", "NET-RESET"}

func pass(string, string, int) record.Verdict { return record.Pass }

// act carries out a night and gives its summary, what was begun and what was told.
func act(t *testing.T, ctx context.Context, n *Night, s script) (Summary, *stage, []string) {
	t.Helper()
	st := &stage{script: s, tries: map[string]int{}}
	var told []string
	sum, err := n.Run(ctx, st.run, func(e Event) {
		if e.Result == nil {
			told = append(told, e.Rig+": "+e.Note)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	c := sum.Counts
	if c.Passed+c.Marginal+c.Failed+c.Inconclusive+c.Skipped+c.NotRun != c.Planned {
		t.Errorf("the counts do not add up: %+v", c)
	}
	for _, name := range []string{reports.SummaryFile, reports.JUnitFile, reports.IndexFile} {
		if !exists(filepath.Join(n.dir, name)) {
			t.Errorf("%s was not written", name)
		}
	}
	return sum, st, told
}

func create(t *testing.T, rigs int, further string) *Night {
	t.Helper()
	n, err := Create(filepath.Join(t.TempDir(), "night"), plan(t, rigs, further), "test", nil)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEightRigsTakeAsLongAsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		s, _, _ := act(t, t.Context(), create(t, 8, ""), pass)
		if s.Passed != 40 || !s.Complete {
			t.Errorf("%v", s.Counts)
		}
		if took := time.Since(begun); took > 5*lengthOf+time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestARigThatDiesHoldsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		s, _, told := act(t, t.Context(), create(t, 8, ""), func(rig, id string, _ int) record.Verdict {
			switch at := slices.Index(ids, id); {
			case rig != "r4" || at < 2:
				return record.Pass
			case at == 2:
				return record.Inconclusive
			}
			return down
		})
		if s.Passed != 7*5+2 || s.Inconclusive != 1 || s.NotRun != 2 {
			t.Errorf("%v", s.Counts)
		}
		dead := s.Rigs[3]
		if dead.GaveUp != "the rig is down: keypad: it is gone" || dead.Outcomes[2].Why != "keypad: no answer" || dead.Outcomes[3].Why != dead.GaveUp {
			t.Errorf("%+v", dead)
		}
		if !slices.Contains(told, "r4: the rest is not run: the rig is down: keypad: it is gone") {
			t.Errorf("%q", told)
		}
		if took := time.Since(begun); took > 5*lengthOf+time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestARigThatSpoilsEverythingIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, st, _ := act(t, t.Context(), create(t, 1, "give-up-after: 2"), func(string, string, int) record.Verdict { return record.Inconclusive })
		// The third may have been begun already when the second's result is read; it doesn't count.
		if s.Inconclusive != 2 || s.NotRun != 3 || len(st.begun) < 2 || len(st.begun) > 3 {
			t.Errorf("%v, begun %v", s.Counts, st.begun)
		}
		if want := "the rig spoiled 2 scenarios in a row, the first so: keypad: no answer"; s.Rigs[0].GaveUp != want {
			t.Errorf("%q", s.Rigs[0].GaveUp)
		}
	})
}

func TestAHangIsStoppedAndHoldsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := map[string]time.Duration{}
		begun := time.Now()
		n := create(t, 2, "")
		st := &stage{tries: map[string]int{}, script: func(rig, id string, _ int) record.Verdict {
			if rig == "r1" && id == "CID-PHONE" {
				return hang
			}
			return record.Pass
		}}
		s, err := n.Run(t.Context(), st.run, func(e Event) { ended[e.Rig] = time.Since(begun) })
		if err = errors.Join(err, n.Close()); err != nil {
			t.Fatal(err)
		}
		if s.Passed != 7 || s.NotRun != 3 || s.Rigs[0].GaveUp != "no result came for 40m0s" {
			t.Errorf("%v %q", s.Counts, s.Rigs[0].GaveUp)
		}
		if ended["r2"] > 5*lengthOf+time.Second || ended["r1"] < silence {
			t.Errorf("%v", ended)
		}
	})
}

func TestEveryAttemptIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := create(t, 1, "retry: {attempts: 3, on: [inconclusive, fail], pause: 1m}")
		s, _, _ := act(t, t.Context(), n, func(_, id string, try int) record.Verdict {
			switch {
			case id == "SALE-PLAIN" && try < 3:
				return record.Inconclusive // then it passes
			case id == "CID-PHONE" && try == 1:
				return record.Fail // then it passes too, and has failed all the same
			case id == "HOST-96":
				return record.Inconclusive
			}
			return record.Pass
		})
		var got []string
		for _, o := range s.Rigs[0].Outcomes {
			var all []string
			for _, a := range o.Attempts {
				all = append(all, string(a.Verdict))
			}
			got = append(got, fmt.Sprintf("%s %s of %v", o.Scenario, o.Verdict, all))
		}
		want := []string{
			"SALE-PLAIN pass of [inconclusive inconclusive pass]",
			"SALE-STRIPE pass of [pass]",
			"CID-PHONE fail of [fail pass]",
			"HOST-96 inconclusive of [inconclusive inconclusive inconclusive]",
			"NET-RESET pass of [pass]",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		if s.Retried != 3 {
			t.Errorf("%d retried", s.Retried)
		}
		for _, name := range []string{reports.JUnitFile, reports.IndexFile} {
			data, err := os.ReadFile(filepath.Join(n.dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(data), "keypad: no answer"); n < 5 {
				t.Errorf("%s shows %d of 5 attempts that the rig spoiled", name, n)
			}
		}
	})
}

func TestDeathsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _ := act(t, t.Context(), create(t, 1, ""), func(_, id string, _ int) record.Verdict {
			if id == "SALE-STRIPE" {
				return die
			}
			return record.Pass
		})
		stripe := s.Rigs[0].Outcomes[1]
		if s.Passed != 4 || stripe.Verdict != record.Inconclusive || stripe.Why != "assay died in it: signal: killed" {
			t.Errorf("one death: %v %+v", s.Counts, stripe)
		}
		s, _, _ = act(t, t.Context(), create(t, 1, ""), func(string, string, int) record.Verdict { return die })
		if s.Inconclusive != maxDeaths || s.NotRun != 5-maxDeaths {
			t.Errorf("always: %v", s.Counts)
		}
	})
}

func TestNothingBeginsOutsideTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// A bubble begins at midnight UTC on the first of January 2000.
		s, st, told := act(t, t.Context(), create(t, 1, "repeats: 3\nwindow: {from: '01:00', to: '01:07', zone: UTC}"), pass)
		if len(told) == 0 || told[0] != ": waiting for the window: it opens at 2000-01-01 01:00 UTC" {
			t.Errorf("%q", told)
		}
		// An order that has begun is ended by its process, which knows the time too; this one does not.
		if s.Passed != 10 || s.NotRun != 5 || len(st.begun) != 10 || s.Rigs[0].GaveUp != "the window closed at 01:07" {
			t.Errorf("%v, %d begun, %q", s.Counts, len(st.begun), s.Rigs[0].GaveUp)
		}
	})
}

func TestConfigurationErrorsGiveUpAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := create(t, 1, "retry: {attempts: 3}")
		runs := 0
		s, err := n.Run(t.Context(), func(context.Context, Rig, Order, string) Ending {
			runs++
			return Ending{Code: 2, Said: "assay: lab-7 is held"}
		}, func(Event) {})
		if err = errors.Join(err, n.Close()); err != nil {
			t.Fatal(err)
		}
		if runs != 1 || s.NotRun != 5 || !strings.Contains(s.Rigs[0].GaveUp, "lab-7 is held") {
			t.Errorf("%d runs, %v, %q", runs, s.Counts, s.Rigs[0].GaveUp)
		}
	})
}
