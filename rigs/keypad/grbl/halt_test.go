package grbl_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/keypad/grbl"
)

func TestHaltRaisesTheFinger(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, c := homed(t, nil)
		for range 2 {
			if err := d.Halt(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{"G53 G0 Z-40.000", "G4 P0.01", "G53 G0 Z-40.000", "G4 P0.01"}
		if got := c.record(); !slices.Equal(got, want) {
			t.Errorf("sent %q, want %q", got, want)
		}
		if _, err := d.Press(t.Context(), "5"); err != nil {
			t.Errorf("a Halt at rest cost the position: %v", err)
		}
	})
}

func TestHaltAfterARefusedDwellRaisesAndParks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, c := homed(t, nil)
		c.change(overrides{onLine: answer(c, func(l string) bool { return l == "G4 P0.007" }, "error:20\r\n")})
		_, err := d.Press(t.Context(), "5")
		rigFault(t, err, grbl.ErrMaybePressed)
		c.forget()
		if err := d.Halt(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := c.record(); !slices.Equal(got, []string{"G53 G0 Z-40.000", "G4 P0.01", "G53 G0 X-1.000 Y-1.000", "G4 P0.01"}) {
			t.Errorf("sent %q", got)
		}
		_, err = d.Press(t.Context(), "5")
		rigFault(t, err, grbl.ErrNotHomed)
	})
}

// A cancelled press stops the machine at once; Halt then brings the finger up by homing.
func TestCancelledPress(t *testing.T) {
	for name, stage := range map[string]struct {
		at    func(string) bool
		maybe bool
	}{
		"on the way to the key":     {func(l string) bool { return strings.Contains(l, "X") }, false},
		"in step, asking for place": {func(l string) bool { return l == "?" }, false},
		"at the bottom":             {func(l string) bool { return l == "G4 P0.007" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				d, c := homed(t, nil)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				hear := func(what string) bool {
					if stage.at(what) {
						cancel()
					}
					return false
				}
				c.change(overrides{onLine: hear, onStatus: func() (string, bool) {
					hear("?")
					return "", stage.at("?")
				}})
				start := time.Now()
				_, err := d.Press(ctx, "5")
				rigFault(t, err, context.Canceled)
				if took := time.Since(start); took > 2*time.Second {
					t.Errorf("returned after %v", took)
				}
				if maybe := strings.Contains(err.Error(), grbl.ErrMaybePressed.Error()); maybe != stage.maybe {
					t.Errorf("maybe pressed: %t in %q", maybe, err)
				}
				synctest.Wait()
				if got := c.record(); !slices.Equal(got[len(got)-2:], []string{"!", "0x18"}) {
					t.Errorf("the machine was not stopped: %q", got)
				}
				_, err = d.Press(t.Context(), "5")
				rigFault(t, err, grbl.ErrNotHomed)
				if errors.Is(err, context.Canceled) || errors.Is(err, grbl.ErrMaybePressed) {
					t.Errorf("the next press inherits the fate of the cancelled one: %v", err)
				}
				c.change(overrides{})
				c.forget()
				if err := d.Halt(t.Context()); err != nil {
					t.Fatalf("Halt: %v", err)
				}
				want := []string{"$H", "G21 G90 G94", "G53 G0 Z-40.000", "G4 P0.01"}
				if got := c.record(); !slices.Equal(got, want) {
					t.Errorf("Halt sent %q, want %q", got, want)
				}
				if _, err := d.Press(t.Context(), "5"); err != nil {
					t.Errorf("Press after Halt has homed: %v", err)
				}
			})
		})
	}
}

// While Home or Press is under way, Halt does not wait for its end.
func TestHaltEndsACallUnderWay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, c := homed(t, nil)
		pressed, queued := make(chan error, 1), make(chan error, 1)
		go func() { _, err := d.Press(t.Context(), "5"); pressed <- err }()
		synctest.Wait()
		go func() { _, err := d.Press(t.Context(), "enter"); queued <- err }()
		synctest.Wait()
		if err := d.Halt(t.Context()); err != nil {
			t.Fatalf("Halt: %v", err)
		}
		rigFault(t, <-pressed, grbl.ErrHalted)
		if c.plunges() > 1 { // the queued press may run after Halt, never before
			t.Errorf("%d plunges", c.plunges())
		}
		<-queued

		home := make(chan error, 1)
		go func() { home <- d.Home(t.Context()) }()
		synctest.Wait()
		if err := d.Halt(t.Context()); err != nil {
			t.Fatalf("Halt during Home: %v", err)
		}
		rigFault(t, <-home, grbl.ErrHalted)
	})
}

func TestHaltStopsAPressThatGotNoAnswer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, c := homed(t, nil)
		c.change(overrides{onLine: answer(c, isPlunge, "")})
		_, err := d.Press(t.Context(), "5")
		rigFault(t, err, rigs.ErrNoAnswer)
		c.forget()
		if err := d.Halt(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := c.record(); !slices.Equal(got[:3], []string{"!", "0x18", "$H"}) {
			t.Errorf("Halt sent %q", got)
		}
	})
}

func TestHaltHomesAFingerThatWasNeverHomed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, c, err := open(t, pad(), nil)
		if err != nil {
			t.Fatal(err)
		}
		c.forget()
		if err := d.Halt(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := c.record(); got[0] != "$H" {
			t.Errorf("sent %q", got)
		}
	})
}

func TestDeadControllerIsBounded(t *testing.T) {
	const limit = 30 * time.Second
	calls := map[string]func(context.Context, *grbl.Driver) error{
		"Home":  func(ctx context.Context, d *grbl.Driver) error { return d.Home(ctx) },
		"Press": func(ctx context.Context, d *grbl.Driver) error { _, err := d.Press(ctx, "5"); return err },
		"Probe": func(ctx context.Context, d *grbl.Driver) error { return d.Probe(ctx) },
		"Halt":  func(ctx context.Context, d *grbl.Driver) error { return d.Halt(ctx) },
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				d, c := homed(t, nil)
				c.deaf.Store(true)
				start := time.Now()
				rigFault(t, call(t.Context(), d), rigs.ErrNoAnswer)
				if took := time.Since(start); took > limit {
					t.Errorf("took %v", took)
				}
				start = time.Now()
				rigFault(t, d.Halt(t.Context()), rigs.ErrNoAnswer)
				if took := time.Since(start); took > limit {
					t.Errorf("Halt took %v", took)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				start = time.Now()
				rigFault(t, d.Halt(ctx), rigs.ErrNoAnswer)
				if took := time.Since(start); took > time.Second {
					t.Errorf("Halt with a second to go took %v", took)
				}
				c.deaf.Store(false)
				recovers(t, d)
			})
		})
	}
}

func TestLostLine(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, c := homed(t, nil)
		c.conn.(io.Closer).Close()
		synctest.Wait()
		_, err := d.Press(t.Context(), "5")
		rigFault(t, err, rigs.ErrLost)
		rigFault(t, d.Home(t.Context()), rigs.ErrLost)
		rigFault(t, d.Probe(t.Context()), rigs.ErrLost)
		rigFault(t, d.Halt(t.Context()), rigs.ErrLost)
	})
}

// A controller that reports by itself fills nothing while nobody calls, and what it said long ago is not taken for an answer.
func TestAChattyControllerIsReadBetweenCalls(t *testing.T) {
	bubble(t, func(t *testing.T) {
		d, c := homed(t, nil)
		for range 1000 {
			if _, err := io.WriteString(c.conn, "<Run|MPos:0.000,0.000,0.000|FS:0,0>\r\n"); err != nil {
				t.Fatal(err)
			}
			<-time.After(100 * time.Millisecond)
		}
		if _, err := d.Press(t.Context(), "5"); err != nil {
			t.Errorf("after many reports: %v", err)
		}
		_ = c.conn.(io.Closer).Close()
		select {
		case <-d.Ended():
		case <-time.After(time.Minute):
			t.Error("nobody noticed that the line was lost")
		}
	})
}
