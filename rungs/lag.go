package rungs

import (
	"sync"
	"time"
)

// lagEvery is how often the machine is asked whether it is on time.
const lagEvery = 10 * time.Millisecond

// lag watches by how much this machine wakes too late who waits for a time. What happens on a bench is seen, and on a
// simulated one done, as late as that; nothing can be measured closer.
type lag struct {
	mu    sync.Mutex
	worst time.Duration
	stop  chan struct{}
	done  chan struct{}
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
}

// take gives the worst since the last call.
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
