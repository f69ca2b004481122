package grbl_test

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
	"time"

	"github.com/assay-hil/assay/fakes/bench/robot"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/keypad/grbl"
	"github.com/assay-hil/assay/rigs/serial"
)

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

// over puts the keypad where the simulated machine can reach it.
func over(origin grbl.Point) grbl.Config {
	cfg := pad()
	cfg.Origin = origin
	return cfg
}

var (
	// shifted is for machines whose box begins near zero, negative for stock ones.
	shifted  = grbl.Point{X: 20, Y: 20, Z: -5}
	negative = grbl.Point{X: -150, Y: -150, Z: -60}
)

// machine connects a driver to a simulated robot over a line of memory. Call it inside a bubble.
func machine(t *testing.T, cfg grbl.Config, m robot.Config) (*grbl.Driver, *witness, error) {
	t.Helper()
	near, far := net.Pipe()
	return machineOn(t, serial.New("robot", near), far, cfg, m)
}

func machineOn(t *testing.T, line *serial.Line, far io.ReadWriteCloser, cfg grbl.Config, m robot.Config) (*grbl.Driver, *witness, error) {
	t.Helper()
	w := &witness{}
	m.Keypad, m.Origin = cfg.Keypad, [3]float64{cfg.Origin.X, cfg.Origin.Y, cfg.Origin.Z}
	r := robot.New(far, m, w.contact)
	gone := make(chan error, 1)
	go func() { gone <- r.Run(context.Background()) }()
	d, err := grbl.Open(t.Context(), line, cfg)
	t.Cleanup(func() {
		if d != nil {
			if err := d.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		if err := errors.Join(r.Close(), <-gone); err != nil && !errors.Is(err, os.ErrClosed) && !errors.Is(err, robot.ErrClosed) {
			t.Errorf("robot: %v", err)
		}
	})
	return d, w, err
}

// The time that the key is closed lies in the range that Contact promises, whatever the machine. The
// simulator works it out from the machine's movement, not from what the driver sent.
func TestContactTime(t *testing.T) {
	machines := map[string]struct {
		motion robot.Motion
		origin grbl.Point
	}{
		"hobby": {robot.Realistic(), shifted}, "stock": {robot.Stock(), negative}, "without inertia": {robot.Fast(), shifted},
	}
	for name, m := range machines {
		for _, want := range []time.Duration{0, 40 * time.Millisecond, 210 * time.Millisecond, time.Second} {
			for _, feed := range []float64{0, 300, 6000} {
				t.Run(fmt.Sprint(name, " ", want, " at ", feed), func(t *testing.T) {
					bubble(t, func(t *testing.T) {
						cfg := over(m.origin)
						cfg.Contact, cfg.PlungeFeed = want, feed
						d, w, err := machine(t, cfg, robot.Config{Motion: m.motion})
						if err != nil {
							t.Fatal(err)
						}
						if err := d.Home(t.Context()); err != nil {
							t.Fatal(err)
						}
						for range 2 {
							if _, err := d.Press(t.Context(), "5"); err != nil {
								t.Fatal(err)
							}
						}
						shortest, longest := d.Contact()
						if shortest < want || want == 0 && shortest < grbl.DefaultContact {
							t.Errorf("%v is promised for %v", shortest, want)
						}
						for _, held := range w.held {
							if held < shortest-time.Millisecond || held > longest {
								t.Errorf("held for %v, promised %v to %v", held, shortest, longest)
							}
						}
						if got := w.touched(); got != "+5 -5 +5 -5" {
							t.Errorf("touched %q", got)
						}
					})
				})
			}
		}
	}
}

// The wait for homing follows the machine's own settings: a slow one takes minutes.
func TestSlowMachineHomes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		slow := robot.Stock()
		slow.HomingSeek = 60
		d, _, err := machine(t, over(negative), robot.Config{Motion: slow})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := d.Home(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < 2*time.Minute {
			t.Errorf("homing took %v: this machine is not slow enough to prove anything", took)
		}
	})
}

// From the plunge on: one push at most, ErrMaybePressed, no press until Home, and Home brings all back.
func TestSimulatedFailures(t *testing.T) {
	for name, tt := range map[string]struct {
		faults robot.Faults
		is     error
		alarm  int
		dead   bool
	}{
		"critical alarm": {robot.Faults{AlarmAtPress: 1}, nil, 1, false},
		"hangs":          {robot.Faults{DeadAtPress: 1}, rigs.ErrNoAnswer, 0, true},
		"restarts":       {robot.Faults{RestartAtPress: 1}, grbl.ErrRestarted, 0, false},
		"loses an ok":    {robot.Faults{LoseReplyAtPress: 1}, rigs.ErrNoAnswer, 0, false},
	} {
		for _, firmware := range []robot.Firmware{robot.GRBL, robot.FluidNC} {
			t.Run(fmt.Sprint(name, " ", firmware), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					d, w, err := machine(t, over(shifted), robot.Config{Firmware: firmware, Faults: tt.faults})
					if err != nil {
						t.Fatal(err)
					}
					if err := d.Home(t.Context()); err != nil {
						t.Fatal(err)
					}
					_, err = d.Press(t.Context(), "5")
					rigFault(t, err, grbl.ErrMaybePressed)
					if tt.is != nil {
						rigFault(t, err, tt.is)
					}
					if alarmCode(err) != tt.alarm {
						t.Errorf("alarm %d in %q", alarmCode(err), err)
					}
					_, err = d.Press(t.Context(), "enter")
					rigFault(t, err)
					if got := strings.Count(w.touched(), "+"); got != 1 {
						t.Errorf("touched %q", w.touched())
					}
					if tt.dead {
						rigFault(t, d.Halt(t.Context()), rigs.ErrNoAnswer)
						return
					}
					if err := d.Halt(t.Context()); err != nil {
						t.Fatalf("Halt: %v", err)
					}
					recovers(t, d)
				})
			})
		}
	}
}

func TestSimulatedHomingFailures(t *testing.T) {
	for name, tt := range map[string]struct {
		faults robot.Faults
		alarm  int
		is     error
	}{
		"no switch":  {robot.Faults{NoSwitch: true}, 9, nil},
		"never ends": {robot.Faults{EndlessHoming: true}, 0, rigs.ErrNoAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				d, _, err := machine(t, over(shifted), robot.Config{Faults: tt.faults})
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				err = d.Home(t.Context())
				rigFault(t, err)
				if alarmCode(err) != tt.alarm || tt.is != nil && !errors.Is(err, tt.is) {
					t.Errorf("Home: %v", err)
				}
				if took := time.Since(start); took > 3*time.Minute {
					t.Errorf("took %v", took)
				}
				_, err = d.Press(t.Context(), "5")
				rigFault(t, err, grbl.ErrNotHomed)
			})
		})
	}
}

func TestFirstResetIsLost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, _, err := machine(t, over(shifted), robot.Config{Faults: robot.Faults{LosesFirstReset: true}})
		if err != nil {
			t.Fatal(err)
		}
		recovers(t, d)
	})
}

func TestFluidNC(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, w, err := machine(t, over(shifted), robot.Config{Firmware: robot.FluidNC})
		if err != nil {
			t.Fatal(err)
		}
		m := d.Machine()
		if !m.FluidNC || !strings.Contains(m.Version, "FluidNC v3.9.1") || !m.Powered || m.Accel[2] != 300 || m.Warnings() != nil {
			t.Errorf("machine %+v, warnings %q", m, m.Warnings())
		}
		recovers(t, d)
		if w.touched() != "+enter -enter" {
			t.Errorf("touched %q", w.touched())
		}
	})
}

// Halt leaves the finger up and away from the keys, and says nothing when it has no time to park.
func TestHaltParks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, _, err := machine(t, over(shifted), robot.Config{})
		if err != nil {
			t.Fatal(err)
		}
		recovers(t, d)
		for _, limit := range []time.Duration{2500 * time.Millisecond, time.Minute} {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			start := time.Now()
			if err := d.Halt(ctx); err != nil {
				t.Fatal(err)
			}
			took := time.Since(start)
			cancel()
			if parked := took > time.Second; parked != (limit == time.Minute) {
				t.Errorf("with %v Halt took %v", limit, took)
			}
		}
		if _, err := d.Press(t.Context(), "5"); err != nil {
			t.Errorf("parking cost the position: %v", err)
		}
	})
}
