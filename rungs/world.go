package rungs

import (
	"context"
	"crypto/x509"
	"fmt"
	"sync"
	"time"

	"github.com/assay-hil/assay/fakes/bench"
	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/harness"
	"github.com/assay-hil/assay/rigs"
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
	// captures keeps what passes the injector; nil: nobody does.
	captures *captures
	// ready tries the instruments before the session begins; nil: they are taken as they are.
	ready func(ctx context.Context, rig *rigs.Rig) error
	// wear counts what wears the rig out; nil: nobody does. carries: the terminal was used before.
	wear    func(kind string)
	carries bool
	// shared: other terminals use the issuer meanwhile.
	shared bool
	// lag says that time passes by itself, and this machine may be late.
	lag bool
	// host is what the bank speaks; nil: the profile's dialect.
	host *hosts.Host
	// ails are HostFaults.
	ails []string
	// hosts starts issuer and injector; nil: in this process.
	hosts starter
	// authority is the folder of the one that the terminal trusts; "": a new one for this world.
	authority string
	// bench starts the simulated bench; nil in a lab. It runs when the hosts are up and before
	// the drivers are opened.
	bench func(ctx context.Context, host *hosts.Host, trust *x509.CertPool) (*bench.Bench, error)
}

// dialects are those that worlds have been built with. Nothing in a world changes one.
var dialects sync.Map

// dialectOf reads a dialect once: there is a world for each scenario.
func dialectOf(id string) (*hosts.Host, error) {
	if known, ok := dialects.Load(id); ok {
		return known.(*hosts.Host), nil
	}
	host, err := hosts.Load(id)
	if err == nil {
		dialects.Store(id, host)
	}
	return host, err
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
	host := plan.host
	if host == nil {
		if host, err = dialectOf(p.Host); err != nil {
			return nil, fmt.Errorf("profile %s: %w", p.ID, err)
		}
	}
	all, err := cards.All()
	if err != nil {
		return nil, err
	}
	start := plan.hosts
	if start == nil {
		start = startHosts
	}
	part := &section{}
	up, err := start(ctx, plan.wire, &w.parts, site{profile: p, host: host, cards: all, authority: plan.authority, ails: plan.ails, captures: plan.captures, part: part})
	if err != nil {
		return nil, err
	}
	if plan.bench != nil {
		b, err := plan.bench(ctx, host, up.trust)
		if err != nil {
			return nil, err
		}
		w.parts.add("bench", b.Close)
	}
	rig, err := openRig(ctx, &w.parts, p, plan.lines, plan.settings)
	if err != nil {
		return nil, err
	}
	if plan.ready != nil {
		if err := plan.ready(ctx, rig); err != nil {
			return nil, err
		}
	}
	tongue, err := host.Tongue()
	if err != nil {
		return nil, err
	}
	var late func() time.Duration
	if plan.lag {
		watched := watchLag()
		w.parts.add("lag", watched.close)
		late = watched.take
	}
	w.session = harness.Open(ctx, harness.World{
		Lag: late, Rig: rig, Issuer: up.issuer, Network: up.network, Profile: p, Tongue: tongue, Lang: lang, Cards: all,
		Wear: plan.wear, Carries: plan.carries, Rekeys: host.Keys.Download != "", Begun: part.begin, Passed: part.taken,
		Shared: plan.shared,
	})
	w.parts.add("session", func() error { w.session.Close(); return nil })
	return w, nil
}

func (w *world) close() error { return w.parts.run() }
