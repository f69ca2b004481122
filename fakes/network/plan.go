package network

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assay-hil/assay/fakes/network/client"
)

// plan is a set of faults in force, or what is left of it after healing.
type plan struct {
	server  *Server
	seed    int64
	entries []*entry
	began   time.Time
	healed  chan struct{} // closed when the faults no longer act
	over    atomic.Bool   // the same, cheaper to ask

	byMTI   map[mti][]candidate // those that pick an MTI, in the plan's order
	anyMTI  []candidate         // those that may pick an MTI not in byMTI
	greeter []*entry            // those on connections
	memory  *memory

	mu sync.Mutex // held while healing notes what is healed
}

// entry is one fault of a plan.
type entry struct {
	spec   client.Fault
	fault  any // shape, delivery, greeter, outage: what acts on what it picks
	picked atomic.Int64

	fired, failed atomic.Int64 // how often it acted, or could not
	healed        bool         // guarded by the plan's mutex

	// How many of each direction and MTI it has picked, for chance: which of two directions, or of two
	// MTIs on two connections, comes first is a matter of timing.
	counting    sync.Mutex
	occurrences map[string]int64

	turn sync.Mutex // held while an outage begins or ends
}

// candidate is a fault with as much of its selection as rules out most messages, side by side with others.
type candidate struct {
	stan  uint64 // as in an Identity; 0: any
	entry *entry
}

func newPlan(s *Server, seed int64) *plan {
	if seed == 0 {
		seed = rand.Int64N(1<<53) + 1 // fits a JSON number
	}
	return &plan{server: s, seed: seed, healed: make(chan struct{}), byMTI: make(map[mti][]candidate)}
}

// add puts a fault behind those that the plan has.
func (p *plan) add(spec client.Fault, f any) {
	e := &entry{spec: spec, fault: f}
	p.entries = append(p.entries, e)
	if r, ok := f.(replay); ok {
		p.memory = p.memory.also(r.old)
	}
	stan, _ := packed(spec.Message.STAN) // as checked
	id, exact := IdentityOf(spec.Message.MTI, "")
	switch _, port := f.(outage); {
	case spec.Message.MTI == "" && port: // picks nothing
	case spec.Message.MTI == "":
		p.greeter = append(p.greeter, e)
	case exact:
		if _, known := p.byMTI[id.mti]; !known {
			p.byMTI[id.mti] = append(p.byMTI[id.mti], p.anyMTI...) // those before it that pick this one too
		}
		p.byMTI[id.mti] = append(p.byMTI[id.mti], candidate{stan, e})
	default:
		p.anyMTI = append(p.anyMTI, candidate{stan, e})
		for known := range p.byMTI {
			p.byMTI[known] = append(p.byMTI[known], candidate{stan, e})
		}
	}
}

// choice is what a plan does with a message: change it, then deliver it somehow.
type choice struct {
	shapes   []*entry
	delivery *entry // nil: as it is
}

func (c choice) none() bool { return c.delivery == nil && len(c.shapes) == 0 }

// decide counts the message and gives it to the faults that pick it: every one that changes
// messages, and the first in the plan's order that delivers them.
func (p *plan) decide(m *seen, payload []byte) (c choice) {
	if len(p.entries) == 0 || p.over.Load() {
		return c
	}
	entries, ok := p.byMTI[m.mti]
	if !ok {
		entries = p.anyMTI
	}
	for i := range entries {
		e := entries[i].entry
		if stan := entries[i].stan; stan != 0 && stan != m.stan || !p.picks(e, m, payload) || !p.acts(e, m.direction(), m.MTI()) {
			continue
		}
		if _, ok := e.fault.(shape); ok {
			c.shapes = append(c.shapes, e)
		} else if c.delivery == nil {
			c.delivery = e
		}
	}
	return c
}

// ignores says that the plan has nothing for a message, by what it is called, and does not count it.
func (p *plan) ignores(id Identity) bool {
	if p.memory != nil && p.memory.wants(id.MTI()) {
		return false
	}
	if len(p.entries) == 0 || p.over.Load() {
		return true
	}
	entries, ok := p.byMTI[id.mti]
	if !ok {
		entries = p.anyMTI
	}
	for i := range entries {
		if entries[i].stan == 0 || entries[i].stan == id.stan {
			return false
		}
	}
	return true
}

// acts counts something that the fault picks, and says whether it acts on it.
func (p *plan) acts(e *entry, direction, mti string) bool {
	n, lucky := e.picked.Add(1), true
	if e.seeded() {
		lucky = p.chance(e.spec, direction, mti, e.occurrence(direction, mti))
	}
	if nth := e.spec.Message.Nth; nth != 0 && int64(nth) != n {
		return false
	}
	return lucky && active(e.spec.Schedule, time.Since(p.began))
}

// occurrence counts one more of a direction and MTI.
func (e *entry) occurrence(direction, mti string) int64 {
	e.counting.Lock()
	defer e.counting.Unlock()
	if e.occurrences == nil {
		e.occurrences = make(map[string]int64)
	}
	e.occurrences[direction+mti]++
	return e.occurrences[direction+mti]
}

// greet lets the faults on connections act on a new one; it is false when there is nothing more to serve.
func (p *plan) greet(c *connection) bool {
	if p.over.Load() {
		return true
	}
	var first *entry
	for _, e := range p.greeter {
		if e.on(c.uplink.Name) && p.acts(e, "connect", "") && first == nil {
			first = e
		}
	}
	return first == nil || first.fault.(greeter).greet(c, p, first)
}

// on says if the fault is on an uplink.
func (e *entry) on(uplink string) bool { return e.spec.Uplink == "" || e.spec.Uplink == uplink }

// fire notes that a fault acted, unproven that it could not show that it did.
func (e *entry) fire(p *plan, fields map[string]string) {
	e.fired.Add(1)
	p.report("fired", e, fields)
}

func (e *entry) unproven(p *plan, fields map[string]string, err error) {
	e.failed.Add(1)
	all := map[string]string{"why": err.Error()}
	for k, v := range fields {
		all[k] = v
	}
	p.report("unproven", e, all)
}

func (p *plan) report(kind string, e *entry, fields map[string]string) {
	all := map[string]string{"fault": e.spec.ID, "kind": e.spec.Kind}
	for k, v := range fields {
		all[k] = v
	}
	p.server.log.Append(kind, all)
}

// begin lets the faults act.
func (p *plan) begin() error {
	p.began = time.Now()
	for _, e := range p.entries {
		var fields map[string]string
		if e.seeded() {
			fields = map[string]string{"seed": strconv.FormatInt(p.seed, 10)}
		}
		p.report("armed", e, fields)
		o, ok := e.fault.(outage)
		if !ok || e.spec.Message.MTI != "" {
			continue
		}
		if err := p.schedule(e, o); err != nil {
			return fmt.Errorf("fault %q: %w", e.spec.ID, err)
		}
	}
	return nil
}

// shut begins an outage; with fields of what caused it.
func (p *plan) shut(e *entry, o outage, fields map[string]string) error {
	e.turn.Lock()
	defer e.turn.Unlock()
	if p.over.Load() {
		return nil
	}
	return o.begin(e, func(err error) {
		if err != nil {
			e.unproven(p, fields, err)
			return
		}
		e.fire(p, fields)
	})
}

// reopen ends an outage.
func (e *entry) reopen(ctx context.Context) error {
	o, ok := e.fault.(outage)
	if !ok {
		return nil
	}
	e.turn.Lock()
	defer e.turn.Unlock()
	return o.end(ctx)
}

// settle waits until every fault on a port has shown that it acts, or that it can't.
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
	if p.over.CompareAndSwap(false, true) {
		close(p.healed)
	}
	var failed []error
	for _, e := range p.entries {
		if e.isHealed(p) {
			continue
		}
		if err := e.reopen(ctx); err != nil {
			failed = append(failed, fmt.Errorf("heal fault %q: %w", e.spec.ID, err))
			continue
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
	all := make([]client.Status, 0, len(p.entries))
	for _, e := range p.entries {
		s := client.Status{ID: e.spec.ID, Kind: e.spec.Kind, Fired: int(e.fired.Load()), Unproven: int(e.failed.Load()), Healed: e.isHealed(p)}
		if e.seeded() {
			s.Seed = p.seed
		}
		all = append(all, s)
	}
	return all
}
