package grbl_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/keypad/grbl"
)

// isPlunge tells the line that pushes a key.
func isPlunge(line string) bool { return strings.HasPrefix(line, "G53 G1 ") }

// silentAlarm makes the controller raise a critical alarm on a line and then say nothing until
// a reset, on which the dead line's ok comes before the banner, as on real GRBL.
func silentAlarm(c *controller, code string, on func(string) bool) {
	var silent, over atomic.Bool
	c.change(overrides{
		onLine: func(line string) bool {
			if !over.Load() && !silent.Load() && on(line) {
				silent.Store(true)
				c.say("ALARM:" + code + "\r\n[MSG:Reset to continue]\r\n")
			}
			return silent.Load()
		},
		onStatus: func() (string, bool) { return "", silent.Load() },
		onReset: func() bool {
			if silent.Load() {
				c.say("ok\r\n")
				over.Store(true)
			}
			silent.Store(false)
			return false
		},
	})
}

// After the plunge was sent, whatever goes wrong, no line that plunges is sent again, the
// error says that the key may be down, and nothing is pressed until Home.
func TestAPressIsNeverRepeated(t *testing.T) {
	tests := map[string]struct {
		spoil func(c *controller)
		is    error
		alarm int
	}{
		"plunge refused, error:9":  {func(c *controller) { c.change(overrides{onLine: answer(c, isPlunge, "error:9\r\n")}) }, nil, 0},
		"plunge not answered":      {func(c *controller) { c.change(overrides{onLine: answer(c, isPlunge, "")}) }, rigs.ErrNoAnswer, 0},
		"answer damaged":           {func(c *controller) { c.change(overrides{onLine: answer(c, isPlunge, "o\x7f\r\n")}) }, rigs.ErrNoAnswer, 0},
		"critical alarm, silent":   {func(c *controller) { silentAlarm(c, "1", isPlunge) }, nil, 1},
		"alarm while it goes down": {func(c *controller) { c.change(overrides{onLine: answer(c, isPlunge, "ok\r\nALARM:3\r\n"+greeting)}) }, nil, 3},
		"restart":                  {func(c *controller) { c.change(overrides{onLine: answer(c, isPlunge, greeting)}) }, grbl.ErrRestarted, 0},
		"line lost":                {func(c *controller) { c.change(overrides{onLine: hangUp(c)}) }, rigs.ErrLost, 0},
		"dead from the plunge on": {func(c *controller) {
			c.change(overrides{onLine: func(line string) bool {
				c.deaf.Store(c.deaf.Load() || isPlunge(line))
				return c.deaf.Load()
			}})
		}, rigs.ErrNoAnswer, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				d, c := homed(t, nil)
				tt.spoil(c)
				start := time.Now()
				press, err := d.Press(t.Context(), "5")
				rigFault(t, err, grbl.ErrMaybePressed)
				if tt.is != nil {
					rigFault(t, err, tt.is)
				}
				if tt.alarm != alarmCode(err) {
					t.Errorf("alarm %d in %q, want %d", alarmCode(err), err, tt.alarm)
				}
				if press != (rigs.Press{}) || time.Since(start) > 15*time.Second {
					t.Errorf("press %v after %v", press, time.Since(start))
				}
				_, err = d.Press(t.Context(), "5")
				rigFault(t, err)
				if errors.Is(err, grbl.ErrMaybePressed) {
					t.Errorf("the second press was never sent: %v", err)
				}
				<-time.After(time.Minute) // virtual: time enough for any repeat
				if n := c.plunges(); n != 1 {
					t.Errorf("%d plunges for one press: %q", n, c.record())
				}
			})
		})
	}
}

// answer gives a line that matches an answer of its own, once.
func answer(c *controller, match func(string) bool, text string) func(string) bool {
	done := false
	return func(line string) bool {
		if done || !match(line) {
			return false
		}
		done = true
		c.say(text)
		return true
	}
}

func hangUp(c *controller) func(string) bool {
	return func(line string) bool {
		if isPlunge(line) {
			c.conn.(io.Closer).Close()
		}
		return false
	}
}

// The way up has gone out with the way down.
func TestTheFingerComesUpWhenTheLineBreaks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, c := homed(t, nil)
		c.change(overrides{onLine: hangUp(c)})
		_, err := d.Press(t.Context(), "5")
		rigFault(t, err, rigs.ErrLost)
		<-time.After(time.Minute) // virtual: time enough to come up
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.pos.Z != -40 {
			t.Errorf("the finger is at %g mm, want -40", c.pos.Z)
		}
	})
}

func TestNothingIsPressedWhenTheApproachFails(t *testing.T) {
	sideways := func(line string) bool { return strings.Contains(line, "X") }
	tests := map[string]struct {
		spoil func(c *controller)
		is    error
	}{
		"refused":   {func(c *controller) { c.change(overrides{onLine: answer(c, sideways, "error:9\r\n")}) }, nil},
		"alarm":     {func(c *controller) { c.change(overrides{onLine: answer(c, sideways, "ok\r\nALARM:2\r\n")}) }, nil},
		"no answer": {func(c *controller) { c.change(overrides{onLine: answer(c, sideways, "")}) }, rigs.ErrNoAnswer},
		"elsewhere": {func(c *controller) { c.change(overrides{onLine: answer(c, sideways, "ok\r\n")}) }, grbl.ErrPosition},
		"never at rest": {func(c *controller) {
			c.change(overrides{onStatus: func() (string, bool) { return "<Run|MPos:-180.000,-70.000,-40.000|FS:0,0>\r\n", true }})
		}, rigs.ErrNoAnswer},
		"held": {func(c *controller) {
			c.change(overrides{onStatus: func() (string, bool) { return "<Hold:0|MPos:-180.000,-70.000,-40.000>\r\n", true }})
		}, nil},
		"alarm instead of a status": {func(c *controller) {
			c.change(overrides{onStatus: func() (string, bool) { return "ALARM:1\r\n[MSG:Reset to continue]\r\n", true }})
		}, nil},
		"restart before the status": {func(c *controller) {
			c.change(overrides{onStatus: func() (string, bool) {
				return greeting + "<Idle|MPos:-180.000,-70.000,-40.000>\r\n", true
			}})
		}, grbl.ErrRestarted},
		"status unanswered": {func(c *controller) {
			c.change(overrides{onStatus: func() (string, bool) { return "", true }})
		}, rigs.ErrNoAnswer},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				d, c := homed(t, nil)
				tt.spoil(c)
				start := time.Now()
				_, err := d.Press(t.Context(), "5")
				rigFault(t, err)
				if tt.is != nil {
					rigFault(t, err, tt.is)
				}
				if strings.Contains(err.Error(), grbl.ErrMaybePressed.Error()) {
					t.Errorf("nothing was sent that presses: %v", err)
				}
				_, err = d.Press(t.Context(), "5")
				rigFault(t, err, grbl.ErrNotHomed)
				if c.plunges() != 0 || time.Since(start) > 15*time.Second {
					t.Errorf("%d plunges, after %v", c.plunges(), time.Since(start))
				}
				c.change(overrides{})
				recovers(t, d)
			})
		})
	}
}

// recovers fails unless Home makes the driver press again.
func recovers(t *testing.T, d *grbl.Driver) {
	t.Helper()
	if err := d.Home(t.Context()); err != nil {
		t.Fatalf("Home: %v", err)
	}
	if _, err := d.Press(t.Context(), "enter"); err != nil {
		t.Errorf("Press after Home: %v", err)
	}
}

func TestWrongPlaceAfterThePress(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, c := homed(t, nil)
		c.change(overrides{onLine: func(line string) bool {
			if isPlunge(line) {
				c.change(overrides{onStatus: func() (string, bool) { return "<Idle|MPos:-180.000,-70.000,-41.500|FS:0,0>\r\n", true }})
			}
			return false
		}})
		_, err := d.Press(t.Context(), "5")
		rigFault(t, err, grbl.ErrPosition, grbl.ErrMaybePressed)
		c.change(overrides{})
		recovers(t, d)
	})
}

// Alarm 1 and 2: nothing answers until 0x18, then the dead line's ok comes before the banner
// and must not pass for an answer.
func TestHomeEndsACriticalAlarm(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, c := homed(t, nil)
		silentAlarm(c, "2", isPlunge)
		if _, err := d.Press(t.Context(), "5"); alarmCode(err) != 2 {
			t.Fatalf("Press: %v", err)
		}
		rigFault(t, d.Probe(t.Context()), rigs.ErrNoAnswer)
		_, err := d.Press(t.Context(), "5")
		rigFault(t, err, grbl.ErrNotHomed)
		if alarmCode(err) != 2 {
			t.Errorf("the reason is missing in %q", err)
		}
		c.forget()
		recovers(t, d)
		if got := c.record(); !slices.Equal(got[:2], []string{"0x18", "$H"}) || slices.Contains(got, "$X") {
			t.Errorf("Home sent %q", got)
		}
	})
}

func TestAlarmBetweenTwoPresses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, c := homed(t, nil)
		c.say("ALARM:1\r\n[MSG:Reset to continue]\r\n")
		synctest.Wait()
		_, err := d.Press(t.Context(), "5")
		rigFault(t, err, grbl.ErrNotHomed)
		if alarmCode(err) != 1 || c.plunges() != 0 {
			t.Errorf("%v, %d plunges", err, c.plunges())
		}
		recovers(t, d)
		c.say(greeting) // somebody pressed the reset button
		synctest.Wait()
		_, err = d.Press(t.Context(), "5")
		rigFault(t, err, grbl.ErrNotHomed, grbl.ErrRestarted)
	})
}

func TestAStrayAnswerIsNoticed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, c := homed(t, nil)
		c.say("ok\r\n")
		synctest.Wait()
		_, err := d.Press(t.Context(), "5")
		rigFault(t, err, grbl.ErrNotHomed, grbl.ErrOutOfStep)
		recovers(t, d)
	})
}

func TestHomingFails(t *testing.T) {
	tests := map[string]struct {
		answer string
		alarm  int
		is     error
	}{
		// GRBL ends a failed cycle with a reset, and the ok of $H comes before its banner.
		"no switch":     {"ALARM:9\r\nok\r\n" + greeting, 9, nil},
		"disabled":      {"error:5\r\n", 0, grbl.ErrHomingDisabled},
		"door":          {"error:13\r\n", 0, nil},
		"never answers": {"", 0, rigs.ErrNoAnswer},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				d, c, err := open(t, pad(), nil)
				if err != nil {
					t.Fatal(err)
				}
				c.change(overrides{onLine: answer(c, func(l string) bool { return l == "$H" }, tt.answer)})
				start := time.Now()
				err = d.Home(t.Context())
				rigFault(t, err)
				if tt.is != nil {
					rigFault(t, err, tt.is)
				}
				if alarmCode(err) != tt.alarm || time.Since(start) > 130*time.Second {
					t.Errorf("after %v: %v", time.Since(start), err)
				}
				_, err = d.Press(t.Context(), "5")
				rigFault(t, err, grbl.ErrNotHomed)
				recovers(t, d)
			})
		})
	}
}

// The status is silent for all of $H; a probe then has to wait for its turn or its context.
func TestProbeDuringHoming(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, _, err := open(t, pad(), nil)
		if err != nil {
			t.Fatal(err)
		}
		home := make(chan error, 1)
		go func() { home <- d.Home(t.Context()) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		rigFault(t, d.Probe(ctx), rigs.ErrNoAnswer, context.DeadlineExceeded)
		if err := <-home; err != nil {
			t.Errorf("Home: %v", err)
		}
	})
}

func TestProbeSeesATroubledController(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, c := homed(t, nil)
		if err := d.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.change(overrides{onStatus: func() (string, bool) { return "<Door:1|MPos:0.000,0.000,0.000>\r\n", true }})
		rigFault(t, d.Probe(t.Context()))
		c.change(overrides{onStatus: func() (string, bool) { return "<Idle|MPos:1.0,2.0>\r\n<|>\r\n", true }}) // damaged
		rigFault(t, d.Probe(t.Context()), rigs.ErrNoAnswer)
		c.change(overrides{})
		recovers(t, d)
	})
}
