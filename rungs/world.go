package rungs

import (
	"context"
	"fmt"

	"github.com/assay-hil/assay/fakes/bench"
	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/harness"
)

// world is one bench that is up, with a session on it.
type world struct {
	session *harness.Session
	parts   teardown
}

// plan is what a rung says about the world that it builds.
type plan struct {
	wire     wire
	lines    lines
	settings settings
	// bench starts the simulated bench; nil in a lab. It runs when the hosts are up and before
	// the drivers are opened.
	bench func(ctx context.Context, host *hosts.Host) (*bench.Bench, error)
}

// build brings a world up: hosts, bench, instruments, session. After an error nothing is left open.
func build(ctx context.Context, p *terminals.Profile, lang string, plan plan) (_ *world, err error) {
	w := &world{}
	ctx, cancel := context.WithCancel(ctx)
	w.parts.add("context", func() error { cancel(); return nil })
	defer func() {
		if err != nil {
			_ = w.parts.run() // the first fault is the one to tell
		}
	}()
	host, err := hosts.Load(p.Host)
	if err != nil {
		return nil, fmt.Errorf("profile %s: %w", p.ID, err)
	}
	all, err := cards.All()
	if err != nil {
		return nil, err
	}
	up, err := startHosts(ctx, plan.wire, &w.parts, host, all)
	if err != nil {
		return nil, err
	}
	if plan.bench != nil {
		b, err := plan.bench(ctx, host)
		if err != nil {
			return nil, err
		}
		w.parts.add("bench", b.Close)
	}
	rig, err := openRig(ctx, &w.parts, p, plan.lines, plan.settings)
	if err != nil {
		return nil, err
	}
	w.session = harness.Open(ctx, harness.World{
		Rig: rig, Issuer: up.issuer, Network: up.network, Profile: p, Lang: lang, Cards: all,
	})
	w.parts.add("session", func() error { w.session.Close(); return nil })
	return w, nil
}

func (w *world) close() error { return w.parts.run() }
