package terminal

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// ErrMute is returned by a chip reader when the card does not answer a reset.
var ErrMute = errors.New("card does not answer to reset")

// ErrWrite is returned by NVRAM that can't be written: it is worn out, or full, or its supply is gone.
var ErrWrite = errors.New("NVRAM write failed")

// backed begins the names of the records that a battery keeps. The others are in a memory that needs none.
const backed = "backed."

// NVRAM is the memory that survives a power cut: records by name, those that begin with "backed." as long as there is a battery. It
// belongs to the hardware, so it outlives the application. The zero value is empty and ready, and writes at once.
type NVRAM struct {
	// Takes is how long a Commit takes. Tears says that one which a power cut ends leaves the first half of each of its
	// records; else it leaves nothing. Both are set before the first use.
	Takes time.Duration
	Tears bool

	mu      sync.Mutex // never held while waiting
	records map[string][]byte
	gone    chan struct{} // closed when the supply goes; nil before the first Commit under this supply
	dead    bool
	broken  bool
	flat    bool // no battery
}

// erased is what a memory reads as that does not answer: no line is pulled down.
const erased = 0xFF

// Get returns a copy of a record; nil when there is none. Of a broken memory nothing can be read that makes sense.
func (n *NVRAM) Get(name string) []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.broken {
		return bytes.Repeat([]byte{erased}, max(1, len(n.records[name])))
	}
	return slices.Clone(n.records[name])
}

// Commit writes several records and returns when they are safe. They are all there afterwards, or, with ErrWrite, none;
// but see Tears. A nil value deletes.
func (n *NVRAM) Commit(changes map[string][]byte) error {
	n.mu.Lock()
	gone, dead := n.supply()
	n.mu.Unlock()
	if dead {
		return ErrWrite
	}
	whole := n.write(gone)
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.broken:
		return ErrWrite
	case whole:
		n.put(changes, func(value []byte) []byte { return value })
		return nil
	case n.Tears:
		n.put(changes, func(value []byte) []byte { return value[:len(value)/2] })
	}
	return ErrWrite
}

// supply gives what ends when the supply does.
func (n *NVRAM) supply() (gone <-chan struct{}, dead bool) {
	if n.gone == nil {
		n.gone = make(chan struct{})
	}
	return n.gone, n.dead
}

// write takes the time of a Commit; false when the supply goes meanwhile.
func (n *NVRAM) write(gone <-chan struct{}) bool {
	if n.Takes == 0 {
		return true
	}
	timer := time.NewTimer(n.Takes)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-gone:
		return false
	}
}

// put changes the records; what is left of a value decides as.
func (n *NVRAM) put(changes map[string][]byte, as func(value []byte) []byte) {
	next := maps.Clone(n.records)
	if next == nil {
		next = map[string][]byte{}
	}
	for name, value := range changes {
		if value == nil {
			delete(next, name)
			continue
		}
		next[name] = slices.Clone(as(value))
	}
	n.records = next
}

// Power takes the supply away, and with it a Commit that is under way, or brings it back.
func (n *NVRAM) Power(on bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !on && !n.dead && n.gone != nil {
		close(n.gone)
	}
	if on && n.dead {
		n.gone = nil
	}
	n.dead = !on
	n.fade()
}

// Battery takes the battery out, or puts one in. Without one, what it keeps is gone with the supply.
func (n *NVRAM) Battery(in bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.flat = !in
	n.fade()
}

// fade loses what nothing keeps.
func (n *NVRAM) fade() {
	if n.dead && n.flat {
		maps.DeleteFunc(n.records, func(name string, _ []byte) bool { return strings.HasPrefix(name, backed) })
	}
}

// Break makes every further Commit fail and every Get read nonsense, or ends that.
func (n *NVRAM) Break(broken bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.broken = broken
}
