package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/reports"
	"github.com/assay-hil/assay/suites"
)

// tick is how often the live line is drawn.
const tick = 200 * time.Millisecond

// progress prints a line for each scenario as it ends and, on a terminal, a live line for the one
// that runs.
type progress struct {
	out     io.Writer
	tty     bool
	width   int
	planned int

	mu      sync.Mutex
	done    int
	running string
	since   time.Time
	stop    chan struct{}
	drawn   sync.WaitGroup
}

func newProgress(out io.Writer, planned int) *progress {
	p := &progress{out: out, planned: planned, stop: make(chan struct{})}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.tty = true
		p.width = 80
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 20 {
			p.width = w
		}
		p.drawn.Go(p.draw)
	}
	return p
}

// show is told when an item begins and when it ends.
func (p *progress) show(item suites.Item, r *record.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r == nil {
		p.running, p.since = fmt.Sprintf("%s %s", item.Name, item.Scenario.Title.EN), time.Now()
		return
	}
	p.done++
	p.running = ""
	p.clear()
	fmt.Fprintf(p.out, "%s %-12s %-20s %s (%s, %s, %.1f s)\n", p.mark(r.Verdict), r.Verdict, r.Scenario, r.TitleEN, r.Profile, r.Lang, r.WallSeconds)
	if r.Why != "" {
		fmt.Fprintf(p.out, "  %s%s\n", causeText(*r), r.Why)
	}
}

func causeText(r record.Result) string {
	if r.Cause == record.None {
		return ""
	}
	return "cause " + string(r.Cause) + ": "
}

// mark is a sign before the verdict, coloured on a terminal.
func (p *progress) mark(v record.Verdict) string {
	sign, colour := "?", "35"
	switch v {
	case record.Pass:
		sign, colour = "✓", "32"
	case record.Marginal:
		sign, colour = "~", "33"
	case record.Fail:
		sign, colour = "✗", "31"
	case record.Skipped, record.NotRun:
		sign, colour = "-", "90"
	}
	if !p.tty || os.Getenv("NO_COLOR") != "" {
		return sign
	}
	return "\x1b[" + colour + "m" + sign + "\x1b[0m"
}

// draw keeps the live line up to date.
func (p *progress) draw() {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-ticker.C:
		}
		p.mu.Lock()
		if p.running != "" {
			p.clear()
			line := fmt.Sprintf("… %d/%d %s  %.0f s", p.done+1, p.planned, p.running, time.Since(p.since).Seconds())
			if runes := []rune(line); len(runes) >= p.width {
				line = string(runes[:p.width-1])
			}
			fmt.Fprint(p.out, line)
		}
		p.mu.Unlock()
	}
}

func (p *progress) clear() {
	if p.tty {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

func (p *progress) end() {
	close(p.stop)
	p.drawn.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

// printSummary prints the last lines: the counts and where the report is.
func printSummary(out io.Writer, s reports.Summary, path string) {
	fmt.Fprintf(out, "\n%s\n", s.Words())
	fmt.Fprintf(out, "%d planned: %d passed, %d marginal, %d failed, %d inconclusive, %d skipped, %d not run; %.1f s (%.0f s in the terminal's time)\n",
		s.Planned, s.Passed, s.Marginal, s.Failed, s.Inconclusive, s.Skipped, s.NotRun, s.WallSeconds, s.TerminalSeconds)
	if s.Passed+s.Marginal == s.Planned-s.Skipped && s.Passed > 0 && len(s.Leaks) == 0 {
		fmt.Fprintln(out, "Each failure was provoked and seen to happen. Each time the terminal showed the right prompt in time and found its way back;")
		fmt.Fprintln(out, "every sale was charged once at most, and terminal, receipts and bank agree.")
	}
	fmt.Fprintf(out, "report: %s\n", filepath.Join(path, reports.IndexFile))
}
