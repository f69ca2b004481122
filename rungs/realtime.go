package rungs

import (
	"context"
	"sync"

	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/harness"
	"github.com/assay-hil/assay/harness/record"
)

// realtime is a rung whose world stays up from scenario to scenario, as a lab's does.
type realtime struct {
	name     string
	profiles []*terminals.Profile
	has      func(capability string) bool
	// lang is fixed by the rig; "" where the terminal's language can be chosen.
	lang string
	// plan prepares the outside of a world: devices, ports, what the teardown has to close.
	plan func(t *teardown, p *terminals.Profile, lang string) (plan, error)
	// scale is by what factor the profile.s timers are shortened.
	scale float64

	mu      sync.Mutex
	current *world
	outside teardown // what plan opened for current
	profile string
	shown   string
	// failed is the first reason why no world could be built. A broken rig fails fast with it
	// from then on, instead of timing out again in every scenario.
	failed error
}

func (r *realtime) Name() string                   { return r.name }
func (r *realtime) Has(capability string) bool     { return r.has(capability) }
func (r *realtime) Profiles() []*terminals.Profile { return r.profiles }
func (r *realtime) Lang() string                   { return r.lang }

// Do runs body on the world that is up, or on a new one. Calls wait for each other.
func (r *realtime) Do(ctx context.Context, p *terminals.Profile, lang string, body func(context.Context, *harness.Session) record.Result) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed != nil {
		return r.failed
	}
	if r.current != nil && (r.profile != p.ID || r.shown != lang) {
		if err := r.down(); err != nil {
			return err
		}
	}
	if r.current == nil {
		if err := r.up(ctx, p, lang); err != nil {
			if ctx.Err() == nil {
				r.failed = err
			}
			return err
		}
	}
	result := body(ctx, r.current.session)
	if r.current.session.Broken() != nil || !harness.Clean(result) {
		return r.down()
	}
	return nil
}

func (r *realtime) up(ctx context.Context, p *terminals.Profile, lang string) error {
	scaled := p.Scaled(r.scale)
	plan, err := r.plan(&r.outside, scaled, lang)
	if err == nil {
		// The world outlives an interrupt: making it safe needs its hosts and instruments.
		r.current, err = build(context.WithoutCancel(ctx), scaled, lang, plan)
	}
	if err != nil {
		_ = r.outside.run() // the first fault is the one to tell
		return err
	}
	r.profile, r.shown = p.ID, lang
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

// Close takes the world down.
func (r *realtime) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current == nil {
		return nil
	}
	return r.down()
}
