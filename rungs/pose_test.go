package rungs

import (
	"math"
	"testing"

	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/calibration"
)

// TestLayFollowsTheCalibration: origin, key places and tilt together give each key's place and height.
func TestLayFollowsTheCalibration(t *testing.T) {
	p, err := terminals.Load("countertop")
	if err != nil {
		t.Fatal(err)
	}
	truth := func(u, v float64) calibration.Point { // turned by 90 degrees, shifted, tilted
		x, y := -100-v, -200+u
		return calibration.Point{X: x, Y: y, Z: -40 + 0.02*x - 0.01*y}
	}
	var taught calibration.Taught
	for _, name := range []string{"1", "CANCEL", "ENTER", "5"} {
		k := p.Keypad.Keys[name]
		taught.Check = calibration.Key{Name: name, At: truth(k.X, k.Y)}
		taught.Keys = append(taught.Keys, taught.Check)
	}
	taught.Keys = taught.Keys[:3]
	c, err := calibration.Solve(p.Keypad, taught)
	if err != nil {
		t.Fatal(err)
	}
	laid := lay(p.Keypad, rigs.Origin{X: 99}, &c)
	for name, k := range p.Keypad.Keys {
		want, at := truth(k.X, k.Y), laid.keypad.Keys[name]
		x, y := laid.origin.X+at.X, laid.origin.Y+at.Y
		z := laid.origin.Z + laid.keypad.Surface + laid.tilt.X*at.X + laid.tilt.Y*at.Y
		if math.Hypot(math.Hypot(x-want.X, y-want.Y), z-want.Z) > 1e-6 {
			t.Errorf("key %s at %g %g %g, want %+v", name, x, y, z, want)
		}
	}
	if p.Keypad.Keys["1"].X != 10 {
		t.Error("the profile was changed")
	}
	if plain := lay(p.Keypad, rigs.Origin{X: 1, Y: 2, Z: 3}, nil); plain.origin.Y != 2 || plain.tilt.X != 0 {
		t.Errorf("without a calibration: %+v", plain)
	}
}

// TestTheTablesOfDriversAgree: what a rig file may name can be opened, and the other way round.
func TestTheTablesOfDriversAgree(t *testing.T) {
	can, named := drivers(), rigs.Drivers()
	for instrument, all := range named {
		for driver := range all {
			if can[instrument][driver] == nil {
				t.Errorf("%s: a rig file may name %s, and nothing opens it", instrument, driver)
			}
		}
		if len(can[instrument]) != len(all) {
			t.Errorf("%s: %d drivers can be opened, a rig file may name %d", instrument, len(can[instrument]), len(all))
		}
	}
}
