package grbl

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-hil/assay/rigs"
)

// Probe asks for a status report; nothing moves. It fails when none comes, as during homing
// and in the silence after alarms 1 and 2, and when the controller is in a state in which it
// can't press although it had been homed. It waits for its turn behind other calls.
func (d *Driver) Probe(ctx context.Context) error {
	ctx, release, err := d.take(ctx)
	if err != nil {
		return rigs.Fault(instrument, "probe", err)
	}
	defer release()
	return rigs.Fault(instrument, "probe", d.probe(ctx))
}

func (d *Driver) probe(ctx context.Context) error {
	if err := d.catchUp(); err != nil {
		return err
	}
	homed := d.homed
	s, err := d.query(ctx)
	if err != nil {
		if d.alarm != nil {
			return fmt.Errorf("%w: %w", d.alarm, err)
		}
		return err
	}
	switch s.state {
	case "Idle", "Run", "Jog":
	default:
		if homed {
			err = fmt.Errorf("the controller is in state %s", stateName(s.state))
			d.lose(err)
		}
	}
	return err
}

// Halt brings the finger up and parks it. It ends a call under way, with ErrHalted, raises the
// finger to the safe height, and drives it to the place where homing ended if ctx leaves the time; where the position is not known or the controller does not
// follow, it stops all movement (feed hold, soft reset) and homes, which lifts Z first and
// leaves the driver homed. It works after any error and is bounded by Limits and ctx; with a
// dead controller it returns an error that wraps rigs.ErrNoAnswer.
func (d *Driver) Halt(ctx context.Context) error {
	d.halts.Add(1)
	defer d.halts.Add(-1)
	d.preempt()
	if err := d.hold(ctx); err != nil {
		return rigs.Fault(instrument, "halt", err)
	}
	defer d.leave()
	err := d.halt(ctx)
	if err != nil && ctx.Err() != nil && (d.moving || d.owed > 0) {
		err = errors.Join(err, d.stop(ctx, errors.New("the call ended while the machine moved")))
	}
	return rigs.Fault(instrument, "halt", err)
}

func (d *Driver) halt(ctx context.Context) error {
	if err := d.catchUp(); err != nil {
		return err
	}
	if d.positioned && !d.needReset {
		err := d.lift(ctx, func() {})
		if err == nil {
			err = d.retreat(ctx)
		}
		if err == nil || ctx.Err() != nil || d.line.Err() != nil {
			return err
		}
	}
	if (d.moving || d.owed > 0) && !d.resetSent {
		if err := d.stop(ctx, ErrHalted); err != nil {
			return err
		}
	}
	if err := d.getInStep(ctx); err != nil {
		return err
	}
	return d.home(ctx)
}

// parkReserve is left of the caller's time after parking: a deadline that passed while the machine
// moves would stop it and cost the position.
const parkReserve = 2 * time.Second

// retreat drives the raised finger away from the keys, to the place where homing ended, unless there
// is no time for it.
func (d *Driver) retreat(ctx context.Context) error {
	to := Point{X: d.park.X, Y: d.park.Y, Z: d.at.Z}
	if offPlace(d.at, to, axes{xy: true}) == nil {
		return nil
	}
	allow := d.machine.travel(d.at, to)
	if deadline, bounded := ctx.Deadline(); bounded && time.Until(deadline) < allow+parkReserve {
		return nil
	}
	_, err := d.arrive(ctx, "park", to, axes{xy: true}, allow, d.rapid("park", fmt.Sprintf("X%.3f Y%.3f", to.X, to.Y)))
	return err
}
