package injector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"

	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fakes/network/packet"
	"github.com/assay-hil/assay/fixtures/strict"
)

// packets is the packet level: the bench that terminals and uplinks are in, and the faults armed last.
type packets struct {
	bench  *packet.Bench
	report func(kind string, fields map[string]string)
	// ports are those of the uplinks, by name.
	ports func() map[string]int

	mu       sync.Mutex
	ids      []string // armed last, in their order
	watching sync.WaitGroup
}

// Arm heals the faults before and lets these act, all or none.
func (p *packets) Arm(faults []packet.Fault) error {
	faults, err := p.aimed(faults)
	if err != nil {
		return err
	}
	specs, err := specsOf(faults)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.heal(); err != nil {
		return err
	}
	p.ids = nil
	for _, spec := range specs {
		if err := p.arm(spec); err != nil {
			return errors.Join(err, p.heal())
		}
	}
	return nil
}

// failure is of what should work on this machine: nobody asked for something wrong.
type failure struct{ error }

func (f *failure) Unwrap() error { return f.error }

// aimed gives each fault with an uplink that one's port.
func (p *packets) aimed(faults []packet.Fault) ([]packet.Fault, error) {
	faults = slices.Clone(faults)
	var wrong []error
	for i, f := range faults {
		if _, err := packet.SpecOf(f); f.Uplink == "" || err != nil {
			continue // complained about with the others
		}
		ports := p.ports()
		port, ok := ports[f.Uplink]
		if !ok {
			wrong = append(wrong, fmt.Errorf("%w %s: %s", packet.ErrSpec, f.Kind, strict.UnknownMessage("uplink", f.Uplink, slices.Sorted(maps.Keys(ports)))))
			continue
		}
		faults[i].Port, faults[i].Uplink = port, ""
	}
	return faults, errors.Join(wrong...)
}

// specsOf says everything that is wrong with faults before one of them acts.
func specsOf(faults []packet.Fault) ([]packet.Spec, error) {
	specs := make([]packet.Spec, len(faults))
	seen := map[string]bool{}
	var wrong []error
	for i, f := range faults {
		var err error
		specs[i], err = packet.SpecOf(f)
		wrong = append(wrong, err)
		id := cmp.Or(f.ID, f.Kind)
		if seen[id] {
			wrong = append(wrong, fmt.Errorf("%w %s: id: %q is used twice; give it another", packet.ErrSpec, f.Kind, id))
		}
		seen[id] = true
	}
	return specs, errors.Join(wrong...)
}

func (p *packets) arm(spec packet.Spec) error {
	switch err := p.bench.Arm(spec); {
	case err == nil:
	case errors.Is(err, packet.ErrSpec), errors.Is(err, packet.ErrUnavailable):
		return err
	default:
		return &failure{err}
	}
	all := p.bench.Status()
	s := all[len(all)-1]
	p.ids = append(p.ids, s.ID)
	fields := fieldsOf(s)
	if s.Seed != 0 {
		fields["seed"] = strconv.FormatUint(s.Seed, 10)
	}
	p.report("armed", fields)
	p.watching.Go(func() { // until it has fired or is healed
		if s, _ := p.bench.Wait(context.Background(), s.ID); !s.Fired.IsZero() {
			p.report("fired", fieldsOf(s))
		}
	})
	return nil
}

func fieldsOf(s packet.Status) map[string]string {
	return map[string]string{"fault": s.ID, "kind": s.Kind, "mechanism": s.Mechanism}
}

// Heal ends every fault; it waits for the kernel alone.
func (p *packets) Heal() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heal()
}

// heal needs the lock.
func (p *packets) heal() error {
	var acting []string
	for _, s := range p.armed() {
		if s.Healed.IsZero() {
			acting = append(acting, s.ID)
		}
	}
	err := p.bench.Heal()
	if err == nil {
		p.watching.Wait() // what fired is told before what healed
	}
	for _, s := range p.armed() {
		if slices.Contains(acting, s.ID) && !s.Healed.IsZero() {
			fields := fieldsOf(s)
			fields["packets"] = strconv.FormatUint(s.Packets, 10)
			p.report("healed", fields)
		}
	}
	return err
}

// armed are the faults armed last.
func (p *packets) armed() (all []packet.Status) {
	byID := map[string]packet.Status{}
	for _, s := range p.bench.Status() {
		byID[s.ID] = s
	}
	for _, id := range p.ids {
		all = append(all, byID[id])
	}
	return all
}

// Status tells what became of each; it has fired once for each packet that it affected, and is unproven
// when it could not be watched.
func (p *packets) Status() []network.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]network.Status, 0, len(p.ids))
	for _, s := range p.armed() {
		status := network.Status{ID: s.ID, Kind: s.Kind, Fired: int(s.Packets), Healed: !s.Healed.IsZero(), Seed: int64(s.Seed)}
		if s.Error != "" {
			status.Unproven = 1
		}
		all = append(all, status)
	}
	return all
}
