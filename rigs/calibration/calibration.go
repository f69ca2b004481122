// Package calibration finds out how a keypad lies under a robot's finger: from three keys that a person
// taught, it computes where every other key is, and a fourth key shows whether that is right.
//
//	c, err := calibration.Solve(profile.Keypad, calibration.Taught{
//		Keys:  []calibration.Key{{"1", at1}, {"CANCEL", at2}, {"ENTER", at3}},
//		Check: calibration.Key{"5", at4},
//	})
//	top := c.Place(28, 47) // machine coordinates of the key top at this place of the keypad
//
// A keypad's coordinates are those of its terminal profile, in mm; a place in the machine's is the
// fingertip just touching the key's top. Between the two lies an affine map of the plane, which must
// be a turned and shifted keypad and nothing else, and a plane of heights.
package calibration

import (
	"errors"
	"fmt"
	"math"

	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/fixtures/terminals"

	"maps"
	"slices"
)

const (
	// MaxResidual is how far, in mm, the fourth key may lie from where the other three put it.
	MaxResidual = 0.5
	// maxDistortion is how much longer or shorter, or less square, the taught keypad may be than the
	// profile's: 3 % are 0.5 mm between two neighbouring keys.
	maxDistortion = 0.03
	// minArea is the smallest triangle, in mm², that three keys may form: keys in a row say nothing
	// about what lies beside them.
	minArea = 100
	// maxSlope is the steepest plane, in mm per mm: beyond it the finger strikes key edges.
	maxSlope = 0.1
)

// Point is a place in machine coordinates, mm. Z grows upwards.
type Point struct {
	X float64 `yaml:"x,required"`
	Y float64 `yaml:"y,required"`
	Z float64 `yaml:"z,required"`
}

// Key is a key and where the fingertip touched its top.
type Key struct {
	Name string
	At   Point
}

// Taught is what a person showed: three keys, and a fourth to check them.
type Taught struct {
	Keys  []Key
	Check Key
}

// Calibration maps a keypad into machine coordinates.
type Calibration struct {
	x, y, z plane
	// Residual is how far the fourth key was from where the other three put it, mm.
	Residual float64
}

// plane is c0·u + c1·v + c2.
type plane [3]float64

func (p plane) at(u, v float64) float64 { return p[0]*u + p[1]*v + p[2] }

// ErrResidual is returned when the fourth key is not where the other three put it.
var ErrResidual = errors.New("the check key is not where the three others put it")

// Place gives the machine coordinates of the key top at a place of the keypad.
func (c Calibration) Place(u, v float64) Point {
	return Point{c.x.at(u, v), c.y.at(u, v), c.z.at(u, v)}
}

// Slope is how much the key tops rise along the machine's X and Y, in mm per mm.
func (c Calibration) Slope() (dx, dy float64) {
	// z(u,v) with (u,v) as a function of (x,y): the inverse of the plane map.
	det := c.x[0]*c.y[1] - c.x[1]*c.y[0]
	return (c.z[0]*c.y[1] - c.z[1]*c.y[0]) / det, (c.z[1]*c.x[0] - c.z[0]*c.x[1]) / det
}

// Solve computes the calibration. Errors: an unknown key, with the nearest name; a key taught twice;
// three keys in a row; a keypad that would be mirrored, stretched or steep; ErrResidual.
func Solve(keypad terminals.Keypad, t Taught) (Calibration, error) {
	var c Calibration
	if len(t.Keys) != 3 {
		return c, fmt.Errorf("three keys are needed, not %d", len(t.Keys))
	}
	places, err := t.places(keypad)
	if err != nil {
		return c, err
	}
	a, b, d := places[0], places[1], places[2]
	det := (b.X-a.X)*(d.Y-a.Y) - (d.X-a.X)*(b.Y-a.Y)
	if math.Abs(det)/2 < minArea {
		return c, fmt.Errorf("the keys %s, %s and %s lie nearly in a row: choose three corners of the keypad", t.Keys[0].Name, t.Keys[1].Name, t.Keys[2].Name)
	}
	fit := func(of func(Point) float64) plane {
		f, g, h := of(t.Keys[0].At), of(t.Keys[1].At), of(t.Keys[2].At)
		p0 := ((g-f)*(d.Y-a.Y) - (h-f)*(b.Y-a.Y)) / det
		p1 := ((b.X-a.X)*(h-f) - (d.X-a.X)*(g-f)) / det
		return plane{p0, p1, f - p0*a.X - p1*a.Y}
	}
	c.x = fit(func(p Point) float64 { return p.X })
	c.y = fit(func(p Point) float64 { return p.Y })
	c.z = fit(func(p Point) float64 { return p.Z })
	if err := c.plausible(); err != nil {
		return c, err
	}
	want, got := c.Place(places[3].X, places[3].Y), t.Check.At
	c.Residual = math.Sqrt((want.X-got.X)*(want.X-got.X) + (want.Y-got.Y)*(want.Y-got.Y) + (want.Z-got.Z)*(want.Z-got.Z))
	if !(c.Residual <= MaxResidual) {
		return c, fmt.Errorf("%w: key %s is %.2f mm off (at most %.1f mm): X %+.2f, Y %+.2f, Z %+.2f; teach again, and look whether terminal and robot are fixed to the plate",
			ErrResidual, t.Check.Name, c.Residual, MaxResidual, got.X-want.X, got.Y-want.Y, got.Z-want.Z)
	}
	return c, nil
}

// places looks the taught keys up: the three, then the one to check.
func (t Taught) places(keypad terminals.Keypad) ([]terminals.Key, error) {
	var places []terminals.Key
	seen := map[string]bool{}
	for _, k := range append(slices.Clone(t.Keys), t.Check) {
		key, known := keypad.Keys[k.Name]
		switch {
		case !known:
			return nil, errors.New(strict.UnknownMessage("key", k.Name, slices.Sorted(maps.Keys(keypad.Keys))))
		case seen[k.Name]:
			return nil, fmt.Errorf("the key %s is taught twice; a key checks nothing against itself", k.Name)
		case !finite(k.At):
			return nil, fmt.Errorf("the place of key %s is not a number", k.Name)
		}
		seen[k.Name] = true
		places = append(places, key)
	}
	return places, nil
}

func finite(p Point) bool {
	sum := p.X + p.Y + p.Z
	return !math.IsNaN(sum) && !math.IsInf(sum, 0)
}

// plausible refuses a map that turns the profile's keypad into another one.
func (c Calibration) plausible() error {
	det := c.x[0]*c.y[1] - c.x[1]*c.y[0]
	if det <= 0 {
		return errors.New("the keypad would be mirrored: two of the keys were mixed up")
	}
	along, across := math.Hypot(c.x[0], c.y[0]), math.Hypot(c.x[1], c.y[1])
	if math.Abs(along-1) > maxDistortion || math.Abs(across-1) > maxDistortion {
		return fmt.Errorf("the keypad would be %.1f %% of the profile's width and %.1f %% of its height: is this terminal the profile's, and are the robot's steps per mm right?", along*100, across*100)
	}
	if skew := (c.x[0]*c.x[1] + c.y[0]*c.y[1]) / (along * across); math.Abs(skew) > maxDistortion {
		return fmt.Errorf("the keypad would not be square (%.1f°): a key was taught beside its centre", 90-math.Acos(skew)*180/math.Pi)
	}
	if dx, dy := c.Slope(); math.Hypot(dx, dy) > maxSlope {
		return fmt.Errorf("the keypad would be %.0f %% steep: level the plate, and teach every key where the fingertip just touches it", math.Hypot(dx, dy)*100)
	}
	return nil
}
