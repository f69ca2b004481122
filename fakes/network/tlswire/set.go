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
	handshakes map[string]int // begun since arming, by uplink; of all of them under ""
	records    map[string]int // sent since arming, likewise
	over       bool
}

// entry is one fault. Fired is guarded by the set's mutex.
type entry struct {
	Fault
	fired int
}

func newSet(faults []Fault, report func(string, map[string]string)) *set {
	s := &set{report: report, healed: make(chan struct{}), handshakes: map[string]int{}, records: map[string]int{}}
	for _, f := range faults {
		s.entries = append(s.entries, &entry{Fault: f})
		report("armed", map[string]string{"fault": f.ID, "kind": f.Kind})
	}
	return s
}

// handshake counts one of an uplink and gives the fault that it meets, if any.
func (s *set) handshake(uplink string) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pick(false, uplink, s.handshakes)
}

// record counts one of an uplink and gives the fault that it meets, if any.
func (s *set) record(uplink string) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pick(true, uplink, s.records)
}

// pick counts a record or handshake and gives the first fault on it. The set is locked.
func (s *set) pick(record bool, uplink string, counted map[string]int) *entry {
	counted[uplink]++
	if uplink != "" {
		counted[""]++
	}
	if s.over {
		return nil
	}
	for _, e := range s.entries {
		if e.Uplink != "" && e.Uplink != uplink {
			continue
		}
		if (e.Kind == corrupt) == record && (e.Nth == 0 || e.Nth == counted[e.Uplink]) {
			return e
		}
	}
	return nil
}

// fire reports that a fault acted on a connection.
func (s *set) fire(e *entry, c *conn) {
	s.mu.Lock()
	e.fired++
	s.mu.Unlock()
	s.report("fired", map[string]string{"fault": e.ID, "kind": e.Kind, "uplink": c.uplink, "peer": c.peer()})
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
