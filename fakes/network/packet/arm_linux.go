package packet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/assay-hil/assay/fixtures/strict"
)

// acting is a fault that acts.
type acting interface {
	// fired says how many packets it has affected.
	fired() (uint64, error)
	// heal undoes it; after an error it can be called again.
	heal() error
}

// fault is one fault of a bench, by what is told of it.
type fault struct {
	status Status
	acting acting        // nil when healed
	shot   chan struct{} // closed when it has fired
	over   chan struct{} // closed when it is healed
}

// Arm lets a fault act, by the best mechanism that works; it acts when Arm returns. Faults armed
// together all act. The error is ErrSpec when the description makes no sense, ErrUnavailable when
// this machine lacks what every mechanism needs, with the reasons. Any other is of a mechanism that is
// there and failed.
func (b *Bench) Arm(spec Spec) error {
	if err := spec.Check(); err != nil {
		return err
	}
	spec = spec.withDefaults()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return ErrClosed
	}
	if err := b.admit(spec.ID); err != nil {
		return err
	}
	var reasons []error
	for _, mechanism := range spec.mechanisms() {
		spec.Mechanism = mechanism
		err := b.begin(spec)
		if err == nil {
			return nil
		}
		reasons = append(reasons, fmt.Errorf("%s: %w", mechanism, err))
		if errors.Is(err, ErrSpec) {
			return errors.Join(reasons...)
		}
	}
	failed := fmt.Errorf("%s: %w", spec.Kind, errors.Join(reasons...))
	if lacking(failed) {
		return fmt.Errorf("%w: %w", ErrUnavailable, failed)
	}
	return failed
}

// admit makes room for a fault. A healed one of the same name is forgotten.
func (b *Bench) admit(id string) error {
	i := slices.IndexFunc(b.faults, func(f *fault) bool { return f.status.ID == id })
	if i >= 0 && b.faults[i].acting != nil {
		return fmt.Errorf("%w: id %q is armed already; heal it or choose another id", ErrSpec, id)
	}
	if i >= 0 {
		b.faults = slices.Delete(b.faults, i, i+1)
	}
	if len(b.faults) < MaxFaults {
		return nil
	}
	healed := slices.IndexFunc(b.faults, func(f *fault) bool { return f.acting == nil })
	if healed < 0 {
		return fmt.Errorf("%w: %d faults are armed, which is the most", ErrSpec, MaxFaults)
	}
	b.faults = slices.Delete(b.faults, healed, healed+1)
	return nil
}

// begin arms by the mechanism that spec names.
func (b *Bench) begin(spec Spec) error {
	if spec.Mechanism == TUN && spec.Seed == 0 && spec.Kind != RateLimit { // which leaves nothing to chance
		spec.Seed = 1 + rand.Uint64N(1<<53-1) // fits a JSON number
	}
	acting, err := b.act(spec)
	if err != nil {
		return err
	}
	b.faults = append(b.faults, &fault{
		status: Status{Spec: spec, Armed: time.Now()}, acting: acting,
		shot: make(chan struct{}), over: make(chan struct{}),
	})
	if b.watched == nil {
		b.watched = make(chan struct{})
		go b.watch()
	}
	return nil
}

// act starts the fault that spec describes.
func (b *Bench) act(spec Spec) (acting, error) {
	switch spec.Mechanism {
	case NFT:
		return b.armRules(spec)
	case TUN:
		return b.armTunnel(spec)
	case Link:
		return b.armFlap(spec)
	}
	return b.armQueue(spec)
}

// watch reads the counters of armed faults until the bench is closed.
func (b *Bench) watch() {
	defer close(b.watched)
	ticker := time.NewTicker(WatchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-b.stop:
			return
		case <-ticker.C:
		}
		b.mu.Lock()
		for _, f := range b.faults {
			f.read()
		}
		b.mu.Unlock()
	}
}

// read brings a fault's status up to date.
func (f *fault) read() {
	if f.acting == nil {
		return
	}
	n, err := f.acting.fired()
	if err != nil {
		f.status.Error = err.Error()
	}
	f.status.Packets = max(f.status.Packets, n)
	if n > 0 && f.status.Fired.IsZero() {
		f.status.Fired = time.Now()
		close(f.shot)
	}
}

// end heals a fault.
func (f *fault) end() error {
	if f.acting == nil {
		return nil
	}
	f.read()
	if err := f.acting.heal(); err != nil {
		f.status.Error = err.Error()
		return fmt.Errorf("heal %s: %w", f.status.ID, err)
	}
	f.acting = nil
	f.status.Healed = time.Now()
	close(f.over)
	return nil
}

// Heal ends every fault. It waits for no peer; packets held are let go.
func (b *Bench) Heal() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.healAll()
}

func (b *Bench) healAll() error {
	var failed []error
	for _, f := range slices.Backward(b.faults) {
		failed = append(failed, f.end())
	}
	return errors.Join(failed...)
}

// HealOne ends the fault of that ID; one that is healed stays so.
func (b *Bench) HealOne(id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	f, err := b.find(id)
	if err != nil {
		return err
	}
	return f.end()
}

// find needs the lock.
func (b *Bench) find(id string) (*fault, error) {
	known := []string{}
	for _, f := range b.faults {
		if f.status.ID == id {
			return f, nil
		}
		known = append(known, f.status.ID)
	}
	return nil, fmt.Errorf("%w: %s", ErrSpec, strict.UnknownMessage("id", id, known))
}

// Status tells of every fault, in the order of arming; of the last MaxFaults.
func (b *Bench) Status() []Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []Status
	for _, f := range b.faults {
		f.read()
		all = append(all, f.status)
	}
	return all
}

// Wait waits until the fault of that ID has fired, is healed or the context ends.
func (b *Bench) Wait(ctx context.Context, id string) (Status, error) {
	b.mu.Lock()
	f, err := b.find(id)
	b.mu.Unlock()
	if err != nil {
		return Status{}, err
	}
	select {
	case <-f.shot:
	case <-f.over:
	case <-b.stop:
		err = ErrClosed
	case <-ctx.Done():
		err = fmt.Errorf("fault %s has not fired: %w", id, ctx.Err())
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	f.read()
	if err == nil && f.status.Fired.IsZero() {
		err = fmt.Errorf("fault %s was healed before it fired", id)
	}
	return f.status, err
}
