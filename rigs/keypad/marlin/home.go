package marlin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-hil/assay/rigs"
)

// Home homes Z and then X and Y, keeps the motors powered, and raises the finger to the safe
// height. Errors: ErrHomesDown, where nothing moves; ErrKilled, which a failed homing ends in; ErrRefused;
// rigs.ErrNoAnswer.
func (d *Driver) Home(ctx context.Context) error {
	ctx, release, err := d.take(ctx)
	if err != nil {
		return rigs.Fault(instrument, "home", err)
	}
	defer release()
	if err := d.home(ctx); err != nil {
		return rigs.Fault(instrument, "home", d.tidy(ctx, err))
	}
	return nil
}

func (d *Driver) home(ctx context.Context) error {
	if d.machine.ZMin && !d.machine.ZMax {
		return ErrHomesDown
	}
	d.needSync = d.needSync || d.moving
	if err := d.getInStep(ctx); err != nil {
		return err
	}
	d.lose(errors.New("homing did not end"))
	limits := d.cfg.Limits
	for _, o := range []order{
		{step: "set units", line: "G21", limit: limits.Response, spare: true}, // unknown where there are no inches
		{step: "set units", line: "G90", limit: limits.Response},
		{step: "keep the motors powered", line: "M84 S0", limit: limits.Response},
		{step: "home Z", line: "G28 Z", limit: limits.Homing, moves: true},
		{step: "home X and Y", line: "G28 X Y", limit: limits.Homing, moves: true},
		{step: "homing", line: "M400", limit: limits.Motion},
	} {
		o.free = true
		if _, err := d.send(ctx, o); err != nil {
			return err
		}
	}
	at, err := d.place(ctx, "homing")
	if err != nil {
		return err
	}
	if at.Z < d.cfg.safeZ()-positionTolerance {
		return fmt.Errorf("homing: %w: the machine's top is below the safe height over the keys", ErrPosition)
	}
	d.positioned, d.moving, d.at, d.park = true, false, at, at
	if err := d.lift(ctx); err != nil {
		return err
	}
	d.homed = true
	return nil
}

// lift raises the finger and waits until it is up.
func (d *Driver) lift(ctx context.Context) error {
	if err := d.raise(ctx); err != nil {
		return err
	}
	up := Point{Z: d.cfg.safeZ()}
	_, err := d.arrive(ctx, "raise the finger", up, axes{z: true}, d.machine.travel(Point{Z: d.at.Z}, up)+firstMove)
	return err
}

// Probe asks the controller for its place; nothing moves. It waits for its turn behind other calls.
func (d *Driver) Probe(ctx context.Context) error {
	ctx, release, err := d.take(ctx)
	if err != nil {
		return rigs.Fault(instrument, "probe", err)
	}
	defer release()
	if err := d.catchUp(); err != nil {
		return rigs.Fault(instrument, "probe", err)
	}
	if err := d.getInStep(ctx); err != nil {
		return rigs.Fault(instrument, "probe", err)
	}
	_, err = d.place(ctx, "probe")
	return rigs.Fault(instrument, "probe", err)
}

// Halt brings the finger up and parks it. It ends a call under way, with ErrHalted, raises the finger to the
// safe height, and drives it to the place where homing ended if ctx leaves the time; where the position is
// not known or the controller does not follow, it stops all movement and homes, which lifts Z first and
// leaves the driver homed. It is bounded by Limits and ctx.
func (d *Driver) Halt(ctx context.Context) error {
	d.halts.Add(1)
	defer d.halts.Add(-1)
	d.preempt()
	if err := d.hold(ctx); err != nil {
		return rigs.Fault(instrument, "halt", err)
	}
	defer func() { <-d.turn }()
	err := d.halt(ctx)
	if err != nil && ctx.Err() != nil && d.moving {
		err = errors.Join(err, d.stop(ctx, errors.New("the call ended while the machine moved")))
	}
	return rigs.Fault(instrument, "halt", err)
}

func (d *Driver) halt(ctx context.Context) error {
	if err := d.catchUp(); err != nil && !errors.Is(err, ErrKilled) {
		return err
	}
	if d.positioned && !d.needSync {
		err := d.lift(ctx)
		if err == nil {
			err = d.retreat(ctx)
		}
		if err == nil || ctx.Err() != nil || d.line.Err() != nil || d.killed {
			return err
		}
	}
	return d.home(ctx) // its getInStep stops what moves
}

// parkReserve is left of the caller's time after parking.
const parkReserve = 2 * time.Second

// retreat drives the raised finger away from the keys, unless there is no time for it.
func (d *Driver) retreat(ctx context.Context) error {
	to := Point{X: d.park.X, Y: d.park.Y, Z: d.at.Z}
	if offPlace(d.at, to, axes{xy: true}) == nil {
		return nil
	}
	allow := d.machine.travel(d.at, to) + firstMove
	if deadline, bounded := ctx.Deadline(); bounded && time.Until(deadline) < allow+parkReserve {
		return nil
	}
	if err := d.rapid(ctx, "park", fmt.Sprintf("X%.3f Y%.3f", to.X, to.Y), 0); err != nil {
		return err
	}
	_, err := d.arrive(ctx, "park", to, axes{xy: true}, allow)
	return err
}
