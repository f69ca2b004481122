package harness

import (
	"context"
	"errors"
	"fmt"

	"github.com/assay-hil/assay/harness/record"
)

// drain has a terminal that was used before settle what it still holds, before anything is
// arranged: a pending reversal or a batch from an earlier run would otherwise turn up in this
// scenario's books. What the terminal does meanwhile is recorded and not judged: a terminal that
// can't settle shows that in the scenario's own audit. Only a rig's fault ends the scenario.
func (r *run) drain(ctx context.Context) error {
	s := r.session
	if !s.world.Carries || s.isDrained() || s.world.Rig.Keypad == nil || !s.world.Profile.Has("settlement") {
		return nil
	}
	if err := r.signOnAnew(ctx); err != nil {
		return err
	}
	fields := map[string]string{"what": "what the terminal held from before"}
	err := r.settle(ctx)
	if err != nil {
		fields["error"] = err.Error()
	}
	r.note("drained", fields)
	if err != nil && stoppedBy(err) != record.Terminal {
		return fmt.Errorf("what the terminal held from before: %w", err)
	}
	if err := r.reachIdle(ctx); err != nil {
		return err
	}
	if err := r.awaitPaper(ctx); err != nil { // a slip that came later would be taken for this scenario's
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drained = err == nil
	r.cutsBefore = s.now.cuts // receipts of the draining are none of this scenario's
	s.now.shown, s.now.changes = nil, nil
	return nil
}

// signOnAnew restarts a terminal whose working keys are of another host's sign-on, where the rig can: every message of
// its next transaction would have a MAC that this session's host must refuse.
func (r *run) signOnAnew(ctx context.Context) error {
	s := r.session
	if !s.world.Rekeys || s.world.Rig.Power == nil {
		return nil
	}
	if err := errors.Join(r.power(ctx, false), r.power(ctx, true)); err != nil {
		return err
	}
	if ok, err := r.shows(ctx, r.patience().boot, "idle"); ok || err != nil {
		return err
	}
	return r.reachIdle(ctx)
}

func (s *Session) isDrained() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.drained
}
