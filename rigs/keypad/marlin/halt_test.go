package marlin_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	sim "github.com/assay-hil/assay/fakes/bench/marlin"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/keypad/marlin"
)

func TestHaltEndsACallUnderWay(t *testing.T) {
	for _, emergency := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			cfg := pad()
			cfg.Contact = 4 * time.Second
			d, w, err := open(t, cfg, sim.Config{Faults: sim.Faults{NoEmergency: !emergency}})
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Home(t.Context()); err != nil {
				t.Fatal(err)
			}
			pressed := make(chan error, 1)
			go func() { _, err := d.Press(t.Context(), "5"); pressed <- err }()
			for w.touched() == "" {
				<-time.After(10 * time.Millisecond)
			}
			if err := d.Halt(t.Context()); err != nil {
				t.Fatalf("Halt: %v", err)
			}
			rigFault(t, <-pressed, marlin.ErrHalted, marlin.ErrMaybePressed)
			if got := w.touched(); got != "+5 -5" {
				t.Errorf("touched %q", got)
			}
			if _, err := d.Press(t.Context(), "6"); err != nil {
				t.Errorf("Press after Halt: %v", err)
			}
		})
	}
}

func TestCancelledPress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, w := homed(t, sim.Config{})
		for after := 50 * time.Millisecond; after < 10*time.Second; after += 150 * time.Millisecond {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			start := time.Now()
			_, err := d.Press(ctx, "5")
			if took := time.Since(start); took > after+2*time.Second {
				t.Errorf("returned %v after a deadline of %v", took, after)
			}
			cancel()
			if err == nil {
				return
			}
			rigFault(t, err, context.DeadlineExceeded, rigs.ErrNoAnswer)
			_, err = d.Press(t.Context(), "5")
			rigFault(t, err, marlin.ErrNotHomed)
			if err := d.Halt(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		t.Errorf("no press ever ended: %q", w.touched())
	})
}

// Jog and Lift lead the finger for teaching; a slip of the decimal point is refused.
func TestJogAndLift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, w := homed(t, sim.Config{})
		before, err := d.Lift(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		at, err := d.Jog(t.Context(), marlin.Point{X: 12.5, Y: 3, Z: -5})
		if err != nil || at != (marlin.Point{X: before.X + 12.5, Y: before.Y + 3, Z: before.Z - 5}) {
			t.Errorf("from %v to %v, %v", before, at, err)
		}
		_, err = d.Jog(t.Context(), marlin.Point{X: 1250})
		rigFault(t, err)
		_, err = d.Jog(t.Context(), marlin.Point{X: 250}) // beyond the soft endstops: clipped
		rigFault(t, err, marlin.ErrPosition)
		if w.touched() != "" {
			t.Errorf("touched %q", w.touched())
		}
	})
}
