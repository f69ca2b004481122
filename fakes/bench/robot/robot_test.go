package robot

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fixtures/terminals"
)

// patience bounds every wait for the robot, in virtual time.
const patience = time.Minute

func pad() terminals.Keypad {
	return terminals.Keypad{
		Keys: map[string]terminals.Key{
			"1": {X: 10, Y: 50}, "2": {X: 30, Y: 50}, "3": {X: 50, Y: 50}, "enter": {X: 50, Y: 10},
		},
		Surface: 0, Travel: 1.5, Safe: 5, Radius: 6,
	}
}

type contact struct {
	key  string
	down bool
	at   time.Time
}

func (c contact) String() string {
	if c.down {
		return "+" + c.key
	}
	return "-" + c.key
}

// host is the other end of the robot's line.
type host struct {
	t        *testing.T
	conn     net.Conn
	lines    chan string
	mu       sync.Mutex
	contacts []contact
	robot    *Robot
	done     chan error
}

// power starts a robot in the bubble and ends it with the test.
func power(t *testing.T, cfg Config) *host {
	t.Helper()
	if cfg.Keypad.Keys == nil {
		cfg.Keypad = pad()
	}
	ours, theirs := net.Pipe()
	h := &host{t: t, conn: ours, lines: make(chan string, 4096), done: make(chan error, 1)}
	h.robot = New(theirs, cfg, func(key string, down bool, at time.Time) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.contacts = append(h.contacts, contact{key, down, at})
	})
	go func() { h.done <- h.robot.Run(context.Background()) }()
	go func() {
		defer close(h.lines)
		for s := bufio.NewScanner(ours); s.Scan(); {
			h.lines <- s.Text()
		}
	}()
	synctest.Wait()
	t.Cleanup(func() {
		if err := h.robot.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := <-h.done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return h
}

// ready starts a robot, passes over its greeting and homes it.
func ready(t *testing.T, cfg Config) *host {
	t.Helper()
	h := power(t, cfg)
	h.expect("", "Grbl 1.1h ['$' for help]", "[MSG:'$H'|'$X' to unlock]")
	h.do("$H")
	return h
}

func (h *host) send(text string) {
	h.t.Helper()
	if _, err := h.conn.Write([]byte(text)); err != nil {
		h.t.Fatalf("send %q: %v", text, err)
	}
}

// read gives the next line, or fails.
func (h *host) read() string {
	h.t.Helper()
	select {
	case line, ok := <-h.lines:
		if !ok {
			h.t.Fatal("line ended")
		}
		return line
	case <-time.After(patience):
		h.t.Fatal("no answer")
	}
	return ""
}

func (h *host) expect(want ...string) {
	h.t.Helper()
	for i, w := range want {
		if got := h.read(); got != w {
			h.t.Fatalf("line %d: got %q, want %q", i, got, w)
		}
	}
}

// do sends lines one by one and wants ok for each.
func (h *host) do(lines ...string) {
	h.t.Helper()
	for _, line := range lines {
		h.send(line + "\n")
		if got := h.read(); got != "ok" {
			h.t.Fatalf("%s: got %q, want ok", line, got)
		}
	}
}

// silent wants nothing for a while.
func (h *host) silent(d time.Duration) {
	h.t.Helper()
	select {
	case line := <-h.lines:
		h.t.Fatalf("got %q, want silence", line)
	case <-time.After(d):
	}
}

func (h *host) status() string {
	h.t.Helper()
	h.send("?")
	return h.read()
}

func (h *host) wantStatus(prefix string) {
	h.t.Helper()
	if got := h.status(); !strings.HasPrefix(got, "<"+prefix) {
		h.t.Fatalf("status %q, want <%s…", got, prefix)
	}
}

// touched is what the finger did, as "+1 -1".
func (h *host) touched() string {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Trim(fmt.Sprint(h.contacts), "[]")
}

// pass lets virtual time go by.
func pass(d time.Duration) { <-time.After(d) }

// press does what a driver does: over the key, down, dwell, up.
func (h *host) press(x, y float64) {
	h.t.Helper()
	h.do("G53 G0 Z5", fmt.Sprintf("G53 G0 X%g Y%g", x, y), "G53 G1 Z-2 F2000", "G4 P0.05", "G53 G0 Z5", "G4 P0.01")
}

func TestPressWhereTheFingerIs(t *testing.T) {
	for _, tc := range []struct {
		name string
		x, y float64
		cfg  Config
		want string
	}{
		{"centre", 10, 50, Config{}, "+1 -1"},
		{"just inside", 10 + 5.99, 50, Config{}, "+1 -1"},
		{"just outside", 10 + 6.01, 50, Config{}, ""},
		{"between keys", 20, 30, Config{}, ""},
		{"keypad elsewhere", 10, 50, Config{Origin: [3]float64{20, 0, 0}}, ""},
		{"keypad elsewhere, known", 30, 50, Config{Origin: [3]float64{20, 0, 0}}, "+1 -1"},
		{"keypad too low", 10, 50, Config{Origin: [3]float64{0, 0, -1}}, ""},
		{"fast", 50, 10, Config{Motion: Fast()}, "+enter -enter"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := ready(t, tc.cfg)
				h.press(tc.x, tc.y)
				if got := h.touched(); got != tc.want {
					t.Errorf("got %q, want %q", got, tc.want)
				}
			})
		})
	}
}

// TestContactDuration repeats a measurement on the real firmware: 286 ms of contact for a dwell
// of 80 ms, because the firmware rounds it to 100 and the finger brakes and starts below the plane.
func TestContactDuration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		motion := Realistic()
		motion.Min[axisZ] = -30
		k := pad()
		k.Surface, k.Travel = -18.5, 1.5
		h := ready(t, Config{Keypad: k, Motion: motion})
		h.do("G53 G0 Z-10", "G53 G0 X10 Y50", "G4 P0")
		h.do("G53 G1 Z-21 F2000", "G4 P0.08", "G53 G0 Z-10", "G4 P0")
		if got := h.touched(); got != "+1 -1" {
			t.Fatalf("got %q", got)
		}
		got := h.contacts[1].at.Sub(h.contacts[0].at)
		if got < 264*time.Millisecond || got > 290*time.Millisecond {
			t.Errorf("contact for %v, want 264–290 ms", got)
		}
	})
}

func TestContactInstantsAreExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := ready(t, Config{})
		h.do("G53 G0 X10 Y50", "G53 G0 Z5", "G4 P0")
		start := time.Now().Add(Realistic().Line)
		h.do("G53 G1 Z-2 F600", "G4 P0") // 10 mm/s, 300 mm/s²: 1/30 s and 1/6 mm to speed
		h.touched()
		want := start.Add(seconds(1.0/30 + (6.5-1.0/6)/10))
		if d := h.contacts[0].at.Sub(want).Abs(); d > time.Microsecond {
			t.Errorf("closed at %v, want %v", h.contacts[0].at, want)
		}
	})
}

func TestDragging(t *testing.T) {
	for _, tc := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"over a row", []string{"G53 G0 X10 Y50", "G53 G0 Z-2", "G53 G0 X50"}, "+1 -1 +2 -2 +3"},
		{"past the row", []string{"G53 G0 X0 Y30", "G53 G0 Z-2", "G53 G0 X60"}, ""},
		{"grazing", []string{"G53 G0 X0 Y44.5", "G53 G0 Z-2", "G53 G0 X60"}, "+1 -1 +2 -2 +3 -3"},
		{"slanting up", []string{"G53 G0 X10 Y50", "G53 G0 Z-2", "G53 G0 X30 Z0"}, "+1 -1"},
		{"slanting down", []string{"G53 G0 X10 Y50 Z1", "G53 G0 X30 Z-2"}, "+2"},
		{"along the plane", []string{"G53 G0 X10 Y50", "G53 G0 Z-1.5", "G53 G0 X20"}, "+1 -1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := ready(t, Config{})
				h.do(tc.lines...)
				h.do("G4 P0")
				if got := h.touched(); got != tc.want {
					t.Errorf("got %q, want %q", got, tc.want)
				}
			})
		})
	}
}

func TestUnhomedRobotPressesElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := power(t, Config{})
		h.expect("", "Grbl 1.1h ['$' for help]", "[MSG:'$H'|'$X' to unlock]")
		h.send("$X\n")
		h.expect("[MSG:Caution: Unlocked]", "ok")
		h.press(10, 50)
		if got := h.touched(); got != "" {
			t.Errorf("got %q", got)
		}
	})
}

func TestFastIsFast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := power(t, Config{Motion: Fast()})
		h.expect("", "Grbl 1.1h ['$' for help]", "[MSG:'$H'|'$X' to unlock]")
		start := time.Now()
		h.do("$H")
		if took := time.Since(start); took > 60*time.Millisecond {
			t.Errorf("homing took %v", took)
		}
		h.do("G53 G0 X0 Y10", "G53 G0 Z5", "G4 P0")
		start = time.Now()
		h.do("G53 G0 X60", "G53 G1 Z-2 F3000000", "G53 G0 Z5", "G4 P0")
		if took := time.Since(start); took > 5*time.Millisecond {
			t.Errorf("a press with 60 mm of travel took %v", took)
		}
	})
}

func TestFaults(t *testing.T) {
	run := func(name string, f Faults, body func(t *testing.T, h *host)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { body(t, power(t, Config{Faults: f})) })
		})
	}
	start := func(h *host) {
		h.t.Helper()
		h.expect("", "Grbl 1.1h ['$' for help]", "[MSG:'$H'|'$X' to unlock]")
		h.do("$H")
	}
	run("dead", Faults{Dead: true}, func(t *testing.T, h *host) {
		h.send("\x18?$$\n")
		h.silent(time.Second)
	})
	run("misses", Faults{Misses: true}, func(t *testing.T, h *host) {
		start(h)
		h.press(10, 50)
		if got := h.touched(); got != "" {
			t.Errorf("got %q", got)
		}
	})
	run("alarm", Faults{AlarmAtPress: 2}, func(t *testing.T, h *host) {
		start(h)
		h.press(10, 50)
		h.do("G53 G0 X30", "G53 G1 Z-2 F2000")
		h.expect("ALARM:1", "[MSG:Reset to continue]")
		h.send("?$X\n$$\n")
		h.silent(time.Second)
		h.send("\x18")
		h.expect("", "Grbl 1.1h ['$' for help]", "[MSG:'$H'|'$X' to unlock]")
		h.do("$H")
		h.press(50, 50)
		if got := h.touched(); got != "+1 -1 +2 -2 +3 -3" {
			t.Errorf("got %q", got)
		}
	})
	run("hang", Faults{DeadAtPress: 2}, func(t *testing.T, h *host) {
		start(h)
		h.press(10, 50)
		h.do("G53 G0 X30", "G53 G1 Z-2 F2000")
		h.silent(time.Second)
		h.send("\x18?$$\n")
		h.silent(time.Minute)
		if got := h.touched(); got != "+1 -1 +2" {
			t.Errorf("got %q", got)
		}
	})
	run("garble", Faults{GarbleEvery: 5}, func(t *testing.T, h *host) {
		// Every fifth byte of "\r\nGrbl 1.1h …" has its lowest bit flipped.
		h.expect("", "Grcl 1.0h ['%' fos helq]")
	})
}

func TestEndsOfALife(t *testing.T) {
	t.Run("context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer ours.Close()
			ctx, cancel := context.WithCancel(t.Context())
			r := New(theirs, Config{}, nil)
			done := make(chan error, 1)
			go func() { done <- r.Run(ctx) }() // nobody reads: the banner blocks the writer
			synctest.Wait()
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if err := r.Run(t.Context()); !errors.Is(err, ErrClosed) {
				t.Errorf("second Run: %v", err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("host hangs up", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := power(t, Config{})
			h.conn.Close()
			synctest.Wait()
			select {
			case <-h.robot.done:
			default:
				t.Error("Run goes on")
			}
		})
	})
	t.Run("closed before Run", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer ours.Close()
			r := New(theirs, Config{}, nil)
			if err := errors.Join(r.Close(), r.Close()); err != nil {
				t.Error(err)
			}
			if err := r.Run(t.Context()); !errors.Is(err, ErrClosed) {
				t.Errorf("Run: %v", err)
			}
		})
	})
}
