package terminal

import (
	"errors"
	"maps"
	"sync"
)

// ErrMute is returned by a chip reader when the card does not answer a reset.
var ErrMute = errors.New("card does not answer to reset")

// NVRAM is the memory that survives a power cut: whole records by name. It belongs to the
// hardware, so it outlives the application. The zero value is empty and ready.
type NVRAM struct {
	mu      sync.Mutex
	records map[string][]byte
}

// Get returns a copy of a record; nil when there is none.
func (n *NVRAM) Get(name string) []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]byte(nil), n.records[name]...)
}

// Commit writes several records at once: after a power cut either all of them are there or
// none. A nil value deletes.
func (n *NVRAM) Commit(changes map[string][]byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	next := maps.Clone(n.records)
	if next == nil {
		next = map[string][]byte{}
	}
	for name, value := range changes {
		if value == nil {
			delete(next, name)
			continue
		}
		next[name] = append([]byte(nil), value...)
	}
	n.records = next
}
