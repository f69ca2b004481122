package rungs

import (
	"context"
	"errors"
	"sync"

	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/harness"
	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/health"
	"github.com/assay-hil/assay/rigs/human"
	"github.com/assay-hil/assay/rungs/containers"
)

// realtime is a rung whose world stays up from scenario to scenario, as a lab's does.
type realtime struct {
	name     string
	profiles []*terminals.Profile
	has      func(capability string) bool
	// lang is fixed by the rig; "" where the terminal's language can be chosen.
	lang string
	// plan prepares the outside of a world: devices, ports, what the teardown has to close.
	plan func(t *teardown, wanted Wanted) (plan, error)
	// noPackets is why packet faults of a kind can't be made here; "" when they can.
	noPackets func(kind string) string
	// hosts starts issuer and injector, on engine if there is one; nil: in this process.
	hosts  starter
	engine *containers.Engine
	// scale is by what factor the profile.s timers are shortened.
	scale float64

	mu      sync.Mutex
	current *world
	outside teardown // what plan opened for current
	wanted  Wanted   // of current
	breaker breaker
	log     *wires         // of the instruments' lines; nil: none is kept
	console *human.Console // nil: nobody is asked
	trust   *trust         // nil: nobody else uses this bench, and nothing is kept of it
	// unsafe is why the rig may not be safe after the last session; nil when it is.
	unsafe error
}

func (r *realtime) Name() string                   { return r.name }
func (r *realtime) Has(capability string) bool     { return r.has(capability) }
func (r *realtime) Profiles() []*terminals.Profile { return r.profiles }
func (r *realtime) Lang() string                   { return r.lang }

// Worlds is one: that of the rig.
func (r *realtime) Worlds() int { return 1 }

// fit is how little has to be done for such a world: 3 when it is up, 2 when none is, 1 when another has to go first, 0 when
// one is at work. It waits for nobody.
func (r *realtime) fit(wanted Wanted) int {
	if !r.mu.TryLock() {
		return 0
	}
	defer r.mu.Unlock()
	switch {
	case r.current == nil:
		return 2
	case r.wanted == wanted:
		return 3
	}
	return 1
}

// NoPackets asks the rung's own reason.
func (r *realtime) NoPackets(kind string) string { return r.noPackets(kind) }

// Do runs body on the world that is up, or on a new one. Calls wait for each other.
func (r *realtime) Do(ctx context.Context, wanted Wanted, body func(context.Context, *harness.Session) record.Result) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.breaker.failed != nil {
		return r.breaker.failed
	}
	ctx, cancel := r.trust.within(ctx)
	defer cancel()
	if err := r.trust.lost(); err != nil {
		return rigs.Fault("rig", "lease", err)
	}
	if r.current != nil && r.wanted != wanted {
		if err := r.down(); err != nil {
			return err
		}
	}
	if r.current == nil {
		if err := r.up(ctx, wanted); err != nil {
			if ctx.Err() == nil {
				r.breaker.open(err)
				err = errors.Join(err, r.trust.note(health.Bad, "%v", err))
			}
			return err
		}
	}
	r.unsafe = errors.New("its scenario did not end")
	result := body(ctx, r.current.session)
	r.unsafe = r.current.session.Broken()
	err := r.judged(result)
	if r.unsafe != nil || !harness.Clean(result) {
		err = errors.Join(err, r.down())
	}
	return err
}

func (r *realtime) up(ctx context.Context, wanted Wanted) error {
	scaled := wanted
	scaled.Profile = wanted.Profile.Scaled(r.scale)
	plan, err := r.plan(&r.outside, scaled)
	if err == nil {
		plan.hosts = r.hosts
		plan.lag, plan.ready = true, r.ready(plan)
		if r.trust != nil {
			plan.wear, plan.carries = r.trust.wear.Add, true
		}
		// The world outlives an interrupt: making it safe needs its hosts and instruments.
		r.current, err = build(context.WithoutCancel(ctx), scaled.Profile, scaled.Lang, plan)
	}
	if err != nil {
		_ = r.outside.run() // the first fault is the one to tell
		return err
	}
	r.wanted = wanted
	return nil
}

func (r *realtime) down() error {
	err := r.current.close()
	r.current = nil
	if outside := r.outside.run(); err == nil {
		err = outside
	}
	return err
}

// Close takes the world down, and what worlds shared.
func (r *realtime) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var err error
	if r.current != nil {
		err = r.down()
	}
	if r.engine != nil {
		err = errors.Join(err, r.engine.Close())
		r.engine = nil
	}
	err = errors.Join(err, r.log.close())
	if r.console != nil {
		err = errors.Join(err, r.console.Close())
	}
	err = errors.Join(err, r.trust.close(r.unsafe))
	r.trust = nil
	return err
}
