package rungs

import (
	"context"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/harness"
	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/display/debugline"
	"github.com/assay-hil/assay/rigs/human"
)

// thinking is how long a person looks before the answer is typed.
const thinking = 2 * time.Second

// person answers what the console asks, with what the terminal has shown since the last answer.
type person struct {
	seen  <-chan rigs.Screen
	asked chan struct{}
	types func(line string)
	// reads gives what is typed for some screens; nil: what they show.
	reads func(screens []string) string
}

// Write is the console's output: a question.
func (p *person) Write(text []byte) (int, error) {
	if strings.Contains(string(text), "what does the terminal show?") {
		p.asked <- struct{}{}
	}
	return len(text), nil
}

func (p *person) work(ctx context.Context) {
	now := "?"
	var news []string
	for {
		select {
		case s := <-p.seen:
			if len(s.Lines) > 0 {
				now = strings.Join(s.Lines, "/")
				news = append(news, now)
			}
			continue
		case <-p.asked:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(thinking):
		case <-ctx.Done():
			return
		}
		for len(p.seen) > 0 {
			if s := <-p.seen; len(s.Lines) > 0 {
				now = strings.Join(s.Lines, "/")
				news = append(news, now)
			}
		}
		if len(news) == 0 {
			news = []string{now} // asked again: the last answer may have gone astray
		}
		line := strings.Join(news, ">")
		if p.reads != nil {
			line = p.reads(news)
		}
		news = nil
		p.types(line)
	}
}

// TestAPersonReadsTheScreen: a rig without a debug line plays a sale with somebody at the console. What that person sees
// late, wrongly, or not at all is never the terminal's failure.
func TestAPersonReadsTheScreen(t *testing.T) {
	for name, c := range map[string]struct {
		reads func([]string) string
		want  []record.Verdict
		cause record.Cause
		why   string
	}{
		"reads":           {nil, []record.Verdict{record.Pass, record.Marginal}, record.None, ""},
		"sleeps":          {func([]string) string { return "" }, []record.Verdict{record.Inconclusive}, record.Rig, "display"},
		"types nonsense":  {func([]string) string { return "asdf" }, []record.Verdict{record.Inconclusive}, record.Rig, "display"},
		"misses a screen": {func(all []string) string { return all[len(all)-1] }, []record.Verdict{record.Pass, record.Marginal, record.Inconclusive}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			result := readByPerson(t, c.reads)
			if !slices.Contains(c.want, result.Verdict) || c.why != "" && (result.Cause != c.cause || !strings.Contains(result.Why, c.why)) {
				t.Errorf("%s (%s): %s", result.Verdict, result.Cause, result.Why)
			}
		})
	}
}

func readByPerson(t *testing.T, reads func([]string) string) (result record.Result) {
	t.Helper()
	all, err := scenarios.Load()
	if err != nil {
		t.Fatal(err)
	}
	sale := all[slices.IndexFunc(all, func(s *scenarios.Scenario) bool { return s.ID == "SALE-PLAIN" })]
	profile, err := terminals.Load("countertop")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "timeline.jsonl")
	synctest.Test(t, func(t *testing.T) {
		lang := profile.Languages[0]
		plan := (&virtual{}).plan(Wanted{Profile: profile, Lang: lang}, newMemory())
		line, err := plan.lines("display")
		if err != nil {
			t.Fatal(err)
		}
		eyes, err := debugline.New(line, debugline.Config{Screen: profile.Screen})
		if err != nil {
			t.Fatal(err)
		}
		in, keyboard := io.Pipe()
		p := &person{seen: eyes.Screens(), asked: make(chan struct{}, 1), reads: reads, types: func(line string) { _, _ = io.WriteString(keyboard, line+"\n") }}
		console := human.NewConsole(in, p)
		plan.settings.instruments, plan.settings.console = simulated(), console
		plan.settings.instruments.Display = &rigs.DisplayLine{Driver: "human"}
		ctx, cancel := context.WithCancel(t.Context())
		working := make(chan struct{})
		go func() { defer close(working); p.work(ctx) }()

		w, err := build(ctx, profile, lang, plan)
		if err != nil {
			t.Fatal(err)
		}
		tl, err := harness.CreateTimeline(path)
		if err != nil {
			t.Fatal(err)
		}
		result = w.session.Run(ctx, sale, tl)
		_ = w.close() // a display that nobody reads is a broken rig
		cancel()
		<-working
		_, _, _, _ = console.Close(), keyboard.Close(), eyes.Close(), tl.Close()
	})
	return result
}
