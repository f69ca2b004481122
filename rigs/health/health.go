// Package health remembers whether a rig can be trusted. There are two sides to it, kept apart:
// what was found out (good, unknown, bad), which every run writes, and what a person intends
// (maintenance), which only a person takes back. Both have a reason and a history.
package health

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/assay-hil/assay/rigs/state"
)

// Status is what was found out about a rig.
type Status string

// The statuses. Unknown is also that of a rig which was never checked.
const (
	Good    Status = "good"    // its last self-check passed
	Unknown Status = "unknown" // something happened since its last self-check
	Bad     Status = "bad"     // its last self-check failed
)

const (
	// maxHistory is how many changes are remembered.
	maxHistory = 200
	// maxReason bounds a reason, in bytes; errors that quote a device can be long.
	maxReason = 500
	file      = "health.json"
)

// Intent is what a person wants with a rig.
type Intent struct {
	Reason string    `json:"reason"`
	By     string    `json:"by"`
	Since  time.Time `json:"since"`
}

// Change is one entry of a rig's history.
type Change struct {
	At     time.Time `json:"at"`
	To     string    `json:"to"` // a status, "maintenance" or "in service"
	Reason string    `json:"reason"`
	By     string    `json:"by,omitempty"` // with an intent
}

// Record is all that is known of a rig's health.
type Record struct {
	Status Status    `json:"status"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
	// Maintenance is nil while the rig is in service.
	Maintenance *Intent  `json:"maintenance,omitempty"`
	History     []Change `json:"history,omitempty"` // oldest first
}

// MaintenanceError says that a rig must not be used for now.
type MaintenanceError struct {
	Rig    string
	Intent Intent
}

func (e *MaintenanceError) Error() string {
	return fmt.Sprintf("rig %s is in maintenance since %s, by %s: %s; `assay rigs maintenance --end` puts it back into service",
		e.Rig, e.Intent.Since.Local().Format("2006-01-02 15:04"), e.Intent.By, e.Intent.Reason)
}

// ErrReason is returned where an intent has no reason.
var ErrReason = errors.New("say why, with --reason: others will read it")

// Load reads the health of the rig whose state folder is dir.
func Load(dir string) (Record, error) {
	r := Record{Status: Unknown, Reason: "never checked"}
	return r, state.Read(filepath.Join(dir, file), &r)
}

// Set notes what was found out. The same status with the same reason changes nothing.
func Set(dir string, to Status, reason string) error {
	reason = reason[:min(len(reason), maxReason)]
	return update(dir, func(r *Record, now time.Time) error {
		if r.Status == to && r.Reason == reason {
			return nil
		}
		if r.Status != to {
			r.Since = now
		}
		r.Status, r.Reason = to, reason
		r.remember(Change{At: now, To: string(to), Reason: reason})
		return nil
	})
}

// Maintain takes a rig out of service.
func Maintain(dir, by, reason string) error {
	if reason == "" {
		return ErrReason
	}
	return update(dir, func(r *Record, now time.Time) error {
		r.Maintenance = &Intent{Reason: reason, By: by, Since: now}
		r.remember(Change{At: now, To: "maintenance", Reason: reason, By: by})
		return nil
	})
}

// Return puts a rig back into service. Its status becomes unknown: somebody worked on it.
func Return(dir, by, reason string) error {
	return update(dir, func(r *Record, now time.Time) error {
		if r.Maintenance == nil {
			return nil
		}
		r.Maintenance = nil
		r.Status, r.Reason, r.Since = Unknown, "not checked since its maintenance", now
		r.remember(Change{At: now, To: "in service", Reason: reason, By: by})
		return nil
	})
}

func update(dir string, change func(*Record, time.Time) error) error {
	return state.Update(filepath.Join(dir, file), func(r *Record) error {
		if r.Status == "" {
			r.Status, r.Reason = Unknown, "never checked"
		}
		return change(r, time.Now().UTC())
	})
}

func (r *Record) remember(c Change) {
	r.History = append(r.History, c)
	if extra := len(r.History) - maxHistory; extra > 0 {
		r.History = append([]Change(nil), r.History[extra:]...)
	}
}

// Usable is nil, or a *MaintenanceError. A rig whose status is bad may be used: the run's
// self-check finds out whether it still is.
func (r Record) Usable(rig string) error {
	if r.Maintenance == nil {
		return nil
	}
	return &MaintenanceError{Rig: rig, Intent: *r.Maintenance}
}

// Word is the rig's health in a word: a person's intent before what was found out.
func (r Record) Word() string {
	if r.Maintenance != nil {
		return "maintenance"
	}
	return string(r.Status)
}
