package grbl

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/assay-hil/assay/rigs"
)

const (
	// JogMax is the longest way of one Jog along any axis, in mm: enough to cross a machine, little
	// enough that a slip of the decimal point is noticed.
	JogMax = 300
	// jogFeed is its speed downwards in mm/min, slow enough to look on; jogFeedUp that of the rest.
	jogFeed   = 1000
	jogFeedUp = 3000
)

// Jog moves the finger by a way, all axes at once, and gives the place where it then is. It is for teaching:
// nothing keeps the finger from what is below it. Errors as of Press; the machine must have been homed.
func (d *Driver) Jog(ctx context.Context, by Point) (Point, error) {
	for _, way := range []float64{by.X, by.Y, by.Z} {
		if !finite(way) || math.Abs(way) > JogMax {
			return Point{}, rigs.Fault(instrument, "jog", fmt.Errorf("a way of %g mm: at most %d mm at once", way, JogMax))
		}
	}
	return d.teach(ctx, "jog", func(ctx context.Context) error {
		to := Point{X: d.at.X + by.X, Y: d.at.Y + by.Y, Z: d.at.Z + by.Z}
		feed := jogFeedUp
		if by.Z < 0 {
			feed = jogFeed
		}
		line := fmt.Sprintf("G53 G1 X%.3f Y%.3f Z%.3f F%d", to.X, to.Y, to.Z, feed)
		way := math.Sqrt(by.X*by.X + by.Y*by.Y + by.Z*by.Z)
		allow := time.Duration(way/float64(feed)*float64(time.Minute)) + d.machine.travel(d.at, to)
		_, err := d.arrive(ctx, "jog", to, axes{xy: true, z: true}, allow, order{step: "jog", line: line, limit: d.cfg.Limits.Response, moves: true})
		return err
	})
}

// Lift raises the finger to the safe height and gives the place where it then is.
func (d *Driver) Lift(ctx context.Context) (Point, error) {
	return d.teach(ctx, "lift", func(ctx context.Context) error { return d.lift(ctx, func() {}) })
}

// teach does one movement of a homed machine.
func (d *Driver) teach(ctx context.Context, op string, move func(context.Context) error) (Point, error) {
	ctx, release, err := d.take(ctx)
	if err != nil {
		return Point{}, rigs.Fault(instrument, op, err)
	}
	defer release()
	if err := d.catchUp(); err != nil {
		return Point{}, rigs.Fault(instrument, op, err)
	}
	if !d.homed {
		return Point{}, rigs.Fault(instrument, op, fmt.Errorf("%w: %w", ErrNotHomed, d.distrust))
	}
	if err := move(ctx); err != nil {
		return Point{}, rigs.Fault(instrument, op, d.tidy(ctx, err))
	}
	return d.at, nil
}
