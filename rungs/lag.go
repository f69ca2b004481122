package rungs

import (
	"slices"
	"sync"
	"time"
)

const (
	// lagEvery is how often the machine is asked whether it is on time.
	lagEvery = 10 * time.Millisecond
	// lagWindow is how long together it is looked at how late it was: a terminal's reaction passes through several that wait
	// for each other (lines, driver, card, the simulated terminal itself), and on a busy machine each is late by itself.
	lagWindow = time.Second
	// lagUsual is what a timer is late by on any machine.
	lagUsual = 5 * time.Millisecond
)

// lag watches by how much this machine wakes too late who waits for a time. What happens on a bench is seen, and on a
// simulated one done, as late as that; nothing can be measured closer.
type lag struct {
	mu     sync.Mutex
	recent []lateness // of more than lagUsual, within lagWindow
	worst  time.Duration
	stop   chan struct{}
	done   chan struct{}
}

type lateness struct {
	at time.Time
	by time.Duration
}

// watchLag watches until close.
func watchLag() *lag {
	l := &lag{stop: make(chan struct{}), done: make(chan struct{})}
	go l.watch()
	return l
}

func (l *lag) watch() {
	defer close(l.done)
	timer := time.NewTimer(lagEvery)
	defer timer.Stop()
	for due := time.Now().Add(lagEvery); ; due = time.Now().Add(lagEvery) {
		select {
		case <-timer.C:
		case <-l.stop:
			return
		}
		l.note(time.Since(due))
		timer.Reset(lagEvery)
	}
}

func (l *lag) note(late time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.worst = max(l.worst, late)
	if late <= lagUsual {
		return
	}
	now := time.Now()
	l.recent = slices.DeleteFunc(l.recent, func(r lateness) bool { return now.Sub(r.at) > lagWindow })
	l.recent = append(l.recent, lateness{now, late})
	together := time.Duration(0)
	for _, r := range l.recent {
		together += r.by
	}
	l.worst = max(l.worst, together)
}

// take gives the worst since the last call: the longest time by which it was late at once, or in the course of lagWindow.
func (l *lag) take() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	worst := l.worst
	l.worst = 0
	return worst
}

func (l *lag) close() error {
	close(l.stop)
	<-l.done
	return nil
}
