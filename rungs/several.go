package rungs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/assay-hil/assay/harness"
	"github.com/assay-hil/assay/harness/record"
)

// MaxBenches is how many simulated benches may work side by side.
const MaxBenches = 32

// usualBenches is how many do so when nobody says: a bench in real time mostly waits, so a core serves four.
func usualBenches() int { return min(4*runtime.GOMAXPROCS(0), 8) }

// several are benches of the same kind side by side, each a rig of its own that serves one scenario at a time.
type several struct {
	Rung    // the first: what it can do, all can
	benches []*realtime
	free    chan struct{} // an element for each that is idle

	mu   sync.Mutex
	idle []bool // by bench: it serves nobody
}

// newSeveral makes them, each by its number from 0; one alone needs nobody beside it.
func newSeveral(n int, one func(n int) *realtime) Rung {
	s := &several{free: make(chan struct{}, n)}
	for i := range n {
		s.benches = append(s.benches, one(i))
		s.idle = append(s.idle, true)
		s.free <- struct{}{}
	}
	s.Rung = s.benches[0]
	if n == 1 {
		return s.Rung
	}
	return s
}

// Worlds is how many there are.
func (s *several) Worlds() int { return len(s.benches) }

// Do runs body on a bench that serves nobody, if possible on one whose terminal is such a one already.
func (s *several) Do(ctx context.Context, wanted Wanted, body func(context.Context, *harness.Session) record.Result) error {
	select {
	case <-s.free:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	i := s.take(wanted)
	defer s.give(i)
	return s.benches[i].Do(ctx, wanted, body)
}

// take chooses an idle bench; there is one for who has its element of free.
func (s *several) take(wanted Wanted) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	best, rank := 0, 0
	for i, idle := range s.idle {
		if fit := s.benches[i].fit(wanted); idle && fit > rank {
			best, rank = i, fit
		}
	}
	s.idle[best] = false
	return best
}

func (s *several) give(i int) {
	s.mu.Lock()
	s.idle[i] = true
	s.mu.Unlock()
	s.free <- struct{}{}
}

// Close takes all down.
func (s *several) Close() error {
	var err error
	for _, b := range s.benches {
		err = errors.Join(err, b.Close())
	}
	return err
}

// under gives a bench's evidence a folder of its own, where there are several; nil stays nil.
func under(evidence func(path string) (io.WriteCloser, error), n int) func(path string) (io.WriteCloser, error) {
	if evidence == nil || n == 0 {
		return evidence
	}
	return func(path string) (io.WriteCloser, error) {
		return evidence(filepath.Join(filepath.Dir(path), fmt.Sprintf("bench-%d", n+1), filepath.Base(path)))
	}
}
