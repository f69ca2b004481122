package harness

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/rigs"
)

// probeLimit bounds one instrument's sign of life.
const probeLimit = 8 * time.Second

// probeKey is pressed at idle to see that the finger reaches the terminal; undoKey takes it back.
const (
	probeKey = "1"
	undoKey  = "CANCEL"
)

// whose finds out whether the rig or the terminal is at fault when something did not come. First the cheap questions; only when they leave both possible is the terminal restarted and
// watched. What can't be told is never the terminal's fault.
func (r *run) whose(ctx context.Context) (record.Cause, string) {
	for _, i := range r.session.world.Rig.Instruments() {
		if err := r.probe(ctx, i); err != nil {
			return record.Rig, err.Error()
		}
	}
	if cause, err := r.probeHosts(ctx); err != nil {
		return cause, err.Error()
	}
	if r.session.isGarbled("display") {
		return record.Rig, "display: its line brings characters that no terminal sends: cable, speed or encoding are in doubt"
	}
	if r.byEye() {
		return record.Rig, eyeMayErr
	}
	reacted := r.session.screensBetween(r.acted, r.acted.Add(r.patience().local)) > 0
	// A display that died after the reaction shows nothing of what a terminal does by itself in a long wait.
	alive := time.Since(r.acted) < 2*r.patience().local || r.session.screensSince(r.acted.Add(r.patience().local)) > 0
	if reacted && alive {
		return record.Terminal, "the screen changed after the last thing done to the terminal: finger and display work"
	}
	if r.session.inSlot() && !r.session.isProven("card") {
		return record.Rig, "the terminal never touched the inserted card: the emulator's contacts are in doubt"
	}
	return r.restartProbe(ctx)
}

func (r *run) probe(ctx context.Context, i rigs.Instrument) error {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	err := i.Probe(ctx)
	if err != nil && !errors.As(err, new(*rigs.Error)) {
		err = rigs.Fault(i.Name(), "probe", err)
	}
	return err
}

// probeHosts asks issuer and injector for a sign of life.
func (r *run) probeHosts(ctx context.Context) (record.Cause, error) {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	if err := r.session.world.Issuer.Ping(ctx); err != nil {
		return record.Issuer, fmt.Errorf("issuer: %w", err)
	}
	if err := r.session.world.Network.Ping(ctx); err != nil {
		return record.Network, fmt.Errorf("network: %w", err)
	}
	return record.None, nil
}

// restartProbe power-cycles the terminal: if nothing at all is then shown, display or power are
// dead; if a key then changes nothing, the finger misses. If both work now, the terminal had
// hung.
func (r *run) restartProbe(ctx context.Context) (record.Cause, string) {
	cause, why := r.restartAndWatch(ctx)
	if cause == record.Terminal && r.byEye() {
		cause, why = record.Rig, eyeMayErr
	}
	return cause, why
}

// eyeMayErr is why a terminal is not blamed for what a person did not tell of.
const eyeMayErr = "display: a person reads it, who can have missed a screen or mistyped it"

// byEye says that the screen is read by somebody who is asked.
func (r *run) byEye() bool {
	_, asked := r.session.world.Rig.Display.(rigs.Looker)
	return asked
}

func (r *run) restartAndWatch(ctx context.Context) (record.Cause, string) {
	rig := r.session.world.Rig
	if rig.Power == nil {
		return record.Rig, "nothing changed on the screen, and without a power relay it can't be told whether the terminal or an instrument is at fault"
	}
	begun := time.Now()
	if err := errors.Join(r.power(ctx, false), r.power(ctx, true)); err != nil {
		return record.Rig, err.Error()
	}
	ok, err := r.shows(ctx, r.patience().boot, "idle")
	if err != nil {
		return record.Rig, err.Error() // a line that ended while we watched: some hang on the terminal's own power
	}
	if !ok {
		if r.session.screensSince(begun) == 0 {
			return record.Rig, "display: nothing was shown even after a restart: display line, power relay or the terminal itself are dead"
		}
		return record.Terminal, "the terminal does not come back to idle after a restart"
	}
	keys := []string{probeKey}
	if r.lastKey != "" {
		keys = append(keys, r.lastKey) // the one that was in doubt
	}
	for _, key := range keys {
		pressed := time.Now()
		if err := r.press(ctx, key, false); err != nil {
			return record.Rig, err.Error()
		}
		ok, err = r.session.until(ctx, r.patience().local, func(v *view) bool { return v.screenAt.After(pressed) })
		if !ok || err != nil {
			return record.Rig, fmt.Sprintf("keypad: the key %s was pressed on the restarted terminal and nothing changed: the finger misses", key)
		}
	}
	if err := r.press(ctx, undoKey, false); err != nil {
		return record.Rig, err.Error()
	}
	return record.Terminal, "after a restart finger and display work: the terminal had hung"
}

// shows waits for a prompt without blaming anybody.
func (r *run) shows(ctx context.Context, limit time.Duration, prompt string) (bool, error) {
	return r.session.until(ctx, limit, func(v *view) bool { return slices.Contains(v.prompts, prompt) })
}

// screensBetween counts the screens that came soon enough after a time to be a reaction: what comes later may be
// the terminal's own timer.
func (s *Session) screensBetween(since, until time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, at := range s.now.changes {
		if at.After(since) && at.Before(until) {
			n++
		}
	}
	return n
}

// screensSince counts the screens that came after a time in this scenario.
func (s *Session) screensSince(since time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, at := range s.now.changes {
		if at.After(since) {
			n++
		}
	}
	return n
}
