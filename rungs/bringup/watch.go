package bringup

import (
	"context"
	"sync"
	"time"

	"github.com/assay-hil/assay/rigs"
)

// watcher keeps the terminal's last screen, and wakes who waits for the next.
type watcher struct {
	mu   sync.Mutex
	last rigs.Screen
	seen bool
	next chan struct{} // closed and replaced with each screen
	done chan struct{} // closed when the display's line ended
}

// watch takes over a display's screens until its line ends.
func watch(d rigs.Display) *watcher {
	w := &watcher{next: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		for s := range d.Screens() {
			if s.Noise != "" {
				continue
			}
			w.mu.Lock()
			w.last, w.seen = s, true
			close(w.next)
			w.next = make(chan struct{})
			w.mu.Unlock()
		}
	}()
	return w
}

// after waits for a screen that came after a time, at most limit; false when none did.
func (w *watcher) after(ctx context.Context, since time.Time, limit time.Duration) (rigs.Screen, bool) {
	return w.until(ctx, limit, func(s rigs.Screen) bool { return s.At.After(since) })
}

// until waits for a screen, the last one included, at most limit; false when none fits.
func (w *watcher) until(ctx context.Context, limit time.Duration, fits func(rigs.Screen) bool) (rigs.Screen, bool) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		w.mu.Lock()
		last, seen, next := w.last, w.seen, w.next
		w.mu.Unlock()
		if seen && fits(last) {
			return last, true
		}
		select {
		case <-next:
		case <-w.done:
			return rigs.Screen{}, false
		case <-timer.C:
			return rigs.Screen{}, false
		case <-ctx.Done():
			return rigs.Screen{}, false
		}
	}
}
