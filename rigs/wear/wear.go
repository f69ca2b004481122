// Package wear counts what wears a rig out: presses, insertions, swipes, PIN tries, power
// cycles. The counts are kept in the rig's state folder, in all and since its last service.
package wear

import (
	"path/filepath"
	"sync"
	"time"

	"github.com/assay-hil/assay/rigs/state"
)

const file = "wear.json"

// Kinds of wear.
const (
	Presses     = "presses"      // of any key, by the finger
	Inserts     = "inserts"      // of a card into the slot
	Swipes      = "swipes"       // of a stripe past the head
	Taps        = "taps"         // of a card brought into the field
	PINTries    = "pin-tries"    // of PINs entered, right or wrong
	PowerCycles = "power-cycles" // of the terminal's supply
)

// Kinds lists them in the order in which they are told.
func Kinds() []string { return []string{Presses, Inserts, Swipes, Taps, PINTries, PowerCycles} }

// Count is one kind's.
type Count struct {
	Total   int64 `json:"total"`
	Service int64 `json:"since_service"`
}

// Record is what a rig went through.
type Record struct {
	Counts map[string]Count `json:"counts"`
	Since  time.Time        `json:"since"` // the first count
	// Serviced is when the counts since the last service were set to zero; zero when never.
	Serviced time.Time `json:"serviced,omitzero"`
}

// Load reads the wear of the rig whose state folder is dir.
func Load(dir string) (Record, error) {
	var r Record
	return r, state.Read(filepath.Join(dir, file), &r)
}

// Service sets the counts since the last service to zero: worn parts were replaced.
func Service(dir string) error {
	return state.Update(filepath.Join(dir, file), func(r *Record) error {
		for kind, c := range r.Counts {
			c.Service = 0
			r.Counts[kind] = c
		}
		r.Serviced = time.Now().UTC()
		return nil
	})
}

// Counter counts in memory until Flush. It is safe for use by several goroutines; the zero value counts
// for nobody.
type Counter struct {
	dir string

	mu  sync.Mutex
	new map[string]int64
}

// NewCounter counts for the rig whose state folder is dir.
func NewCounter(dir string) *Counter { return &Counter{dir: dir} }

// Add counts one of a kind.
func (c *Counter) Add(kind string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.new == nil {
		c.new = map[string]int64{}
	}
	c.new[kind]++
}

// Flush brings what was counted to the state folder. When it fails, the counts stay for the
// next call.
func (c *Counter) Flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.new) == 0 || c.dir == "" {
		return nil
	}
	err := state.Update(filepath.Join(c.dir, file), func(r *Record) error {
		if r.Counts == nil {
			r.Counts, r.Since = map[string]Count{}, time.Now().UTC()
		}
		for kind, n := range c.new {
			old := r.Counts[kind]
			r.Counts[kind] = Count{Total: old.Total + n, Service: old.Service + n}
		}
		return nil
	})
	if err == nil {
		clear(c.new)
	}
	return err
}
