package tlswire

import (
	"sync"

	"github.com/assay-hil/assay/fakes/network/client"
)

// set is the faults in force, or what is left of them after healing.
type set struct {
	report func(kind string, fields map[string]string)
	healed chan struct{} // closed when they no longer act

	mu         sync.Mutex
	entries    []*entry
	handshakes int // begun since arming
	records    int // sent since arming
	over       bool
}

// entry is one fault. Fired is guarded by the set's mutex.
type entry struct {
	Fault
	fired int
}

func newSet(faults []Fault, report func(string, map[string]string)) *set {
	s := &set{report: report, healed: make(chan struct{})}
	for _, f := range faults {
		s.entries = append(s.entries, &entry{Fault: f})
		report("armed", map[string]string{"fault": f.ID, "kind": f.Kind})
	}
	return s
}

// handshake counts one and gives the fault that it meets, if any.
func (s *set) handshake() *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handshakes++
	return s.pick(false, s.handshakes)
}

// record counts one and gives the fault that it meets, if any.
func (s *set) record() *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records++
	return s.pick(true, s.records)
}

// pick is the first fault on the nth record or handshake. The set is locked.
func (s *set) pick(record bool, nth int) *entry {
	if s.over {
		return nil
	}
	for _, e := range s.entries {
		if (e.Kind == corrupt) == record && (e.Nth == 0 || e.Nth == nth) {
			return e
		}
	}
	return nil
}

// fire reports that a fault acted.
func (s *set) fire(e *entry, peer string) {
	s.mu.Lock()
	e.fired++
	s.mu.Unlock()
	s.report("fired", map[string]string{"fault": e.ID, "kind": e.Kind, "peer": peer})
}

// heal ends all faults, once.
func (s *set) heal() {
	s.mu.Lock()
	done := s.over
	s.over = true
	s.mu.Unlock()
	if done {
		return
	}
	close(s.healed)
	for _, e := range s.entries {
		s.report("healed", map[string]string{"fault": e.ID, "kind": e.Kind})
	}
}

func (s *set) status() []client.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]client.Status, 0, len(s.entries))
	for _, e := range s.entries {
		all = append(all, client.Status{ID: e.ID, Kind: e.Kind, Fired: e.fired, Healed: s.over})
	}
	return all
}
