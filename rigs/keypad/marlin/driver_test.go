package marlin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	sim "github.com/assay-hil/assay/fakes/bench/marlin"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/keypad/marlin"
	"github.com/assay-hil/assay/rigs/serial"
)

// pad is a keypad whose zero is at (40, 60, 20) of the machine.
func pad() marlin.Config {
	return marlin.Config{
		Keypad: terminals.Keypad{
			Keys:    map[string]terminals.Key{"5": {X: 20, Y: 30}, "6": {X: 40, Y: 30}, "enter": {X: 40, Y: 10}},
			Surface: 10, Travel: 2, Safe: 20, Radius: 4, Debounce: 20 * time.Millisecond,
		},
		Origin: marlin.Point{X: 40, Y: 60, Z: 20},
	}
}

// witness sees what the finger does, apart from what the controller says.
type witness struct {
	mu   sync.Mutex
	text []string
	down time.Time
	held []time.Duration
}

func (w *witness) contact(key string, down bool, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if down {
		w.text, w.down = append(w.text, "+"+key), at
		return
	}
	w.text, w.held = append(w.text, "-"+key), append(w.held, at.Sub(w.down))
}

func (w *witness) touched() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.text, " ")
}

// open connects a driver to a simulated machine, in a bubble.
func open(t *testing.T, cfg marlin.Config, machine sim.Config) (*marlin.Driver, *witness, error) {
	t.Helper()
	near, far := net.Pipe()
	return openOn(t, serial.New("robot", near), far, cfg, machine)
}

func openOn(t *testing.T, line *serial.Line, far io.ReadWriteCloser, cfg marlin.Config, machine sim.Config) (*marlin.Driver, *witness, error) {
	t.Helper()
	w := &witness{}
	machine.Keypad, machine.Origin = cfg.Keypad, [3]float64{cfg.Origin.X, cfg.Origin.Y, cfg.Origin.Z}
	robot := sim.New(far, machine, w.contact)
	gone := make(chan error, 1)
	go func() { gone <- robot.Run(context.Background()) }()
	d, err := marlin.Open(t.Context(), line, cfg)
	t.Cleanup(func() {
		if d != nil {
			if err := d.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		if err := errors.Join(robot.Close(), <-gone); err != nil && !errors.Is(err, sim.ErrClosed) && !errors.Is(err, os.ErrClosed) {
			t.Errorf("robot: %v", err)
		}
	})
	return d, w, err
}

func homed(t *testing.T, machine sim.Config) (*marlin.Driver, *witness) {
	t.Helper()
	d, w, err := open(t, pad(), machine)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	if err := d.Home(t.Context()); err != nil {
		t.Fatalf("Home: %v", err)
	}
	return d, w
}

func rigFault(t *testing.T, err error, want ...error) {
	t.Helper()
	if fault := (*rigs.Error)(nil); !errors.As(err, &fault) || fault.Instrument != "keypad" {
		t.Fatalf("not a fault of the keypad: %v", err)
	}
	for _, w := range want {
		if !errors.Is(err, w) {
			t.Errorf("error %q does not wrap %q", err, w)
		}
	}
}

func TestPressesKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, w := homed(t, sim.Config{})
		if m := d.Machine(); !strings.HasPrefix(m.Firmware, "Marlin 2.1") || !m.Emergency || m.Accel[2] != 300 || m.Warnings() != nil {
			t.Errorf("machine %+v, warnings %q", m, m.Warnings())
		}
		for _, key := range []string{"5", "6", "6", "enter"} {
			press, err := d.Press(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			if press.End.Sub(press.Begin) <= 0 || w.down.Before(press.Begin) || w.down.After(press.End) {
				t.Errorf("contact at %v is not in %v", w.down, press)
			}
		}
		if got := w.touched(); got != "+5 -5 +6 -6 +6 -6 +enter -enter" {
			t.Errorf("touched %q", got)
		}
		if err := errors.Join(d.Probe(t.Context()), d.Halt(t.Context())); err != nil {
			t.Error(err)
		}
		if d.Name() != "keypad" {
			t.Errorf("Name = %q", d.Name())
		}
	})
}

// The time that the key is closed lies in the range that Contact promises, whatever the machine.
func TestContactTime(t *testing.T) {
	for _, want := range []time.Duration{0, 40 * time.Millisecond, 200 * time.Millisecond, time.Second} {
		for name, motion := range map[string]sim.Motion{"printer": sim.Realistic(), "slow": slow(), "quick": sim.Fast()} {
			t.Run(fmt.Sprint(name, " ", want), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					cfg := pad()
					cfg.Contact = want
					d, w, err := open(t, cfg, sim.Config{Motion: motion})
					if err != nil {
						t.Fatal(err)
					}
					if err := d.Home(t.Context()); err != nil {
						t.Fatal(err)
					}
					for range 3 {
						if _, err := d.Press(t.Context(), "5"); err != nil {
							t.Fatal(err)
						}
					}
					shortest, longest := d.Contact()
					if wanted := max(want, 80*time.Millisecond); want == 0 && shortest < wanted || shortest < want {
						t.Errorf("%v is promised for %v", shortest, want)
					}
					for _, held := range w.held {
						if held < shortest-time.Millisecond || held > longest {
							t.Errorf("held for %v, promised %v to %v", held, shortest, longest)
						}
					}
				})
			})
		}
	}
}

func slow() sim.Motion {
	m := sim.Realistic()
	m.Rate, m.Accel = [3]float64{20, 20, 3}, [3]float64{50, 50, 10}
	return m
}

func TestOpen(t *testing.T) {
	dead := pad()
	dead.Limits.Boot = 10 * time.Second
	for _, tt := range []struct {
		name    string
		cfg     marlin.Config
		machine sim.Config
		is      error
		says    string
	}{
		{"slow start", pad(), sim.Config{Motion: boot(8 * time.Second)}, nil, ""},
		{"dead", dead, sim.Config{Faults: sim.Faults{Dead: true}}, rigs.ErrNoAnswer, "baud"},
		{"no keys", marlin.Config{}, sim.Config{}, nil, "no keys"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				_, _, err := open(t, tt.cfg, tt.machine)
				if tt.says == "" {
					if err != nil {
						t.Fatal(err)
					}
					return
				}
				rigFault(t, err)
				if tt.is != nil {
					rigFault(t, err, tt.is)
				}
				if !strings.Contains(err.Error(), tt.says) || time.Since(start) > 15*time.Second {
					t.Errorf("after %v: %v, want %q", time.Since(start), err, tt.says)
				}
			})
		})
	}
}

func boot(after time.Duration) sim.Motion {
	m := sim.Realistic()
	m.Boot = after
	return m
}

// Whatever happens from the plunge on, the key is pushed once at most, the error says that it may have
// been, nothing is pressed until Home, and Home works again where the machine does.
func TestAPressIsNeverRepeated(t *testing.T) {
	for name, tt := range map[string]struct {
		faults sim.Faults
		is     error
		stays  bool // the machine does not come back
	}{
		"hangs":         {sim.Faults{DeadAtPress: 1}, rigs.ErrNoAnswer, true},
		"halts itself":  {sim.Faults{KillAtPress: 1}, marlin.ErrKilled, true},
		"restarts":      {sim.Faults{RestartAtPress: 1}, marlin.ErrRestarted, false},
		"loses an ok":   {sim.Faults{LoseReplyAtPress: 1}, rigs.ErrNoAnswer, false},
		"hits a switch": {sim.Faults{EndstopAtPress: 1}, marlin.ErrEndstop, false},
		"asks a person": {sim.Faults{PauseAtPress: 1}, marlin.ErrWaits, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, w := homed(t, sim.Config{Faults: tt.faults})
				start := time.Now()
				_, err := d.Press(t.Context(), "5")
				rigFault(t, err, marlin.ErrMaybePressed, tt.is)
				if strings.Contains(err.Error(), `5"`) || strings.Contains(err.Error(), "60.000") {
					t.Errorf("error %q tells the key", err)
				}
				_, err = d.Press(t.Context(), "6")
				rigFault(t, err)
				if errors.Is(err, marlin.ErrMaybePressed) {
					t.Errorf("the second press was never sent: %v", err)
				}
				if got := w.touched(); strings.Count(got, "+") != 1 || time.Since(start) > 30*time.Second {
					t.Errorf("touched %q in %v", got, time.Since(start))
				}
				if tt.stays {
					rigFault(t, d.Halt(t.Context()))
					return
				}
				if err := d.Halt(t.Context()); err != nil {
					t.Fatalf("Halt: %v", err)
				}
				if _, err := d.Press(t.Context(), "6"); err != nil {
					t.Errorf("Press after Halt: %v", err)
				}
			})
		})
	}
}

// Garbled lines are sent again, with or without an ok behind Resend, but never a plunge.
func TestResend(t *testing.T) {
	for _, extra := range []bool{false, true} {
		for every := 2; every < 12; every++ {
			t.Run(fmt.Sprint("every ", every, " extra ok ", extra), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d, w, err := open(t, pad(), sim.Config{Faults: sim.Faults{GarbleLine: every, ExtraOK: extra}})
					if err != nil {
						rigFault(t, err)
						return
					}
					done := 0
					for range 10 {
						if err := d.Home(t.Context()); err != nil {
							rigFault(t, err)
							continue
						}
						if _, err := d.Press(t.Context(), "5"); err != nil {
							rigFault(t, err)
							continue
						}
						done++
					}
					if n := strings.Count(w.touched(), "+5"); n < done || strings.Count(w.touched(), "+") != n {
						t.Errorf("%d presses without error, touched %q", done, w.touched())
					}
					if every > 6 && done == 0 {
						t.Errorf("no press succeeded")
					}
				})
			})
		}
	}
}

func TestHomeFails(t *testing.T) {
	for name, tt := range map[string]struct {
		faults sim.Faults
		is     error
	}{
		"homes onto the keys": {sim.Faults{ZMinOnly: true}, marlin.ErrHomesDown},
		"no switch":           {sim.Faults{NoSwitch: true}, marlin.ErrKilled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, w, err := open(t, pad(), sim.Config{Faults: tt.faults})
				if err != nil {
					t.Fatal(err)
				}
				rigFault(t, d.Home(t.Context()), tt.is)
				_, err = d.Press(t.Context(), "5")
				rigFault(t, err)
				if got := w.touched(); got != "" {
					t.Errorf("touched %q", got)
				}
			})
		})
	}
}

// A target outside the travel is clipped without a word; the driver notices by the place.
func TestClippedTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := pad()
		cfg.Keypad.Keys["far"] = terminals.Key{X: 300, Y: 10}
		d, w, err := open(t, cfg, sim.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Home(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err = d.Press(t.Context(), "far")
		rigFault(t, err, marlin.ErrPosition)
		if errors.Is(err, marlin.ErrMaybePressed) || w.touched() != "" {
			t.Errorf("%v, touched %q", err, w.touched())
		}
	})
}

// Without M84 S0 the finger would sink onto the keys after two minutes.
func TestMotorsStayPowered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, w := homed(t, sim.Config{})
		<-time.After(time.Hour)
		if _, err := d.Press(t.Context(), "5"); err != nil {
			t.Fatal(err)
		}
		if got := w.touched(); got != "+5 -5" {
			t.Errorf("touched %q", got)
		}
	})
}

func TestPressRefusesWhatItCanNotDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, w, err := open(t, pad(), sim.Config{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.Press(t.Context(), "5")
		rigFault(t, err, marlin.ErrNotHomed)
		_, err = d.Press(t.Context(), "entre")
		rigFault(t, err)
		if !strings.Contains(err.Error(), `"enter"`) || w.touched() != "" {
			t.Errorf("%v, touched %q", err, w.touched())
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		rigFault(t, d.Probe(t.Context()), rigs.ErrClosed)
		rigFault(t, d.Halt(t.Context()), rigs.ErrClosed)
	})
}
