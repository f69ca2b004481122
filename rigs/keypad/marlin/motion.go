package marlin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs"
)

// positionTolerance is how far, in mm, the reported place may be off the commanded one: reports
// have two decimals.
const positionTolerance = 0.1

// axes says which coordinates a check is about.
type axes struct{ xy, z bool }

// Press pushes one key once. Begin is when the plunge was sent, with the finger at rest above
// the key; End is when the controller answered that the finger is back at the safe height.
// Errors: an unknown key, with the nearest name; ErrNotHomed, joined with the reason; ErrKilled,
// ErrEndstop, ErrRefused, ErrPosition, rigs.ErrNoAnswer; wrapped in ErrMaybePressed from
// the plunge on. After any of them but the unknown key, Home must be called.
func (d *Driver) Press(ctx context.Context, name string) (rigs.Press, error) {
	key, known := d.cfg.Keypad.Keys[name]
	if !known {
		names := slices.Sorted(maps.Keys(d.cfg.Keypad.Keys))
		return rigs.Press{}, rigs.Fault(instrument, "press", errors.New(strict.UnknownMessage("key", name, names)))
	}
	ctx, release, err := d.take(ctx)
	if err != nil {
		return rigs.Press{}, rigs.Fault(instrument, "press", err)
	}
	defer release()
	if err := d.catchUp(); err != nil {
		return rigs.Press{}, rigs.Fault(instrument, "press", err)
	}
	if !d.homed {
		return rigs.Press{}, rigs.Fault(instrument, "press", fmt.Errorf("%w: %w", ErrNotHomed, d.distrust))
	}
	press, err := d.press(ctx, key)
	if err != nil {
		return rigs.Press{}, rigs.Fault(instrument, "press", d.tidy(ctx, err))
	}
	return press, nil
}

func (d *Driver) press(ctx context.Context, key terminals.Key) (rigs.Press, error) {
	above, bottom := d.cfg.above(key), d.cfg.bottom(key)
	allow := d.machine.travel(Point{Z: bottom.Z}, Point{Z: above.Z}) + d.machine.travel(d.at, above)
	if err := d.raise(ctx); err != nil {
		return rigs.Press{}, err
	}
	if err := d.rapid(ctx, "move to the key", fmt.Sprintf("X%.3f Y%.3f", above.X, above.Y), 0); err != nil {
		return rigs.Press{}, err
	}
	if _, err := d.arrive(ctx, "move to the key", above, axes{xy: true, z: true}, allow); err != nil {
		return rigs.Press{}, err
	}
	down := order{
		step: "plunge", limit: d.cfg.Limits.Response, moves: true, once: true,
		line: fmt.Sprintf("G1 Z%.3f F%.1f", bottom.Z, d.cfg.PlungeFeed),
	}
	// What came together with the last answer shows only now.
	if err := d.usable(ctx, down); err != nil {
		return rigs.Press{}, fmt.Errorf("plunge: %w", err)
	}
	begin := time.Now()
	end, err := d.plunge(ctx, down, bottom, above)
	if err != nil {
		return rigs.Press{}, fmt.Errorf("%w: %w", ErrMaybePressed, err)
	}
	return rigs.Press{Begin: begin, End: end}, nil
}

// plunge pushes the key below the finger and returns when the finger was up again.
func (d *Driver) plunge(ctx context.Context, down order, bottom, above Point) (time.Time, error) {
	slow := d.machine
	slow.Rate[2] = min(slow.Rate[2], d.cfg.PlungeFeed/60)
	allow := slow.travel(above, bottom) + d.machine.travel(bottom, above) + 2*firstMove
	if _, err := d.send(ctx, down); err != nil {
		return time.Time{}, err
	}
	rest := d.machine.dwell(d.cfg.Contact, d.cfg.Overtravel, d.cfg.PlungeFeed)
	if rest > 0 {
		hold := order{step: "hold the key", limit: d.cfg.Limits.Motion + allow + rest, line: fmt.Sprintf("G4 P%d", rest.Milliseconds())}
		if _, err := d.send(ctx, hold); err != nil {
			return time.Time{}, err
		}
	}
	if err := d.raise(ctx); err != nil {
		return time.Time{}, err
	}
	return d.arrive(ctx, "raise the finger", above, axes{xy: true, z: true}, allow)
}

// rapid sends a movement at full speed; words is such as "X1.000 Y2.000".
func (d *Driver) rapid(ctx context.Context, step, words string, axis int) error {
	line := fmt.Sprintf("G0 %s F%.1f", words, 60*d.machine.Rate[axis])
	_, err := d.send(ctx, order{step: step, line: line, limit: d.cfg.Limits.Response, moves: true})
	return err
}

func (d *Driver) raise(ctx context.Context) error {
	return d.rapid(ctx, "raise the finger", fmt.Sprintf("Z%.3f", d.cfg.safeZ()), 2)
}

// arrive waits until every movement has ended, checks that the finger is where it should be, and
// returns when the movement was seen to have ended.
func (d *Driver) arrive(ctx context.Context, step string, target Point, check axes, allow time.Duration) (time.Time, error) {
	end, err := d.send(ctx, order{step: step, line: "M400", limit: d.cfg.Limits.Motion + allow})
	if err != nil {
		return end, err
	}
	at, err := d.place(ctx, step)
	if err != nil {
		return end, err
	}
	if err := offPlace(at, target, check); err != nil {
		d.lose(err) // a controller that executed something else is not to be believed
		return end, fmt.Errorf("%s: %w", step, err)
	}
	d.moving, d.at = false, at
	return end, nil
}

// place asks where the finger is.
func (d *Driver) place(ctx context.Context, step string) (Point, error) {
	var at Point
	found := false
	ask := order{step: step, line: "M114", limit: d.cfg.Limits.Response, free: true}
	ask.see = func(m message) {
		if p, valid := parsePosition(m.text); m.kind == position && valid {
			at, found = p, true
		}
	}
	if _, err := d.send(ctx, ask); err != nil {
		return at, err
	}
	if !found {
		d.lose(ErrPosition)
		return at, fmt.Errorf("%s: %w: M114 gave no place", step, rigs.ErrNoAnswer)
	}
	return at, nil
}

// offPlace says by how much a place is off. It names no coordinates: they would tell the key.
func offPlace(at, target Point, check axes) error {
	sideways := math.Hypot(at.X-target.X, at.Y-target.Y)
	height := math.Abs(at.Z - target.Z)
	switch {
	case check.xy && sideways > positionTolerance:
		return fmt.Errorf("%w: off sideways by %.1f mm", ErrPosition, sideways)
	case check.z && height > positionTolerance:
		return fmt.Errorf("%w: off in height by %.1f mm", ErrPosition, height)
	}
	return nil
}

// tidy ends a failed movement: it stops the machine when the caller's context has ended, and
// in any case makes Press refuse until Home.
func (d *Driver) tidy(ctx context.Context, err error) error {
	if d.homed {
		d.homed, d.distrust = false, errors.New("an earlier press failed")
	}
	if ctx.Err() != nil && d.moving {
		return errors.Join(err, d.stop(ctx, errors.New("the call ended while the machine moved")))
	}
	return err
}
