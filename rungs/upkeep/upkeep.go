// Package upkeep answers what a lab asks about a rig that nobody is running on: who has it, can
// it be trusted, how worn is it; and keeps what people decide about it. It opens no instrument.
package upkeep

import (
	"context"
	"time"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/health"
	"github.com/assay-hil/assay/rigs/lease"
	"github.com/assay-hil/assay/rigs/state"
	"github.com/assay-hil/assay/rigs/wear"
)

// unlockLimit bounds the wait for a holder to make the rig safe and let go: a finger that has lost
// its place homes first.
const unlockLimit = 3 * time.Minute

// Rig is one rig's state folder.
type Rig struct {
	Name string
	Dir  string
}

// Open finds the state of the rig that a file describes, below root; "" as package state says.
func Open(file, root string) (*Rig, error) {
	f, err := rigs.LoadFile(file)
	if err != nil {
		return nil, err
	}
	dir, err := state.Dir(root, f.Name, f.Path)
	return &Rig{Name: f.Name, Dir: dir}, err
}

// Report is all that is known of a rig.
type Report struct {
	Rig    string        `json:"rig"`
	Word   string        `json:"health"` // good, unknown, bad or maintenance
	Health health.Record `json:"found"`
	// Holder has the rig now if Held, or had it last; nil: nobody ever had.
	Holder *lease.Holder `json:"holder,omitempty"`
	Held   bool          `json:"held"`
	Wear   wear.Record   `json:"wear"`
	Dir    string        `json:"dir"`
}

// Report reads it.
func (r *Rig) Report() (Report, error) {
	report := Report{Rig: r.Name, Dir: r.Dir}
	var err error
	if report.Health, err = health.Load(r.Dir); err != nil {
		return report, err
	}
	report.Word = report.Health.Word()
	if report.Wear, err = wear.Load(r.Dir); err != nil {
		return report, err
	}
	holder, held, err := lease.Status(r.Dir)
	if holder.PID != 0 {
		report.Holder, report.Held = &holder, held
	}
	return report, err
}

// Maintain takes the rig out of service, for a reason that others will read. Who runs on it now may
// end that run.
func (r *Rig) Maintain(reason string) error { return health.Maintain(r.Dir, lease.User(), reason) }

// Return puts it back into service; replaced says that worn parts were, and counts wear anew.
func (r *Rig) Return(reason string, replaced bool) error {
	if replaced {
		if err := wear.Service(r.Dir); err != nil {
			return err
		}
	}
	return health.Return(r.Dir, lease.User(), reason)
}

// Unlock asks whoever holds the rig to end its run, make the rig safe and let go, and waits for
// that. held is false when nobody had it. A *lease.HeldError says that the holder does not answer.
func (r *Rig) Unlock(ctx context.Context, reason string) (holder lease.Holder, held bool, err error) {
	if reason == "" {
		return holder, false, health.ErrReason
	}
	holder, held, err = lease.Status(r.Dir)
	if err != nil || !held {
		return holder, held, err
	}
	ctx, cancel := context.WithTimeout(ctx, unlockLimit)
	defer cancel()
	_, err = lease.Revoke(ctx, r.Dir, lease.User(), reason)
	return holder, true, err
}

// Kinds of wear, in the order in which they are told.
func Kinds() []string { return wear.Kinds() }
