package grbl

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// order is one line for the controller.
type order struct {
	step  string        // what it is for, in errors: the line itself would tell the key
	line  string        // without its LF
	limit time.Duration // for its ok or error
	moves bool          // it can set the machine in motion
	free  bool          // it makes sense without a known position
	see   func(message) // looks at what comes before the answer; may be nil
}

// rxRoom is how many bytes may be with the controller without an answer: GRBL takes 128, loses what is more without a word, and
// counts the ends of lines.
const rxRoom = 127

// send sends lines, as many in one write as the controller has room for, and returns when the last was answered; the time
// is that of the last ok. One that is refused does not keep the others from being carried out: the first refusal is
// returned when all of its write have their answers. A line is never sent twice.
func (d *Driver) send(ctx context.Context, orders ...order) (at time.Time, err error) {
	for len(orders) > 0 && err == nil {
		n := fitting(orders)
		at, err = d.sendTogether(ctx, orders[:n])
		orders = orders[n:]
	}
	return at, err
}

// fitting is how many of the lines the controller has room for, at least one.
func fitting(orders []order) int {
	size := 0
	for n, o := range orders {
		if size += len(o.line) + 1; size > rxRoom && n > 0 {
			return n
		}
	}
	return len(orders)
}

// sendTogether sends lines in one write and waits for an answer to each.
func (d *Driver) sendTogether(ctx context.Context, orders []order) (time.Time, error) {
	step := orders[0].step
	if err := d.usable(ctx, step); err != nil {
		return time.Time{}, err
	}
	d.out = d.out[:0]
	for _, o := range orders {
		if err := d.trusted(o.step); err != nil && !o.free {
			return time.Time{}, err
		}
		d.out = append(append(d.out, o.line...), '\n')
	}
	for _, o := range orders {
		d.moving, d.used = d.moving || o.moves, d.used || o.moves
	}
	limit := d.limit
	limit.Reset(orders[0].limit)
	defer limit.Stop()
	d.owed = len(orders)
	if err := d.write(ctx, step, d.out); err != nil {
		d.unanswered(err)
		return time.Time{}, err
	}
	var at time.Time
	var refusal error
	for i, o := range orders {
		if i > 0 {
			limit.Reset(o.limit)
		}
		var err error
		at, err = d.answer(ctx, limit.C, o)
		if err == nil {
			continue
		}
		if refused := (*RefusedError)(nil); !errors.As(err, &refused) {
			return at, errors.Join(refusal, err)
		}
		if refusal == nil {
			refusal = err
		}
	}
	return at, refusal
}

// answer waits for the ok or error of the line that comes next.
func (d *Driver) answer(ctx context.Context, limit <-chan time.Time, o order) (time.Time, error) {
	for {
		m, err := d.next(ctx, limit, o.step)
		if err != nil {
			d.unanswered(err)
			return time.Time{}, err
		}
		switch m.kind {
		case ok:
			return m.at, nil
		case refused:
			return m.at, fmt.Errorf("%s: %w", o.step, &RefusedError{Code: m.code})
		case alarm:
			return m.at, fmt.Errorf("%s: %w", o.step, d.alarm)
		case banner:
			return m.at, fmt.Errorf("%s: %w", o.step, ErrRestarted)
		}
		if o.see != nil {
			o.see(m)
		}
	}
}
