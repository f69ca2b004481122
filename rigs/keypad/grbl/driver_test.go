package grbl_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/keypad/grbl"
	"github.com/assay-hil/assay/rigs/serial"
)

// bubble runs f in virtual time.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// rigFault fails unless err is a fault of the keypad that wraps every one of want.
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

func alarmCode(err error) int {
	if a := (*grbl.AlarmError)(nil); errors.As(err, &a) {
		return a.Code
	}
	return 0
}

func TestOpenFindsTheBanner(t *testing.T) {
	tests := map[string]func(*controller){
		"after our reset": nil,
		"by itself and after our reset, as on a board that its port resets": func(c *controller) { c.boots = true },
		"another wording, FluidNC": func(c *controller) {
			c.onReset = func() bool { c.say("\r\nGrbl 3.9 [FluidNC v3.9.1 (wifi) '$' for help]\r\n"); return true }
		},
		"after old answers and half lines": func(c *controller) {
			c.onReset = func() bool { c.say("3.000|FS:0,0>\r\nok\r\nerror:9\r\nok\r\n" + greeting); return true }
		},
		"only after the second reset, the first was lost in a boot loader": func(c *controller) {
			lost := false
			c.onReset = func() bool { was := lost; lost = true; return !was }
		},
		"twice, the second in the middle of $$": func(c *controller) {
			first := true
			c.onLine = func(line string) bool {
				if line == "$$" && first {
					first = false
					c.say("$0=10\r\n" + greeting)
					return true
				}
				return false
			}
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				d, _, err := open(t, pad(), change)
				if err != nil {
					t.Fatal(err)
				}
				if m := d.Machine(); !m.Homing || m.Accel[2] != 300 || !strings.HasPrefix(m.Banner, "Grbl ") || m.Warnings() != nil {
					t.Errorf("machine %+v, warnings %q", m, m.Warnings())
				}
				if d.Name() != "keypad" {
					t.Errorf("Name = %q", d.Name())
				}
				if err := d.Probe(t.Context()); err != nil {
					t.Errorf("Probe: %v", err)
				}
			})
		})
	}
}

func TestOpenFails(t *testing.T) {
	cfg := func(change func(*grbl.Config)) grbl.Config { c := pad(); change(&c); return c }
	tests := []struct {
		name   string
		cfg    grbl.Config
		change func(*controller)
		is     error
		says   string
	}{
		{"dead controller", pad(), func(c *controller) { c.deaf.Store(true) }, rigs.ErrNoAnswer, "banner"},
		{"no acceleration reported", pad(), func(c *controller) { delete(c.settings, 122) }, nil, "$122"},
		{"no homing setting", pad(), func(c *controller) { delete(c.settings, 22) }, nil, "$22"},
		{"restarts for ever", pad(), func(c *controller) {
			c.onLine = func(string) bool { c.say(greeting); return true }
		}, grbl.ErrRestarted, ""},
		{"contact shorter than debounce", cfg(func(c *grbl.Config) { c.Contact = time.Millisecond }), nil, nil, "debounce"},
		{"safe height in the keys", cfg(func(c *grbl.Config) { c.Keypad.Safe = 10 }), nil, nil, "safe height"},
		{"no keys", cfg(func(c *grbl.Config) { c.Keypad.Keys = nil }), nil, nil, "no keys"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				start := time.Now()
				_, _, err := open(t, tt.cfg, tt.change)
				rigFault(t, err)
				if tt.is != nil {
					rigFault(t, err, tt.is)
				}
				if !strings.Contains(err.Error(), tt.says) {
					t.Errorf("error %q does not say %q", err, tt.says)
				}
				if took := time.Since(start); took > 10*time.Second {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

func TestHomeThenPress(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, c, err := open(t, pad(), nil)
		if err != nil {
			t.Fatal(err)
		}
		c.forget()
		if err := d.Home(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := []string{"$H", "G21 G90 G94", "G53 G0 Z-40.000", "G4 P0.01"}
		if got := c.record(); !slices.Equal(got, want) {
			t.Errorf("Home sent %q, want %q", got, want)
		}
		c.forget()
		start := time.Now()
		press, err := d.Press(t.Context(), "5")
		if err != nil {
			t.Fatal(err)
		}
		want = []string{
			"G53 G0 X-180.000 Y-70.000", "G4 P0.01", // the finger is at the safe height already
			"G53 G1 Z-52.200 F1500.0", "G4 P0.007", "G53 G0 Z-40.000", "G4 P0.01",
		}
		if got := c.record(); !slices.Equal(got, want) {
			t.Errorf("Press sent %q, want %q", got, want)
		}
		// A movement and a synchronisation before, two movements and two dwells after.
		if begin := press.Begin.Sub(start); begin < moveTime {
			t.Errorf("Begin %v after the call: the finger was still on its way", begin)
		}
		if took := press.End.Sub(press.Begin); took < 2*moveTime || took > 2*moveTime+50*time.Millisecond {
			t.Errorf("End %v after Begin, want %v and two short dwells", took, 2*moveTime)
		}
	})
}

// What belongs together is one write: the way to the key, and down and up again.
func TestAPressIsTwoWrites(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var mu sync.Mutex
		var writes []string
		d, _, err := open(t, pad(), nil, serial.WithTrace(func(_ time.Time, out bool, p []byte) {
			mu.Lock()
			defer mu.Unlock()
			if out {
				writes = append(writes, string(p))
			}
		}))
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Home(t.Context()); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		writes = nil
		mu.Unlock()
		if _, err := d.Press(t.Context(), "5"); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		defer mu.Unlock()
		want := []string{
			"G53 G0 X-180.000 Y-70.000\nG4 P0.01\n", "?",
			"G53 G1 Z-52.200 F1500.0\nG4 P0.007\nG53 G0 Z-40.000\nG4 P0.01\n", "?",
		}
		if !slices.Equal(writes, want) {
			t.Errorf("wrote %q, want %q", writes, want)
		}
	})
}

// A refusal in the middle does not leave the finger on the key, nor the driver out of step.
func TestARefusedRestStillRaisesTheFinger(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, c := homed(t, nil)
		c.change(overrides{onLine: answer(c, func(l string) bool { return l == "G4 P0.007" }, "error:20\r\n")})
		_, err := d.Press(t.Context(), "5")
		rigFault(t, err, grbl.ErrMaybePressed)
		if got := c.record(); !slices.Contains(got, "G53 G0 Z-40.000") {
			t.Errorf("the finger stayed down: %q", got)
		}
		if refused := (*grbl.RefusedError)(nil); !errors.As(err, &refused) || refused.Code != 20 {
			t.Errorf("%v, want the refusal with code 20", err)
		}
		c.forget()
		if err := d.Halt(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := c.record(); slices.Contains(got, "0x18") {
			t.Errorf("Halt found the driver out of step: %q", got)
		}
		if _, err = d.Press(t.Context(), "5"); !errors.Is(err, grbl.ErrNotHomed) {
			t.Errorf("%v, want %v", err, grbl.ErrNotHomed)
		}
	})
}

func TestStatusIsAskedAtMostFiveTimesASecond(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var asked []time.Time
		d, _ := homed(t, func(c *controller) {
			c.onStatus = func() (string, bool) { asked = append(asked, time.Now()); return "", false }
		})
		for range 5 {
			if _, err := d.Press(t.Context(), "enter"); err != nil {
				t.Fatal(err)
			}
			if err := d.Probe(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for i := 1; i < len(asked); i++ {
			if gap := asked[i].Sub(asked[i-1]); gap < 200*time.Millisecond {
				t.Fatalf("two queries %v apart", gap)
			}
		}
	})
}

func TestPushMessagesAreNotAnswers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		chatter := "[MSG:Pgm End]\r\n>G20:ok\r\n[GC:G0 G54 ok]\r\n$N0=ok\r\n<Run|MPos:0.000,0.000,0.000|Pn:XYZ>\r\n\r\n[echo:ok]\r\n"
		d, c := homed(t, func(c *controller) {
			c.onLine = func(string) bool { c.say(chatter); return false }
		})
		for range 3 {
			if _, err := d.Press(t.Context(), "5"); err != nil {
				t.Fatal(err)
			}
		}
		if c.plunges() != 3 {
			t.Errorf("%d plunges", c.plunges())
		}
	})
}

func TestWorkPositionIsConverted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := 0
		var ctl *controller
		d, c := homed(t, func(c *controller) {
			ctl = c
			c.onStatus = func() (string, bool) {
				ctl.mu.Lock()
				defer ctl.mu.Unlock()
				n++
				wco := ""
				if n%7 == 0 { // the offset comes only now and then
					wco = "|WCO:5.000,6.000,-7.000"
				}
				return fmt.Sprintf("<Idle|WPos:%.3f,%.3f,%.3f|Bf:15,128%s>\r\n", ctl.pos.X-5, ctl.pos.Y-6, ctl.pos.Z+7, wco), true
			}
		})
		if _, err := d.Press(t.Context(), "5"); err != nil {
			t.Fatal(err)
		}
		if c.plunges() != 1 {
			t.Errorf("%d plunges", c.plunges())
		}
	})
}

func TestPressRefusesWhatItCanNotDo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, c, err := open(t, pad(), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.Press(t.Context(), "5")
		rigFault(t, err, grbl.ErrNotHomed)
		if err := d.Home(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.forget()
		_, err = d.Press(t.Context(), "Entre")
		rigFault(t, err)
		if !strings.Contains(err.Error(), `"enter"`) {
			t.Errorf("no nearest name in %q", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = d.Press(ctx, "5")
		rigFault(t, err, context.Canceled)
		if got := c.record(); got != nil {
			t.Errorf("sent %q", got)
		}
		if _, err := d.Press(t.Context(), "5"); err != nil {
			t.Errorf("a press that never began spoiled the next: %v", err)
		}
	})
}

func TestHomingDisabled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, _, err := open(t, pad(), func(c *controller) { c.settings[22] = "0" })
		if err != nil {
			t.Fatal(err)
		}
		err = d.Home(t.Context())
		rigFault(t, err, grbl.ErrHomingDisabled)
		if !strings.Contains(err.Error(), "$22=1") {
			t.Errorf("no remedy in %q", err)
		}
		if len(d.Machine().Warnings()) != 1 {
			t.Errorf("warnings: %q", d.Machine().Warnings())
		}
	})
}

func TestErrorsDoNotTellTheKey(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for _, refuse := range []string{"G53 G0 X", "G53 G1", "G4 P0.0"} {
			d, c := homed(t, nil)
			c.change(overrides{onLine: answer(c, func(l string) bool { return strings.HasPrefix(l, refuse) }, "error:24\r\n")})
			_, err := d.Press(t.Context(), "5")
			rigFault(t, err)
			for _, secret := range []string{`5"`, "-180", "-70", "X"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("error %q tells %q", err, secret)
				}
			}
		}
	})
}

func TestCloseEndsACallUnderWay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, _ := homed(t, nil)
		result := make(chan error, 1)
		go func() { _, err := d.Press(t.Context(), "5"); result <- err }()
		synctest.Wait()
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		rigFault(t, <-result, rigs.ErrClosed)
		rigFault(t, d.Probe(t.Context()), rigs.ErrClosed)
		rigFault(t, d.Halt(t.Context()), rigs.ErrClosed)
		if err := d.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
	})
}

func TestPositionsInInches(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var ctl *controller
		d, c := homed(t, func(c *controller) {
			ctl = c
			c.settings[13] = "1"
			c.onStatus = func() (string, bool) {
				ctl.mu.Lock()
				defer ctl.mu.Unlock()
				return fmt.Sprintf("<Idle|MPos:%.4f,%.4f,%.4f>\r\n", ctl.pos.X/25.4, ctl.pos.Y/25.4, ctl.pos.Z/25.4), true
			}
		})
		if _, err := d.Press(t.Context(), "5"); err != nil {
			t.Fatal(err)
		}
		if c.plunges() != 1 {
			t.Errorf("%d plunges", c.plunges())
		}
	})
}
