package rungs

import (
	"context"
	"fmt"
	"io"
	"net"
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
const outsideCheck = time.Second

// virtualUncertainty: clocks are exact, but a driver reads a line in steps.
const virtualUncertainty = time.Millisecond

// virtual builds a new world for each call, in a bubble of virtual time.
type virtual struct {
	options  Options
	profiles []*terminals.Profile
}

func newVirtual(o Options) (Rung, error) {
	profiles, err := terminals.All()
	if err != nil {
		return nil, err
	}
	return &virtual{o, profiles}, nil
}

func (v *virtual) Name() string                   { return Virtual }
func (v *virtual) Has(string) bool                { return true }
func (v *virtual) Profiles() []*terminals.Profile { return v.profiles }
func (v *virtual) Lang() string                   { return "" }
func (v *virtual) Close() error                   { return nil }

// Do runs body in a bubble. Calls may run at the same time: they share nothing.
func (v *virtual) Do(ctx context.Context, p *terminals.Profile, lang string, body func(context.Context, *harness.Session) record.Result) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &PanicError{Value: fmt.Sprint(r), Stack: debug.Stack()}
		}
	}()
	synctest.Test(&testing.T{}, func(*testing.T) {
		inside, cancel := context.WithCancelCause(context.Background())
		watched := make(chan struct{})
		go func() {
			defer close(watched)
			watchOutside(inside, ctx, cancel)
		}()
		defer func() { cancel(nil); <-watched }()
		w, openErr := build(inside, p, lang, v.plan(p, lang))
		if openErr != nil {
			err = openErr
			return
		}
		body(inside, w.session)
		err = w.close()
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
func (v *virtual) plan(p *terminals.Profile, lang string) plan {
	w := memory{memnet.New()}
	theirs, ours := map[string]io.ReadWriteCloser{}, map[string]io.ReadWriteCloser{}
	for _, name := range instruments {
		theirs[name], ours[name] = memnet.Pipe()
	}
	return plan{
		wire: w,
		lines: func(name string) (*serial.Line, error) {
			return serial.New(name, ours[name]), nil
		},
		settings: settings{name: Virtual, uncertainty: virtualUncertainty},
		bench: func(ctx context.Context, host *hosts.Host) (*bench.Bench, error) {
			return bench.Start(ctx, bench.Config{
				Profile: p, Lang: lang, Host: host, Defects: v.options.Defects, Faults: v.options.Faults,
				Ports: bench.Ports{Keypad: theirs["keypad"], Card: theirs["card"], Display: theirs["display"], Power: theirs["power"], Printer: theirs["printer"]},
				Dial:  func(ctx context.Context, _ string) (net.Conn, error) { return w.Dial(ctx, uplinkName) },
			})
		},
	}
}

// instruments of a simulated bench.
var instruments = []string{"keypad", "card", "display", "power", "printer"}
