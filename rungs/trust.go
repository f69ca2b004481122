package rungs

import (
	"context"
	"errors"
	"fmt"

	"github.com/assay-hil/assay/harness"
	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/health"
	"github.com/assay-hil/assay/rigs/lease"
	"github.com/assay-hil/assay/rigs/state"
	"github.com/assay-hil/assay/rigs/wear"
)

// faultsInARow is after how many scenarios in a row that ended with the rig's fault the rig is given
// up, although its self-check passes: something is wrong that the check can't see.
const faultsInARow = 3

// ErrNotAvailable is wrapped by errors of Open on a rig that can't be used now: somebody else has
// it, or it is in maintenance. The rig file is right.
var ErrNotAvailable = errors.New("the rig is not available")

// ErrBroken is wrapped by errors of Do once a rig was given up: the first cause, for every scenario that follows.
var ErrBroken = errors.New("the rig was given up")

// trust is what is known of a lab's rig from run to run, and the right to use it. A nil trust is
// that of a simulated bench, which is new each time.
type trust struct {
	dir   string
	lease *lease.Lease
	wear  *wear.Counter
}

// takeRig takes a rig's lease and looks whether it may be used.
func (o Options) takeRig(f *rigs.File) (*trust, error) {
	dir, err := state.Dir(o.State, f.Name, f.Path)
	if err != nil {
		return nil, err
	}
	known, err := health.Load(dir)
	if err != nil {
		return nil, err
	}
	if err := known.Usable(f.Name); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotAvailable, err)
	}
	l, err := lease.Acquire(dir, f.Name, "assay run")
	if errors.As(err, new(*lease.HeldError)) {
		err = fmt.Errorf("%w: %w", ErrNotAvailable, err)
	}
	if err != nil {
		return nil, err
	}
	return &trust{dir: dir, lease: l, wear: wear.NewCounter(dir)}, nil
}

// before is why the last holder left the rig unsafe; nil when it did not.
func (t *trust) before() error {
	if last := t.lease.Before(); last != nil {
		return fmt.Errorf("left by %s: %s", last, last.Unsafe)
	}
	return nil
}

// note remembers what was found out about the rig.
func (t *trust) note(status health.Status, format string, args ...any) error {
	if t == nil {
		return nil
	}
	return health.Set(t.dir, status, fmt.Sprintf(format, args...))
}

// within ends ctx when the rig is taken back.
func (t *trust) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if t == nil {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-t.lease.Ended():
			cancel(t.lease.Err())
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// lost is why the rig was taken back; nil while it was not.
func (t *trust) lost() error {
	if t == nil {
		return nil
	}
	return t.lease.Err()
}

// close gives the rig back; unsafe is why it may not be safe.
func (t *trust) close(unsafe error) error {
	if t == nil {
		return nil
	}
	why := ""
	if unsafe != nil {
		why = unsafe.Error()
	}
	return errors.Join(t.wear.Flush(), t.lease.Unsafe(why), t.lease.Release())
}

// breaker gives a broken rig up, with the first cause, instead of letting every scenario find out anew. The
// zero value trusts.
type breaker struct {
	// failed is why nothing is begun any more.
	failed error
	// first is the cause of the first of the faults in a row.
	first string
	row   int
}

// suspect says that a rig fault was seen since the last clean result: a self-check has to pass first.
func (b *breaker) suspect() bool { return b.row > 0 }

// saw takes a scenario's result into account.
func (b *breaker) saw(r record.Result) {
	switch {
	case r.Cause == record.Rig && r.Verdict == record.Inconclusive:
		if b.row == 0 {
			b.first = r.Scenario + ": " + r.Why
		}
		b.row++
		if b.row >= faultsInARow {
			b.open(rigs.Fault("rig", "trust", fmt.Errorf("%d scenarios in a row ended with the rig's fault, the first %s", b.row, b.first)))
		}
	case harness.Clean(r):
		b.row, b.first = 0, ""
	}
}

// open gives the rig up. The first reason stays.
func (b *breaker) open(err error) {
	if b.failed == nil {
		b.failed = fmt.Errorf("%w: %w", ErrBroken, err)
	}
}

// ready tries a rig before a session begins on it: always in a lab, whose last user is not known, and
// elsewhere after a rig's fault. What plan itself wants to try comes last.
func (r *realtime) ready(p plan) func(context.Context, *rigs.Rig) error {
	if r.trust == nil && !r.breaker.suspect() {
		return p.ready
	}
	return func(ctx context.Context, rig *rigs.Rig) error {
		err := harness.Check(ctx, rig)
		before := r.unsafe
		r.unsafe = err
		if err == nil && p.ready != nil {
			err = p.ready(ctx, rig)
		}
		if err != nil {
			return err
		}
		status := "its self-check passed"
		if before != nil {
			status += "; it was made safe: " + before.Error()
		}
		return r.trust.note(health.Good, "%s", status)
	}
}

// judged takes a result into account: for the breaker, and for the rig's health.
func (r *realtime) judged(result record.Result) error {
	r.breaker.saw(result)
	if r.trust == nil {
		return nil
	}
	err := r.trust.wear.Flush()
	if result.Cause == record.Rig {
		status, why := health.Unknown, result.Scenario+": "+result.Why
		if r.breaker.failed != nil {
			status, why = health.Bad, r.breaker.failed.Error()
		}
		err = errors.Join(err, r.trust.note(status, "%s", why))
	}
	return err
}
