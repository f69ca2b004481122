package marlin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-hil/assay/rigs"
)

const (
	// stopNow ends all movement: at once with EMERGENCY_PARSER, else when the firmware next reads a line.
	stopNow = "M410\n"
	// whoAreYou has an answer that nothing else gives, so that older answers can be told from it.
	whoAreYou = "M115\n"
	// resendTries is how often one line is sent again because it arrived garbled.
	resendTries = 3
	// syncEvery is how long one whoAreYou is waited for, while the board may still be starting.
	syncEvery = 3 * time.Second
	// chatterMax is how many messages in a row may pass until the controller must have become silent.
	chatterMax = 1000
)

// next waits for one message and takes note of it.
func (d *Driver) next(ctx context.Context, limit <-chan time.Time, during string) (message, error) {
	select {
	case m, open := <-d.inbox:
		if !open {
			return message{}, fmt.Errorf("%s: %w", during, d.line.Err())
		}
		d.note(m)
		return m, nil
	case <-ctx.Done():
		return message{}, expired(ctx, during)
	case <-limit:
		return message{}, fmt.Errorf("%s: %w from the controller in time", during, rigs.ErrNoAnswer)
	}
}

// note keeps the driver's picture of the controller up to date.
func (d *Driver) note(m message) {
	switch m.kind {
	case ok:
		if !d.waiting {
			d.needSync = true
			d.lose(ErrOutOfStep)
		}
	case killed:
		d.killed, d.needSync = true, true
		d.lose(ErrKilled)
	case started:
		d.killed, d.needSync = false, true
		d.lose(ErrRestarted)
	case endstop:
		d.lose(ErrEndstop)
	case failed:
		d.lose(fmt.Errorf("%w: %s", ErrRefused, wordless(m.text)))
	}
}

// lose ends the trust in the position; the first reason stays.
func (d *Driver) lose(why error) {
	if d.homed || d.positioned {
		d.distrust = reason(why)
	}
	d.homed, d.positioned = false, false
}

// reason is what a later call tells about an earlier error: the earlier call's deadline, or its key that
// may be down, must not pass for the later one's.
func reason(why error) error {
	for _, known := range []error{ErrKilled, ErrRestarted, ErrOutOfStep, ErrPosition, ErrEndstop} {
		if errors.Is(why, known) {
			return known
		}
	}
	return fmt.Errorf("an earlier call failed: %v", why)
}

// catchUp looks at everything that came since the last call.
func (d *Driver) catchUp() error {
	for {
		select {
		case m, open := <-d.inbox:
			if !open {
				return d.line.Err()
			}
			d.note(m)
		default:
			if d.killed {
				return ErrKilled
			}
			return nil
		}
	}
}

// order is one line for the controller.
type order struct {
	step  string        // what it is for, in errors: the line itself would tell the key
	line  string        // without number, checksum and LF
	limit time.Duration // for its ok
	moves bool          // it can set the machine in motion
	free  bool          // it makes sense without a known position
	spare bool          // a firmware that does not know it can do without
	once  bool          // it must not be sent twice, whatever the controller says
	see   func(message) // looks at what comes before the ok; may be nil
}

// frame gives a line its number and checksum: all bytes before * combined by exclusive or.
func frame(number int, line string) []byte {
	text := fmt.Sprintf("N%d %s", number, line)
	sum := byte(0)
	for i := range len(text) {
		sum ^= text[i]
	}
	return fmt.Appendf(nil, "%s*%d\n", text, sum)
}

// send sends one line and returns when its ok arrived.
func (d *Driver) send(ctx context.Context, o order) (time.Time, error) {
	if err := d.usable(ctx, o); err != nil {
		return time.Time{}, fmt.Errorf("%s: %w", o.step, err)
	}
	limit := time.NewTimer(o.limit)
	defer limit.Stop()
	d.waiting, d.moving = true, d.moving || o.moves
	end, err := d.converse(ctx, o, limit.C)
	d.waiting = false
	if err != nil {
		d.needSync = true
		d.lose(err)
		return end, fmt.Errorf("%s: %w", o.step, err)
	}
	d.number++
	return end, nil
}

// converse sends the line, again where it arrived garbled, until its ok.
func (d *Driver) converse(ctx context.Context, o order, limit <-chan time.Time) (time.Time, error) {
	for try := 0; ; try++ {
		if err := d.write(ctx, frame(d.number+1, o.line)); err != nil {
			return time.Time{}, err
		}
		end, again, err := d.answer(ctx, o, limit)
		if err != nil || !again {
			return end, err
		}
		if o.once || try == resendTries {
			return end, ErrNoise
		}
		// Some versions put an ok behind Resend; it answers nothing.
		if err := d.quiet(ctx, limit); err != nil {
			return end, err
		}
	}
}

// answer waits for the ok of the line under way; again says that the controller wants the line once more.
func (d *Driver) answer(ctx context.Context, o order, limit <-chan time.Time) (end time.Time, again bool, err error) {
	var refusal error
	for {
		m, err := d.next(ctx, limit, "waiting for ok")
		if err != nil {
			return end, false, err
		}
		switch m.kind {
		case ok:
			return m.at, false, refusal
		case resend:
			if m.line != d.number+1 {
				return m.at, false, fmt.Errorf("%w: another line is to be sent again than the one under way", ErrOutOfStep)
			}
			return m.at, true, nil
		case unknown:
			if o.spare {
				continue
			}
			refusal = fmt.Errorf("%w: it does not know the command", ErrRefused)
		case unhomed:
			refusal = fmt.Errorf("%w: it wants to be homed first", ErrRefused)
		case failed:
			refusal = fmt.Errorf("%w: %s", ErrRefused, wordless(m.text))
		case endstop:
			refusal = ErrEndstop
		case killed:
			return m.at, false, ErrKilled
		case started:
			return m.at, false, ErrRestarted
		case paused:
			return m.at, false, ErrWaits
		default:
			if o.see != nil {
				o.see(m)
			}
		}
	}
}

// quiet drops what comes until nothing has come for Limits.Settle.
func (d *Driver) quiet(ctx context.Context, limit <-chan time.Time) error {
	for range chatterMax {
		silence := time.NewTimer(d.cfg.Limits.Settle)
		select {
		case m, open := <-d.inbox:
			silence.Stop()
			if !open {
				return d.line.Err()
			}
			if m.kind == killed {
				d.note(m)
				return ErrKilled
			}
		case <-silence.C:
			return nil
		case <-limit:
			silence.Stop()
			return fmt.Errorf("%w: the controller does not stop talking", ErrOutOfStep)
		case <-ctx.Done():
			silence.Stop()
			return expired(ctx, "waiting for silence")
		}
	}
	return fmt.Errorf("%w: the controller does not stop talking", ErrOutOfStep)
}

func (d *Driver) write(ctx context.Context, p []byte) error {
	err := d.line.Write(ctx, p)
	if err != nil && ctx.Err() != nil {
		return expired(ctx, "sending")
	}
	return err
}

// usable says whether a line may be sent now.
func (d *Driver) usable(ctx context.Context, o order) error {
	if ctx.Err() != nil {
		return expired(ctx, "before it was sent")
	}
	if err := d.catchUp(); err != nil {
		return err
	}
	switch {
	case d.needSync:
		return ErrOutOfStep
	case !d.positioned && !o.free:
		return d.distrust
	}
	return nil
}

// getInStep makes sure that the next ok belongs to the next line: it stops what moves, asks until
// the controller tells its name, waits until it is silent, and begins to number anew.
func (d *Driver) getInStep(ctx context.Context) error {
	if err := d.catchUp(); err != nil && !errors.Is(err, ErrKilled) || !d.needSync {
		return err
	}
	for end := time.Now().Add(d.cfg.Limits.Boot); ; {
		err := d.hail(ctx)
		if err == nil {
			break
		}
		if ctx.Err() != nil || d.line.Err() != nil || !errors.Is(err, rigs.ErrNoAnswer) {
			return err
		}
		if !time.Now().Before(end) {
			return fmt.Errorf("%w within %v; is it a Marlin controller, at this baud rate?", err, d.cfg.Limits.Boot)
		}
	}
	limit := time.NewTimer(d.cfg.Limits.Response)
	defer limit.Stop()
	if err := d.quiet(ctx, limit.C); err != nil {
		return err
	}
	d.needSync, d.waiting, d.moving, d.number = false, false, false, 0
	_, err := d.send(ctx, order{step: "number lines", line: "M110 N0", limit: d.cfg.Limits.Response, free: true})
	d.number = 0
	return err
}

// hail asks once who is there. The line feed ends half a line that may stand in the controller's
// buffer; without its checksum that is refused.
func (d *Driver) hail(ctx context.Context) error {
	if err := d.write(ctx, []byte("\n"+stopNow+whoAreYou)); err != nil {
		return err
	}
	d.lose(errors.New("the controller was stopped"))
	try := time.NewTimer(syncEvery)
	defer try.Stop()
	for {
		select {
		case m, open := <-d.inbox:
			switch {
			case !open:
				return d.line.Err()
			case m.kind == firmware:
				d.killed = false
				return nil
			case m.kind == killed:
				d.killed = true
				return ErrKilled
			case m.kind == started:
				return fmt.Errorf("%w while it started", rigs.ErrNoAnswer) // it has forgotten the question
			}
		case <-try.C:
			if d.killed {
				return ErrKilled
			}
			return fmt.Errorf("%w to M115", rigs.ErrNoAnswer)
		case <-ctx.Done():
			return expired(ctx, "asking who is there")
		}
	}
}

// stop ends all movement. It works after the caller's context has ended. The position is lost.
func (d *Driver) stop(ctx context.Context, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.cfg.Limits.Stop)
	defer cancel()
	d.needSync = true
	d.lose(why)
	if err := d.write(ctx, []byte("\n"+stopNow)); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}
