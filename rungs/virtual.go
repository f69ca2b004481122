package rungs

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/bench"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/harness"
	"github.com/assay-hil/assay/harness/record"
	"github.com/assay-hil/assay/protocol/memnet"
	"github.com/assay-hil/assay/rigs/serial"
)

// outsideCheck is how often, in virtual time, a world looks whether the run was interrupted: nothing
// outside a bubble can wake what waits inside it.
const outsideCheck = 10 * time.Second

// virtualUncertainty: clocks are exact, but a driver reads a line in steps.
const virtualUncertainty = time.Millisecond

// virtual builds a new world for each call, in a bubble of virtual time.
type virtual struct {
	options  Options
	profiles []*terminals.Profile
	passed   *captures
}

func newVirtual(o Options) (Rung, error) {
	profiles, err := o.profiles()
	if err != nil {
		return nil, err
	}
	return &virtual{o, profiles, &captures{evidence: o.Evidence, alone: true}}, nil
}

func (v *virtual) Name() string                   { return Virtual }
func (v *virtual) Has(string) bool                { return true }
func (v *virtual) Profiles() []*terminals.Profile { return v.profiles }
func (v *virtual) Lang() string                   { return "" }
func (v *virtual) Worlds() int                    { return runtime.GOMAXPROCS(0) }
func (v *virtual) Close() error                   { return nil }

// NoPackets says that there are none.
func (v *virtual) NoPackets(kind string) string {
	return fmt.Sprintf("packet fault %s: a kernel's network is needed, and in virtual time lines are in memory; use --rig sim", kind)
}

// Do runs body in a bubble. Calls may run at the same time: they share nothing.
func (v *virtual) Do(ctx context.Context, wanted Wanted, body func(context.Context, *harness.Session) record.Result) error {
	if wanted.Packets {
		return errNoPackets
	}
	return inBubble(ctx, wanted.Stage, func(inside context.Context) error {
		w, err := build(inside, wanted.Profile, wanted.Lang, v.plan(wanted, newMemory()))
		if err != nil {
			return err
		}
		body(inside, w.session)
		return w.close()
	})
}

// inBubble has a world live in virtual time, from where its stage begins; ctx, from outside, interrupts it.
func inBubble(ctx context.Context, stage Stage, live func(inside context.Context) error) (err error) {
	begin, err := stage.begin()
	if err != nil {
		return err
	}
	defer func() {
		if r := recover(); r != nil {
			err = &PanicError{Value: fmt.Sprint(r), Stack: debug.Stack()}
		}
	}()
	synctest.Test(&testing.T{}, func(*testing.T) {
		<-time.After(time.Until(begin))
		inside, cancel := context.WithCancelCause(context.Background())
		watched := make(chan struct{})
		go func() {
			defer close(watched)
			watchOutside(inside, ctx, cancel)
		}()
		defer func() { cancel(nil); <-watched }()
		err = live(inside)
	})
	return err
}

// PanicError is a defect of ours that ended a world, and with it nothing but that world.
type PanicError struct {
	Value string
	Stack []byte
}

func (e *PanicError) Error() string { return "panic: " + e.Value }

// watchOutside carries an interrupt into the bubble.
func watchOutside(inside, outside context.Context, cancel context.CancelCauseFunc) {
	ticker := time.NewTicker(outsideCheck)
	defer ticker.Stop()
	for {
		if outside.Err() != nil {
			cancel(context.Cause(outside))
			return
		}
		select {
		case <-ticker.C:
		case <-inside.Done():
			return
		}
	}
}

// plan wires a bench in memory.
func (v *virtual) plan(wanted Wanted, w wire) plan {
	theirs, ours := map[string]io.ReadWriteCloser{}, map[string]io.ReadWriteCloser{}
	for _, name := range instruments {
		theirs[name], ours[name] = memnet.Pipe()
	}
	return plan{
		wire: w,
		ails: v.options.ofHosts(),
		lines: func(name string) (*serial.Line, error) {
			return serial.New(name, ours[name]), nil
		},
		captures: v.passed,
		settings: settings{name: Virtual, uncertainty: virtualUncertainty},
		bench: func(ctx context.Context, host *hosts.Host, trust *x509.CertPool) (*bench.Bench, error) {
			return bench.Start(ctx, bench.Config{
				Profile: wanted.Profile, Lang: wanted.Lang, Host: host, Defects: v.options.Defects, Faults: v.options.ofBench(),
				Trace: wanted.Stage.Trace,
				Ports: bench.Ports{Keypad: theirs["keypad"], Card: theirs["card"], Display: theirs["display"], Power: theirs["power"], Printer: theirs["printer"]},
				Dial:  w.Dial, DialAt: w.DialAt, DialNames: w.DialNames, Trust: trust,
			})
		},
	}
}

// instruments of a simulated bench.
var instruments = []string{"keypad", "card", "display", "power", "printer"}
