package grbl

import (
	"context"
	"errors"
	"fmt"

	"github.com/assay-hil/assay/rigs"
)

// errorHomingOff is GRBL's answer to $H with $22=0.
const errorHomingOff = 5

// Home resets the controller where needed, runs its homing cycle ($H), and raises the finger
// to the safe height. $X is never used. Errors: ErrHomingDisabled; *AlarmError, such as 9
// where no switch was found; rigs.ErrNoAnswer.
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
	if !d.machine.Homing {
		return ErrHomingDisabled
	}
	// A controller that has moved since its start can be in a hold, behind a door or asleep,
	// where $H is refused; a reset ends all of it.
	d.needReset = d.needReset || d.used
	if err := d.getInStep(ctx); err != nil {
		return err
	}
	d.lose(errors.New("homing did not end"))
	restarts := d.restarts
	if _, err := d.send(ctx, order{step: "homing", line: "$H", limit: d.cfg.Limits.Homing, moves: true, free: true}); err != nil {
		if off := (*RefusedError)(nil); errors.As(err, &off) && off.Code == errorHomingOff {
			return fmt.Errorf("%w: %w", ErrHomingDisabled, err)
		}
		return err
	}
	// Units first: the startup blocks that run after homing can have chosen inches, and a
	// safe height in inches is 25 times too far. This line moves nothing.
	if _, err := d.send(ctx, order{step: "set units", line: "G21 G90 G94", limit: d.cfg.Limits.Response, free: true}); err != nil {
		return err
	}
	at, err := d.rest(ctx, "homing")
	if err != nil {
		return err
	}
	if d.restarts != restarts {
		return fmt.Errorf("homing: %w", ErrRestarted)
	}
	d.positioned, d.at, d.park = true, at, at
	return d.lift(ctx, func() { d.homed = true })
}

// lift raises the finger and waits until it is up.
func (d *Driver) lift(ctx context.Context, then func()) error {
	safe := Point{Z: d.cfg.safeZ()}
	if _, err := d.arrive(ctx, "raise the finger", safe, axes{z: true}, d.heightAllowance(), d.raise()); err != nil {
		return err
	}
	then()
	return nil
}
