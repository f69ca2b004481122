package nightly

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/rigs/state"
	"github.com/assay-hil/assay/suites"
)

const (
	nightFile = "night.json"
	lockFile  = "lock"
	// leftLimit bounds the wait for the processes of a night that died: they are making their rigs safe.
	leftLimit = stopLimit + 10*time.Second
)

// Event is something that people want to see: a result, or a note about a rig.
type Event struct {
	Rig     string // "" is the night itself
	Note    string
	Repeat  int
	Attempt int
	Result  *record.Result
}

// Night is a plan being carried out. What it is made of is fixed when it is created.
type Night struct {
	dir     string
	about   about
	plan    *Plan
	lock    *os.File
	show    func(Event)
	workers []*worker
	until   time.Time // when nothing more may begin; zero is never

	mu     sync.Mutex
	failed error // why the summary could not be written
}

// about is what night.json holds.
type about struct {
	Path    string            `json:"path"` // of the plan, absolute
	Plan    string            `json:"plan"` // its text
	Args    []string          `json:"args,omitempty"`
	Version string            `json:"version"`
	Begun   time.Time         `json:"begun"`
	Tasks   map[string][]Task `json:"tasks"` // by rig
	// Notes are what people have to know about the plan, such as entries of its quarantine that have ended.
	Notes []string `json:"notes,omitempty"`
}

// Create plans a night and makes its folder, which must not hold one already. args are further
// flags for each process of it. Nothing of a rig is opened.
func Create(dir, path, version string, args []string) (*Night, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p, err := Parse(path, data)
	if err != nil {
		return nil, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	a := about{Path: path, Plan: string(data), Args: args, Version: version, Begun: time.Now().UTC(), Tasks: map[string][]Task{}}
	var errs []error
	a.Notes, err = suites.ExpiredQuarantine(p.Quarantine, time.Now())
	errs = append(errs, err)
	for _, r := range p.Rigs {
		a.Tasks[r.Name], err = p.Tasks(r)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if exists(filepath.Join(dir, nightFile)) {
		return nil, fmt.Errorf("%s already holds a night; go on with it by --resume %s, or give another folder", dir, dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := writeJSON(filepath.Join(dir, nightFile), a); err != nil {
		return nil, err
	}
	return open(dir, a, p)
}

// Resume opens a night that ended early, whatever ended it.
func Resume(dir string) (*Night, error) {
	var a about
	data, err := os.ReadFile(filepath.Join(dir, nightFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s holds no night: it has no %s; only what was begun with --plan can be resumed", dir, nightFile)
	case err != nil:
		return nil, err
	}
	if err := json.Unmarshal(data, &a); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, nightFile), err)
	}
	p, err := Parse(a.Path, []byte(a.Plan))
	if err != nil {
		return nil, err
	}
	return open(dir, a, p)
}

// open locks a night's folder and reads what was done so far.
func open(dir string, a about, p *Plan) (_ *Night, err error) {
	n := &Night{dir: dir, about: a, plan: p, show: func(Event) {}}
	n.lock, err = state.Lock(filepath.Join(dir, lockFile), leftLimit)
	if errors.Is(err, state.ErrBusy) {
		return nil, fmt.Errorf("%s is in use: another assay is carrying out this night", dir)
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = n.lock.Close()
		}
	}()
	for _, r := range p.Rigs {
		w := &worker{night: n, rig: r, book: newBook(r.Name, p.Retry, a.Tasks[r.Name])}
		orders, err := past(dir, r.Name)
		if err != nil {
			return nil, err
		}
		for _, o := range orders {
			done, _, err := results(filepath.Join(dir, orderDir(r.Name, o.Number)), 0)
			if err != nil {
				return nil, err
			}
			w.chapters = append(w.chapters, chapter{o, done})
		}
		w.book.write(w.chapters)
		n.workers = append(n.workers, w)
	}
	return n, nil
}

// Close gives the folder back.
func (n *Night) Close() error { return n.lock.Close() }

// Args are the further flags that the night was created with.
func (n *Night) Args() []string { return n.about.Args }

// Lock is the file whose lock keeps the folder this night's. A process that inherits it keeps it
// locked after the night died.
func (n *Night) Lock() *os.File { return n.lock }

// Run waits for the window, works on all rigs at once, and writes the reports. The error says why
// the night could not be recorded; what became of it is in the summary.
func (n *Night) Run(ctx context.Context, run Runner, show func(Event)) (Summary, error) {
	var telling sync.Mutex
	n.show = func(e Event) {
		telling.Lock()
		defer telling.Unlock()
		show(e)
	}
	for _, note := range n.about.Notes {
		n.show(Event{Note: note})
	}
	n.open(ctx)
	var working sync.WaitGroup
	for _, w := range n.workers {
		w.run = run
		working.Go(func() { w.work(ctx) })
	}
	working.Wait()
	s := n.summary(true)
	n.mu.Lock()
	defer n.mu.Unlock()
	return s, errors.Join(n.failed, n.write(s))
}

// open waits until the window opens, if it is not, and notes when it closes.
func (n *Night) open(ctx context.Context) {
	if n.plan.Window == nil || !n.anyOpen() {
		return
	}
	from, to := n.plan.Window.Next(time.Now())
	n.until = to
	if left := time.Until(from); left > 0 {
		n.show(Event{Note: fmt.Sprintf("waiting for the window: it opens at %s", from.Format("2006-01-02 15:04 MST"))})
		wait(ctx, left)
	}
}

// Until is when nothing more may begin; zero is never.
func (n *Night) Until() time.Time { return n.until }

// anyOpen says whether anything is left to run.
func (n *Night) anyOpen() bool {
	for _, w := range n.workers {
		if _, _, _, ok := w.book.next(); ok {
			return true
		}
	}
	return false
}

// over says why nothing more may begin; "" while it may.
func (n *Night) over(ctx context.Context) string {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx).Error()
	case !n.until.IsZero() && !time.Now().Before(n.until):
		return "the window closed at " + n.until.Format("15:04")
	}
	return ""
}

func (n *Night) tell(e Event) { n.show(e) }
