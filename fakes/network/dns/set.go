package dns

import (
	"sync"

	"github.com/assay-hil/assay/fakes/network/client"
)

// maxCounted is how many different questions are counted since arming. Questions beyond meet only
// faults without nth.
const maxCounted = 4096

// asked is what a question is known by.
type asked struct{ name, kind string }

// set is the faults in force, or what is left of them after healing.
type set struct {
	report func(kind string, fields map[string]string)
	healed chan struct{} // closed when they no longer act

	mu      sync.Mutex
	entries []*entry
	seen    map[asked]int // occurrences since arming
	over    bool
}

// entry is one fault. Fired is guarded by the set's mutex.
type entry struct {
	Fault
	name  string // canonical
	fired int
}

func newSet(faults []Fault, report func(string, map[string]string)) *set {
	s := &set{report: report, healed: make(chan struct{}), seen: map[asked]int{}}
	for _, f := range faults {
		name, _ := canonical(f.Name)
		s.entries = append(s.entries, &entry{Fault: f, name: name})
		report("armed", map[string]string{"fault": f.ID, "kind": f.Kind})
	}
	return s
}

// meet counts a question and gives the first fault on it, if any.
func (s *set) meet(q asked) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || len(s.entries) == 0 {
		return nil
	}
	if _, known := s.seen[q]; known || len(s.seen) < maxCounted {
		s.seen[q]++
	}
	for _, e := range s.entries {
		if (e.name == "" || e.name == q.name) && (e.Type == "" || e.Type == q.kind) && (e.Nth == 0 || e.Nth == s.seen[q]) {
			return e
		}
	}
	return nil
}

// fire reports that a fault acted.
func (s *set) fire(e *entry, q asked, peer string) {
	s.mu.Lock()
	e.fired++
	s.mu.Unlock()
	s.report("fired", map[string]string{"fault": e.ID, "kind": e.Kind, "name": q.name, "type": q.kind, "peer": peer})
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
