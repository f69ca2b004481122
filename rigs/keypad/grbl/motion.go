package grbl

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/assay-hil/assay/rigs"
)

const (
	// positionTolerance is how far, in mm, the reported place may be off the commanded one:
	// reports have three decimals, a motor step is finer.
	positionTolerance = 0.1
	// offsetReports is how many reports may pass until one carries the work offset; GRBL puts
	// it into every 10th at rest and every 30th in motion.
	offsetReports = 31
	// synchronise is answered when every movement before it has ended. GRBL rounds it up to 50 ms.
	synchronise = "G4 P0.01"
)

// axes says which coordinates a check is about.
type axes struct{ xy, z bool }

// rapid is a movement at full speed in machine coordinates; words is such as "X1.000 Y2.000".
func (d *Driver) rapid(step, words string) order {
	return order{step: step, line: "G53 G0 " + words, limit: d.cfg.Limits.Response, moves: true}
}

func (d *Driver) raise() order {
	return d.rapid("raise the finger", fmt.Sprintf("Z%.3f", d.cfg.safeZ()))
}

// arrive sends a way, waits until every movement has ended, checks that the controller is idle and the
// finger where it should be, and returns when the movement was seen to have ended. allow is
// the time that the movements may take.
func (d *Driver) arrive(ctx context.Context, step string, target Point, check axes, allow time.Duration, way ...order) (time.Time, error) {
	end, err := d.send(ctx, append(way, order{step: step, line: synchronise, limit: d.cfg.Limits.Motion + allow})...)
	if err != nil {
		return end, err
	}
	at, err := d.rest(ctx, step)
	if err != nil {
		return end, err
	}
	if err := d.trusted(step); err != nil {
		return end, err
	}
	if err := offPlace(at, target, check); err != nil {
		d.lose(err) // a controller that executed something else is not to be believed
		return end, fmt.Errorf("%s: %w", step, err)
	}
	d.moving, d.at = false, at
	return end, nil
}

// rest asks for the status until it says Idle and where.
func (d *Driver) rest(ctx context.Context, step string) (Point, error) {
	start := time.Now()
	for unknown := 0; unknown < offsetReports; {
		before := d.restarts
		s, err := d.query(ctx)
		switch {
		case err != nil:
			return Point{}, fmt.Errorf("%s: %w", step, err)
		case d.restarts != before:
			return Point{}, fmt.Errorf("%s: %w", step, ErrRestarted)
		case s.state == "Idle" && s.mpos != nil:
			return *s.mpos, nil
		case s.state == "Idle":
			unknown++
		case s.state != "Run" && s.state != "Jog":
			d.needReset = true // hold, door, sleep: a reset ends them all
			return Point{}, fmt.Errorf("%s: the controller is in state %s instead of Idle", step, stateName(s.state))
		}
		if time.Since(start) > d.cfg.Limits.Motion {
			return Point{}, fmt.Errorf("%s: %w: no rest within %v", step, rigs.ErrNoAnswer, d.cfg.Limits.Motion)
		}
	}
	return Point{}, fmt.Errorf("%s: %w: no position in %d status reports", step, rigs.ErrNoAnswer, offsetReports)
}

// stateName quotes a state from outside, shortened.
func stateName(state string) string {
	const most = 16
	return fmt.Sprintf("%q", state[:min(len(state), most)])
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
	if ctx.Err() != nil && (d.moving || d.owed > 0) {
		return errors.Join(err, d.stop(ctx, errors.New("the call ended while the machine moved")))
	}
	return err
}

// heightAllowance is the time to reach the safe height from the last confirmed place, or from
// the bottom of a press.
func (d *Driver) heightAllowance() time.Duration {
	from := min(d.at.Z, d.cfg.bottomZ())
	return d.machine.travel(Point{Z: from}, Point{Z: d.cfg.safeZ()})
}
