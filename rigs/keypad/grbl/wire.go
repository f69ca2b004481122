package grbl

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-hil/assay/rigs"
)

// Realtime bytes: GRBL takes them out of the stream at once, wherever they come.
const (
	askStatus = '?'
	feedHold  = '!'
	softReset = 0x18
)

const (
	// resetTries is how often 0x18 is sent before the controller counts as dead. The first
	// can be lost in the boot loader of a board that the opening of its port has reset.
	resetTries = 2
	// statusTries is how often a status query that stays without report is repeated.
	statusTries = 3
)

// next waits for one message and takes note of it.
func (d *Driver) next(ctx context.Context, limit <-chan time.Time, during string) (message, error) {
	for {
		if m, heard := d.look(); heard {
			return m, nil
		}
		select {
		case c, open := <-d.line.Chunks():
			if !open {
				return message{}, fmt.Errorf("%s: %w", during, d.line.Err())
			}
			d.hear(c)
		case <-ctx.Done():
			return message{}, expired(ctx, during)
		case <-limit:
			return message{}, fmt.Errorf("%s: %w from the controller in time", during, rigs.ErrNoAnswer)
		}
	}
}

// note keeps the driver's picture of the controller up to date.
func (d *Driver) note(m message) {
	switch m.kind {
	case ok, refused:
		if d.owed == 0 && !d.needReset {
			d.needReset = true
			d.lose(ErrOutOfStep)
		}
		d.owed = max(0, d.owed-1)
	case alarm:
		d.alarm = &AlarmError{Code: m.code, fluid: d.machine.FluidNC}
		d.needReset = true // alarms 1 and 2 silence the controller, 3, 6, 8 and 9 restart it
		d.lose(d.alarm)
	case banner:
		if !d.resetSent {
			d.lose(ErrRestarted)
		}
		d.restarts++
		d.greeting = m.text
		d.owed, d.moving, d.used, d.needReset, d.resetSent = 0, false, false, false, false
		d.alarm, d.wco = nil, nil
	}
}

// lose ends the trust in the position.
func (d *Driver) lose(why error) {
	if d.homed || d.positioned {
		d.distrust = reason(why)
	}
	d.homed, d.positioned = false, false
}

// reason is what a later call tells about an earlier error. Only what is a state of the
// controller stays recognisable: the earlier call's deadline, or its key that may be down, must
// not pass for the later one's.
func reason(why error) error {
	if a := (*AlarmError)(nil); errors.As(why, &a) {
		return a
	}
	for _, known := range []error{ErrRestarted, ErrOutOfStep, ErrPosition} {
		if errors.Is(why, known) {
			return known
		}
	}
	return fmt.Errorf("an earlier call failed: %v", why)
}

// catchUp looks at everything that came since the last call: alarms, restarts, stray answers.
func (d *Driver) catchUp() error {
	for {
		for heard := true; heard; {
			_, heard = d.look()
		}
		select {
		case c, open := <-d.line.Chunks():
			if !open {
				return d.line.Err()
			}
			d.hear(c)
		default:
			return nil
		}
	}
}

// trusted fails when the position got lost, also when an alarm and a restart came and went
// between two lines of one press.
func (d *Driver) trusted(step string) error {
	if !d.positioned {
		return fmt.Errorf("%s: %w", step, d.distrust)
	}
	return nil
}

// unanswered notes that a line's answer can still come, and would pass for the next line's.
func (d *Driver) unanswered(why error) {
	d.needReset = true
	d.lose(why)
}

func (d *Driver) write(ctx context.Context, step string, p []byte) error {
	err := d.line.Write(ctx, p)
	if err != nil && ctx.Err() != nil {
		return expired(ctx, step)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", step, err)
	}
	return nil
}

// usable says whether a line may be sent now.
func (d *Driver) usable(ctx context.Context, step string) error {
	if ctx.Err() != nil {
		return expired(ctx, step)
	}
	if err := d.catchUp(); err != nil {
		return fmt.Errorf("%s: %w", step, err)
	}
	if d.alarm != nil {
		return fmt.Errorf("%s: %w", step, d.alarm)
	}
	if d.needReset {
		return fmt.Errorf("%s: %w", step, ErrOutOfStep)
	}
	return nil
}

// getInStep resets the controller if the driver does not know what its next answer means.
// Everything before the banner is discarded: the ok of a line that died in an alarm comes then.
func (d *Driver) getInStep(ctx context.Context) error {
	if err := d.catchUp(); err != nil || !d.needReset {
		return err
	}
	for range resetTries {
		if !d.resetSent {
			d.lose(errors.New("the controller was reset"))
			if err := d.write(ctx, "soft reset", []byte{softReset}); err != nil {
				return err
			}
			d.resetSent = true
		}
		err := d.awaitBanner(ctx)
		if err == nil {
			return d.settle(ctx)
		}
		if ctx.Err() != nil || d.line.Err() != nil {
			return err
		}
		d.resetSent = false
	}
	return fmt.Errorf("soft reset: %w: no banner that begins with \"Grbl \" after %d resets; is it a GRBL controller, at this baud rate? (on FluidNC: $Start/Message)",
		rigs.ErrNoAnswer, resetTries)
}

func (d *Driver) awaitBanner(ctx context.Context) error {
	limit := time.NewTimer(d.cfg.Limits.Banner)
	defer limit.Stop()
	for {
		m, err := d.next(ctx, limit.C, "soft reset")
		if err != nil || m.kind == banner {
			return err
		}
	}
}

// settle waits until the controller is quiet: a board that was just powered can greet twice,
// and what else it says at its start is no answer to us.
func (d *Driver) settle(ctx context.Context) error {
	limit := time.NewTimer(d.cfg.Limits.Banner)
	defer limit.Stop()
	quiet := time.NewTimer(d.cfg.Limits.Settle)
	defer quiet.Stop()
	for {
		for _, m := range d.inbox {
			if m.kind == banner {
				d.greeting = m.text
			}
			quiet.Reset(d.cfg.Limits.Settle)
		}
		d.inbox = d.inbox[:0]
		select {
		case c, open := <-d.line.Chunks():
			if !open {
				return fmt.Errorf("soft reset: %w", d.line.Err())
			}
			d.hear(c)
		case <-quiet.C:
			return nil
		case <-limit.C:
			return fmt.Errorf("soft reset: %w: the controller does not stop talking", ErrOutOfStep)
		case <-ctx.Done():
			return expired(ctx, "soft reset")
		}
	}
}

// stop ends all movement at once: feed hold, then reset. It works after the caller's context
// has ended. The position is lost; the banner is awaited by whoever comes next.
func (d *Driver) stop(ctx context.Context, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.cfg.Limits.Stop)
	defer cancel()
	d.needReset = true
	d.lose(why)
	if err := d.write(ctx, "feed hold", []byte{feedHold}); err != nil {
		return err
	}
	if err := d.write(ctx, "soft reset", []byte{softReset}); err != nil {
		return err
	}
	d.resetSent = true
	return nil
}

// query asks for a status report and returns it. It works while lines are out of step.
func (d *Driver) query(ctx context.Context) (status, error) {
	for range statusTries {
		if err := d.pace(ctx); err != nil {
			return status{}, err
		}
		if err := d.catchUp(); err != nil {
			return status{}, fmt.Errorf("status: %w", err)
		}
		d.reported = false // an old one
		if err := d.write(ctx, "status", []byte{askStatus}); err != nil {
			return status{}, err
		}
		d.asked = time.Now()
		s, err := d.awaitReport(ctx)
		if err == nil || !errors.Is(err, rigs.ErrNoAnswer) || ctx.Err() != nil {
			return s, err
		}
	}
	return status{}, fmt.Errorf("status: %w to %d queries", rigs.ErrNoAnswer, statusTries)
}

// pace keeps the distance between two queries.
func (d *Driver) pace(ctx context.Context) error {
	left := time.Until(d.asked.Add(d.cfg.Limits.StatusEvery))
	if left <= 0 {
		return nil
	}
	timer := d.limit
	timer.Reset(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return expired(ctx, "status")
	}
}

func (d *Driver) awaitReport(ctx context.Context) (status, error) {
	limit := d.limit
	limit.Reset(d.cfg.Limits.Status)
	defer limit.Stop()
	for {
		for m, heard := d.look(); heard; m, heard = d.look() {
			if m.kind == alarm {
				return status{}, fmt.Errorf("status: %w", d.alarm)
			}
		}
		if d.reported {
			d.reported = false
			if s, valid := parseStatus(d.report.text); valid {
				d.keepOffset(&s)
				return s, nil
			}
		}
		select {
		case c, open := <-d.line.Chunks():
			if !open {
				return status{}, fmt.Errorf("status: %w", d.line.Err())
			}
			d.hear(c)
		case <-ctx.Done():
			return status{}, expired(ctx, "status")
		case <-limit.C:
			return status{}, fmt.Errorf("status: %w", rigs.ErrNoAnswer)
		}
	}
}

// keepOffset remembers the work offset, which only some reports carry, and works out the
// machine position of a report that has only the work position.
func (d *Driver) keepOffset(s *status) {
	scale := 1.0
	if d.machine.Inches {
		scale = mmPerInch
	}
	for _, p := range []*Point{s.mpos, s.wpos, s.wco} {
		if p != nil {
			p.X, p.Y, p.Z = p.X*scale, p.Y*scale, p.Z*scale
		}
	}
	if s.wco != nil {
		d.wco = s.wco
	}
	if s.mpos == nil && s.wpos != nil && d.wco != nil {
		s.mpos = &Point{X: s.wpos.X + d.wco.X, Y: s.wpos.Y + d.wco.Y, Z: s.wpos.Z + d.wco.Z}
	}
}
