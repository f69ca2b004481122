package scpi_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creack/pty"

	"github.com/assay-hil/assay/fakes/bench/supply"
	"github.com/assay-hil/assay/protocol/memnet"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/power/scpi"
	"github.com/assay-hil/assay/rigs/serial"
)

// outputs is what a supply has switched.
type outputs struct {
	mu  sync.Mutex
	all []int // 2 for on, -2 for off
}

func (o *outputs) switched(output int, on bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !on {
		output = -output
	}
	o.all = append(o.all, output)
}

func (o *outputs) take() []int {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := o.all
	o.all = nil
	return all
}

// open opens a driver on a simulated supply, in virtual time.
func open(t *testing.T, s supply.Config, cfg scpi.Config) (*scpi.Driver, *outputs, error) {
	t.Helper()
	near, far := memnet.Pipe()
	o := &outputs{}
	sim := supply.New(far, s, o.switched)
	d, err := scpi.Open(t.Context(), serial.New("power", near), cfg)
	t.Cleanup(func() {
		if d != nil {
			_ = d.Close()
		}
		_ = sim.Close()
	})
	return d, o, err
}

func TestSwitching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, o, err := open(t, supply.Config{Rise: time.Second}, scpi.Config{Channel: 2, Volts: 5})
		if err != nil || d.Firmware() != supply.Identity || d.Name() != "power" {
			t.Fatal(err, d.Firmware())
		}
		begun := time.Now()
		if err := d.On(t.Context()); err != nil || !slices.Equal(o.take(), []int{2}) {
			t.Errorf("on: %v", err)
		}
		if took := time.Since(begun); took < 900*time.Millisecond || took > 1500*time.Millisecond {
			t.Errorf("the volts were there after %v", took)
		}
		for _, step := range []struct {
			do   func(context.Context) error
			want []int
		}{{d.Off, []int{-2}}, {d.Halt, []int{2}}, {d.Halt, nil}, {d.Probe, nil}, {d.Off, []int{-2}}} {
			if err := step.do(t.Context()); err != nil {
				t.Error(err)
			}
			if got := o.take(); !slices.Equal(got, step.want) {
				t.Errorf("switched %v, want %v", got, step.want)
			}
		}
	})
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name string
		sim  supply.Config
		cfg  scpi.Config
		do   func(*scpi.Driver, context.Context) error
		is   error
		says string
	}{
		{"stuck off", supply.Config{Faults: supply.Faults{Stuck: true}}, scpi.Config{}, (*scpi.Driver).On, scpi.ErrStuck, "it reads 0"},
		{"stuck on", supply.Config{On: 1, Faults: supply.Faults{Stuck: true}}, scpi.Config{}, (*scpi.Driver).Off, scpi.ErrStuck, "it reads 1"},
		{"tripped", supply.Config{Faults: supply.Faults{Tripped: true}}, scpi.Config{}, (*scpi.Driver).On, scpi.ErrVolts, "it measures 0.00 V, wanted at least 0.5 V"},
		{"other volts", supply.Config{Volts: 9}, scpi.Config{Volts: 5}, (*scpi.Driver).On, scpi.ErrVolts, "it measures 9.00 V, wanted 5 V"},
		{"front panel locked", supply.Config{Faults: supply.Faults{Locked: true}}, scpi.Config{}, (*scpi.Driver).On, scpi.ErrStuck, `the supply says -203,"Command protected"`},
		{"no such output", supply.Config{On: 1}, scpi.Config{Channel: 7}, (*scpi.Driver).Off, scpi.ErrOutput, `1 instead of 7; the supply says -222,"Data out of range"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, o, err := open(t, c.sim, c.cfg)
				if err != nil {
					t.Fatal(err)
				}
				begun := time.Now()
				err = c.do(d, t.Context())
				if fault := (*rigs.Error)(nil); !errors.As(err, &fault) || fault.Instrument != "power" || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%v, want %v: %s", err, c.is, c.says)
				}
				if c.is == scpi.ErrOutput && len(o.take()) > 0 {
					t.Error("another output was switched")
				}
				if took := time.Since(begun); took > 5*time.Second {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

func TestOpenFails(t *testing.T) {
	for name, c := range map[string]struct {
		sim supply.Faults
		cfg scpi.Config
		is  error
	}{
		"dead":            {supply.Faults{Dead: true}, scpi.Config{}, rigs.ErrNoAnswer},
		"another talks":   {supply.Faults{Talks: true}, scpi.Config{}, scpi.ErrAnswer},
		"garbled":         {supply.Faults{Garbled: true}, scpi.Config{}, nil},
		"no such output":  {supply.Faults{}, scpi.Config{Channel: scpi.ChannelMax + 1}, nil},
		"negative output": {supply.Faults{}, scpi.Config{Channel: -1}, nil},
		"negative volts":  {supply.Faults{}, scpi.Config{Volts: -5}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, o, err := open(t, supply.Config{Faults: c.sim}, c.cfg)
				if fault := (*rigs.Error)(nil); !errors.As(err, &fault) || c.is != nil && !errors.Is(err, c.is) || len(o.take()) > 0 {
					t.Errorf("%v, want %v", err, c.is)
				}
			})
		})
	}
}

// TestLateAnswer: an answer that comes after its question was given up is not taken for the next one's.
func TestLateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The second answer is that to the first OUTP?.
		d, _, err := open(t, supply.Config{Faults: supply.Faults{SwallowsAnswer: 2}}, scpi.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Off(t.Context()); !errors.Is(err, rigs.ErrNoAnswer) {
			t.Errorf("the swallowed answer: %v", err)
		}
		if err := d.On(t.Context()); !errors.Is(err, scpi.ErrAnswer) {
			t.Errorf("two answers at once: %v", err)
		}
		if err := d.On(t.Context()); err != nil {
			t.Errorf("in step again: %v", err)
		}
	})
}

func TestEndOfTheLineAndOfTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		sim := supply.New(far, supply.Config{}, func(int, bool) {})
		d, err := scpi.Open(t.Context(), serial.New("power", near), scpi.Config{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := d.On(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		if err := sim.Close(); err != nil {
			t.Fatal(err)
		}
		<-d.Ended()
		for what, err := range map[string]error{"why": d.Err(), "probe": d.Probe(t.Context()), "on": d.On(t.Context())} {
			if !errors.Is(err, rigs.ErrLost) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestOnAPseudoTerminal(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	line, err := serial.Open(slave.Name(), serial.Mode{Baud: scpi.Baud}) // makes it raw
	slave.Close()
	if err != nil {
		t.Fatal(err)
	}
	o := &outputs{}
	sim := supply.New(master, supply.Config{}, o.switched)
	d, err := scpi.Open(t.Context(), line, scpi.Config{Volts: 5})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.On(t.Context()), d.Off(t.Context()), d.Halt(t.Context()), d.Close(), sim.Close()); err != nil || !slices.Equal(o.take(), []int{1, -1, 1}) {
		t.Error(err)
	}
}
