package network

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/protocol/feed"
)

// plan is a set of faults in force, or what is left of it after healing.
type plan struct {
	log    *feed.Log
	healed chan struct{} // closed when the faults no longer act

	mu      sync.Mutex
	entries []*entry
	seen    map[string]int // MTI → occurrences since arming
	over    bool
}

// entry is one fault of a plan. Fired and healed are guarded by the plan's mutex.
type entry struct {
	spec   client.Fault
	fault  fault
	fired  int
	healed bool
}

func newPlan(log *feed.Log) *plan {
	return &plan{log: log, healed: make(chan struct{}), seen: make(map[string]int)}
}

// decide counts the message and gives it to the first fault in the plan's order that picks it.
// The entry is nil when none does.
func (p *plan) decide(m message) (*entry, verdict) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return nil, pass{}.decide(m)
	}
	counted := false
	for _, e := range p.entries {
		if e.spec.Message.MTI != m.mti {
			continue
		}
		if !counted {
			p.seen[m.mti]++
			counted = true
		}
		if nth := e.spec.Message.Nth; nth == 0 || nth == p.seen[m.mti] {
			return e, e.fault.decide(m)
		}
	}
	return nil, pass{}.decide(m)
}

// fire notes that a fault acted.
func (p *plan) fire(e *entry, fields map[string]string) {
	p.mu.Lock()
	e.fired++
	p.mu.Unlock()
	p.report("fired", e, fields)
}

func (p *plan) report(kind string, e *entry, fields map[string]string) {
	all := map[string]string{"fault": e.spec.ID, "kind": e.spec.Kind}
	for k, v := range fields {
		all[k] = v
	}
	p.log.Append(kind, all)
}

// begin lets the faults act.
func (p *plan) begin() error {
	for _, e := range p.entries {
		p.report("armed", e, nil)
		o, ok := e.fault.(outage)
		if !ok {
			continue
		}
		err := o.begin(func(err error) {
			if err != nil {
				p.report("unproven", e, map[string]string{"why": err.Error()})
				return
			}
			p.fire(e, nil)
		})
		if err != nil {
			return fmt.Errorf("fault %q: %w", e.spec.ID, err)
		}
	}
	return nil
}

// settle waits until every fault on the port has shown that it acts, or that it can't.
func (p *plan) settle(ctx context.Context) {
	for _, e := range p.entries {
		if o, ok := e.fault.(outage); ok {
			select {
			case <-o.settled():
			case <-p.healed:
			case <-ctx.Done():
			}
		}
	}
}

// heal ends every fault. After an error it can be called again for those that are left.
func (p *plan) heal(ctx context.Context) error {
	p.mu.Lock()
	if !p.over {
		p.over = true
		close(p.healed)
	}
	p.mu.Unlock()
	var failed []error
	for _, e := range p.entries {
		if e.isHealed(p) {
			continue
		}
		if o, ok := e.fault.(outage); ok {
			if err := o.end(ctx); err != nil {
				failed = append(failed, fmt.Errorf("heal fault %q: %w", e.spec.ID, err))
				continue
			}
		}
		p.mu.Lock()
		e.healed = true
		p.mu.Unlock()
		p.report("healed", e, nil)
	}
	return errors.Join(failed...)
}

func (e *entry) isHealed(p *plan) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return e.healed
}

func (p *plan) status() []client.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]client.Status, 0, len(p.entries))
	for _, e := range p.entries {
		all = append(all, client.Status{ID: e.spec.ID, Kind: e.spec.Kind, Fired: e.fired, Healed: e.healed})
	}
	return all
}
