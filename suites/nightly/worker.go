package nightly

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/assay-hil/assay/harness/record"
)

const (
	// lookEvery is how often a worker looks for new results of its process.
	lookEvery = 200 * time.Millisecond
	// silence is for how long a process may give no result. The longest scenario and the time to make the
	// rig safe after it are shorter.
	silence = 40 * time.Minute
	// maxDeaths is how often processes may die on one rig before it is given up.
	maxDeaths = 3
)

// Runner runs one order, with its run folder in dir, and returns when its process has ended. When
// ctx ends the process is told to make the rig safe and end; the runner bounds how long that takes.
type Runner func(ctx context.Context, r Rig, o Order, dir string) Ending

// worker works through the tasks of one rig.
type worker struct {
	night *Night
	rig   Rig
	run   Runner

	mu       sync.Mutex
	chapters []chapter
	book     *book
	// gaveUp is why the rest is not run; "" while there is hope.
	gaveUp string
	ended  bool

	downs, deaths int
}

// work goes on until nothing is open, the night ends, or the rig is given up.
func (w *worker) work(ctx context.Context) {
	defer w.note(func() { w.ended = true })
	for {
		g, scenarios, tried, ok := w.book.next()
		if !ok {
			return
		}
		if why := w.night.over(ctx); why != "" {
			w.giveUp(why)
			return
		}
		if tried > 0 && !wait(ctx, w.night.plan.Retry.Pause) {
			continue // over says why
		}
		if err := w.order(ctx, g, scenarios); err != nil {
			w.giveUp(err.Error())
			return
		}
	}
}

// wait waits; false when ctx ended before.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// order has a process run some tasks. The error is why the rig is given up.
func (w *worker) order(ctx context.Context, g group, scenarios []string) error {
	o := Order{Number: len(w.chapters) + 1, Repeat: g.repeat, Profile: g.profile, Lang: g.lang, Scenarios: scenarios, Begun: time.Now().UTC()}
	if n := len(w.chapters); n > 0 {
		o.Number = w.chapters[n-1].Number + 1
	}
	if o.Number > maxOrders {
		return fmt.Errorf("%d processes have run on this rig tonight: something starts them over and over", maxOrders)
	}
	dir := filepath.Join(w.night.dir, orderDir(w.rig.Name, o.Number))
	if err := o.save(dir); err != nil {
		return err
	}
	w.note(func() { w.chapters = append(w.chapters, chapter{Order: o}) })
	ending, err := w.follow(ctx, o, dir)
	if err != nil {
		return err
	}
	c := &w.chapters[len(w.chapters)-1]
	if ending.died() {
		ending.During = o.begunIn(dir, c.results)
	}
	o.Ending = &ending
	if err := o.save(dir); err != nil {
		return err
	}
	w.note(func() { c.Order = o })
	return w.hope(ctx, *c)
}

// follow runs an order's process and takes in its results as they come.
func (w *worker) follow(ctx context.Context, o Order, dir string) (Ending, error) {
	inside, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	done := make(chan Ending, 1)
	go func() { done <- w.run(inside, w.rig, o, dir) }()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	var offset int64
	var spoiled streak
	var unread error
	last := time.Now()
	take := func() {
		news, next, err := results(dir, offset)
		if err != nil {
			unread = err
			stop(err)
		}
		offset = next
		for _, r := range news {
			last = time.Now()
			w.take(o, r)
			spoiled.add(r)
		}
	}
	for {
		select {
		case ending := <-done:
			take()
			if inside.Err() != nil {
				ending.Stopped = context.Cause(inside).Error()
			}
			return ending, unread
		case <-look.C:
			take()
		}
		switch {
		case spoiled.length >= w.night.plan.GiveUpAfter:
			stop(fmt.Errorf("the rig spoiled %d scenarios in a row, the first so: %s", spoiled.length, spoiled.first))
		case time.Since(last) > silence:
			stop(fmt.Errorf("no result came for %v", silence))
		}
	}
}

// streak counts how many scenarios in a row the rig has spoiled.
type streak struct {
	length int
	first  string // why it spoiled the first of them
}

func (s *streak) add(r record.Result) {
	switch {
	case r.Verdict != record.Inconclusive || r.Cause != record.Rig:
		*s = streak{}
	case s.length == 0:
		*s = streak{1, r.Why}
	default:
		s.length++
	}
}

// take takes in one result.
func (w *worker) take(o Order, r record.Result) {
	c := &w.chapters[len(w.chapters)-1]
	w.note(func() { c.results = append(c.results, r) })
	if o.kindOf(r) == neverBegun {
		return // it will be tried again, or is not run
	}
	attempt := len(w.book.decided(o.key(r.Scenario)))
	w.night.tell(Event{Rig: w.rig.Name, Repeat: o.Repeat, Attempt: max(attempt, 1), Result: &r})
}

// hope decides whether a rig is worth another process. The error is why it is not.
func (w *worker) hope(ctx context.Context, c chapter) error {
	before := newBook(w.rig.Name, w.night.plan.Retry, w.book.tasks)
	made, down := before.enter(c.Order, c.results)
	e := *c.Ending
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	switch {
	case e.died():
		w.deaths++
		w.night.tell(Event{Rig: w.rig.Name, Note: "assay died: " + e.Said})
		if w.deaths >= maxDeaths {
			return fmt.Errorf("assay died %d times on this rig; the last time: %s", w.deaths, e.Said)
		}
		return nil
	case down != "":
		w.downs++
		if w.downs >= w.night.plan.Retry.Attempts || made == 0 {
			return fmt.Errorf("the rig is down: %s", down)
		}
		return nil
	case e.Stopped != "":
		w.downs++
		if w.downs >= w.night.plan.Retry.Attempts {
			return errors.New(e.Stopped)
		}
		return nil
	case w.night.over(ctx) != "":
		return nil // the next look says why
	case made == 0:
		return fmt.Errorf("assay run ended with exit code %d and no result: %s", e.Code, e.Said)
	}
	return nil
}

func (w *worker) giveUp(why string) {
	w.note(func() { w.gaveUp = why })
	w.night.tell(Event{Rig: w.rig.Name, Note: "the rest is not run: " + why})
}

// note changes what the worker knows, makes its book anew, and has the night's summary follow.
func (w *worker) note(change func()) {
	w.mu.Lock()
	change()
	w.book.write(w.chapters)
	w.mu.Unlock()
	w.night.changed()
}

// logPath is where what a process says is kept.
func logPath(dir string) string { return dir + ".log" }

// exists says whether a file is there.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
