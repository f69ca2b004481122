package grbl

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs"
)

// Press pushes one key once. Begin is when the plunge was sent, with the finger at rest above
// the key; End is when the controller answered that the finger is back at the safe height.
// Errors: an unknown key, with the nearest name; ErrNotHomed, joined with the reason;
// *AlarmError, *RefusedError, ErrPosition, rigs.ErrNoAnswer; wrapped in ErrMaybePressed from
// the plunge on. After any of them but the unknown key, Home must be called.
func (d *Driver) Press(ctx context.Context, name string) (rigs.Press, error) {
	key, known := d.cfg.Keypad.Keys[name]
	if !known {
		return rigs.Press{}, rigs.Fault(instrument, "press", unknownKey(d.cfg.Keypad.Keys, name))
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
	above := d.cfg.above(key.X, key.Y)
	if err := d.approach(ctx, above); err != nil {
		return rigs.Press{}, err
	}
	if err := d.usable(ctx, "plunge"); err != nil {
		return rigs.Press{}, err
	}
	// A restart that was heard together with the last status shows only now.
	if err := d.trusted("plunge"); err != nil {
		return rigs.Press{}, err
	}
	begin := time.Now()
	end, err := d.plunge(ctx, above)
	if err != nil {
		return rigs.Press{}, fmt.Errorf("%w: %w", ErrMaybePressed, err)
	}
	return rigs.Press{Begin: begin, End: end}, nil
}

// approach brings the finger over the key, at the safe height, and makes sure that it is
// there: a digit lost on the line would press another key.
func (d *Driver) approach(ctx context.Context, above Point) error {
	allow := d.heightAllowance() + d.machine.travel(d.at, above)
	var way []order
	// After a press the finger was seen at the safe height.
	if math.Abs(d.at.Z-d.cfg.safeZ()) > positionTolerance {
		way = append(way, d.raise())
	}
	way = append(way, d.rapid("move to the key", fmt.Sprintf("X%.3f Y%.3f", above.X, above.Y)))
	_, err := d.arrive(ctx, "move to the key", above, axes{xy: true, z: true}, allow, way...)
	return err
}

// plunge pushes the key below the finger and returns when the finger was up again. The controller has the way up before it
// begins to go down: a line that breaks meanwhile does not leave the finger on the key.
func (d *Driver) plunge(ctx context.Context, above Point) (time.Time, error) {
	limits := d.cfg.Limits
	bottom := above
	bottom.Z = d.cfg.bottomAt(above)
	allow := d.plungeTime(bottom.Z) + d.machine.travel(bottom, above)

	way := []order{{step: "plunge", line: fmt.Sprintf("G53 G1 Z%.3f F%.1f", bottom.Z, d.cfg.PlungeFeed), limit: limits.Response, moves: true}}
	if rest := d.machine.dwell(d.cfg.Contact, d.cfg.Overtravel, d.cfg.PlungeFeed); rest > 0 {
		way = append(way, order{
			step: "hold the key", limit: limits.Motion + allow + rest,
			line: fmt.Sprintf("G4 P%.3f", max(rest, dwellMin).Seconds()),
		})
	}
	return d.arrive(ctx, "raise the finger", above, axes{xy: true, z: true}, allow, append(way, d.raise())...)
}

// dwellMin is the shortest dwell that three decimals of a second can say.
const dwellMin = time.Millisecond

// plungeTime is an upper bound of the way down at the plunge feed.
func (d *Driver) plungeTime(bottom float64) time.Duration {
	slow := d.machine
	slow.Rate[2] = min(slow.Rate[2], d.cfg.PlungeFeed)
	return slow.travel(Point{Z: d.cfg.safeZ()}, Point{Z: bottom})
}
