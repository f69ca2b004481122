package harness

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-hil/assay/harness/judge"
	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/rigs"
)

// reachIdle brings the terminal to its idle screen: by waiting, by taking the card out and
// cancelling, at last by a restart.
func (r *run) reachIdle(ctx context.Context) error {
	s := r.session
	if err := r.home(ctx); err != nil {
		return err
	}
	limit := r.patience().idle
	if s.look().screenAt.IsZero() {
		if ok, err := r.nudge(ctx); ok || err != nil {
			return err
		}
		limit = r.patience().boot // nothing was shown yet: it may just have got its power
	}
	if ok, err := r.shows(ctx, limit, "idle"); ok || err != nil {
		return err
	}
	if err := r.tidy(ctx); err != nil {
		return err
	}
	for range undoTries {
		if err := r.press(ctx, undoKey, false); err != nil {
			return err
		}
		if ok, err := r.shows(ctx, r.patience().local, "idle"); ok || err != nil {
			return err
		}
	}
	if ok, err := r.shows(ctx, r.patience().idle, "idle"); ok || err != nil {
		return err
	}
	cause, why := r.restartProbe(ctx)
	if ok, err := r.shows(ctx, r.patience().idle, "idle"); ok || err != nil {
		return err
	}
	return blame(cause, "the terminal can't be brought to its idle screen: %s", why)
}

// nudge makes a terminal show something that has shown nothing since somebody looks: a debug line tells of changes, and
// a terminal that has been idle for long has none. It reports whether the terminal is idle.
func (r *run) nudge(ctx context.Context) (idle bool, err error) {
	s := r.session
	if s.world.Rig.Keypad == nil || s.world.Rig.Display == nil {
		return false, nil
	}
	local := r.patience().local
	shown := func(v *view) bool { return !v.screenAt.IsZero() }
	// Cancel first, which brings a terminal back from wherever it is; only an idle one has nothing to show for it.
	for _, key := range []string{"", undoKey, probeKey} {
		if key != "" {
			if err := r.press(ctx, key, false); err != nil {
				return false, err
			}
		}
		ok, err := s.until(ctx, local, shown)
		if err != nil {
			return false, err
		}
		if ok {
			break
		}
	}
	if s.look().screenAt.IsZero() {
		return false, nil
	}
	if ok, err := r.shows(ctx, local, "idle"); ok || err != nil {
		return ok, err
	}
	if err := r.press(ctx, undoKey, false); err != nil {
		return false, err
	}
	return r.shows(ctx, local, "idle")
}

// undoTries is how often the cancel key is pressed on the way back to idle: out of a menu's third level.
const undoTries = 3

func (r *run) home(ctx context.Context) error {
	s := r.session
	s.mu.Lock()
	homed := s.homed
	s.mu.Unlock()
	if homed || s.world.Rig.Keypad == nil {
		return nil
	}
	if err := s.world.Rig.Keypad.Home(ctx); err != nil {
		return err
	}
	r.note("homed", nil)
	s.mu.Lock()
	s.homed = true
	s.mu.Unlock()
	return nil
}

func (s *Session) lostHome() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.homed = false
}

// audit lets the terminal settle its batch, so that terminal and host compare their totals and nothing
// may stay pending, and takes the host's books for the judge.
func (r *run) audit(ctx context.Context) error {
	err := r.settle(ctx)
	if books := r.books(ctx, judge.Audit); err == nil {
		err = books
	}
	return err
}

func (r *run) settle(ctx context.Context) error {
	if !r.session.world.Profile.Has("settlement") {
		return nil
	}
	if r.stopped != nil {
		// The terminal failed somewhere: it may be anywhere. Bring it back first.
		if err := r.reachIdle(ctx); err != nil {
			return err
		}
	}
	begun := time.Now()
	if err := r.procedure(ctx, "settle"); err != nil {
		return err
	}
	ends := []string{"settled", "settle-mismatch", "comm-failed", "connect-timeout", "no-sim", "weak-signal", "comm-timeout", "comm-error", "receive-error", "reply-invalid", "reply-trace", "reversal-failed",
		"file-error", "key-error", "logon-required"}
	ok, err := r.session.until(ctx, r.patience().online, func(v *view) bool { return v.showedSince(begun, ends) })
	if err != nil {
		return err
	}
	if !ok {
		return r.missing(ctx, "the end of settlement")
	}
	return nil
}

func (v *view) showedSince(since time.Time, prompts []string) bool {
	for _, s := range v.shown {
		for _, p := range prompts {
			if s.prompt == p && !s.at.Before(since) {
				return true
			}
		}
	}
	return false
}

// safe ends the scenario whatever happened: feeds stopped, faults healed, finger up, card out,
// power on. It has its own time, recorded step by step, and a failed step does not keep the next from
// being tried. An interrupt does not shorten it: that is what it is for.
func (r *run) safe(ctx context.Context) {
	s := r.session
	ctx = context.WithoutCancel(ctx)
	var failed []error
	try := func(what string, limit time.Duration, do func(context.Context) error) {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		fields := map[string]string{"what": what}
		if err := do(ctx); err != nil {
			fields["error"] = err.Error()
			failed = append(failed, fmt.Errorf("%s: %w", what, err))
		}
		r.note("safe", fields)
	}
	if r.armed {
		try("heal the network", controlLimit, s.world.Network.Heal)
	}
	for _, i := range s.world.Rig.Instruments() {
		try("halt the "+i.Name(), haltLimit, r.halt(i))
	}
	if dead := s.look().dead; dead != nil {
		r.stop("safe", dead)
	}
	s.setSlot(false)
	for n := len(r.stops) - 1; n >= 0; n-- {
		feed := r.stops[n]
		try("follow the "+string(feed.cause)+" to its end", controlLimit, func(ctx context.Context) error {
			err := feed.stop(ctx)
			if err != nil && r.blind == nil {
				r.blind = blame(feed.cause, "what the %s saw is not known: %w", feed.cause, err)
			}
			return err
		})
	}
	if err := errors.Join(failed...); err != nil {
		s.mu.Lock()
		s.broken = err
		s.homed = false
		s.mu.Unlock()
	}
}

// halt makes an instrument safe. One that can't be is the rig's fault whatever was seen until then: it may
// have been dying before.
func (r *run) halt(i rigs.Instrument) func(context.Context) error {
	return func(ctx context.Context) error {
		err := i.Halt(ctx)
		if err == nil && (i.Name() == "display" || i.Name() == "printer") {
			err = i.Probe(ctx) // these only listen: their Halt says nothing about their line
		}
		if err != nil {
			r.stop("safe", rigs.Fault(i.Name(), "halt", err))
		}
		return err
	}
}

// Broken says why the rig could not be made safe after a scenario; nil when it could. A broken
// session must not be used again.
func (s *Session) Broken() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.broken, s.now.dead)
}

// Clean says whether the terminal can be trusted to carry nothing over into the next scenario:
// only after a verdict that its own audit supports.
func Clean(r record.Result) bool { return r.Verdict == record.Pass || r.Verdict == record.Marginal }
