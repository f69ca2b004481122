package marlin

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs"
)

const (
	// DefaultBaud is what most Marlin boards are built for; USB-native boards ignore it.
	DefaultBaud = 250000
	// DefaultContact is how long a key is held when the Config does not say.
	DefaultContact = 80 * time.Millisecond
	// DefaultOvertravel is how far below the contact plane the finger goes, in mm.
	DefaultOvertravel = 0.2
	// DefaultPlungeFeed is the speed of the plunge in mm/min.
	DefaultPlungeFeed = 1500
	// ContactMax is the longest contact time that may be wanted.
	ContactMax = 5 * time.Second
)

// Point is a place in machine coordinates or an offset, in mm. Z grows upwards.
type Point = rigs.Point

// Tilt is a slope along the machine's axes, mm per mm.
type Tilt struct{ X, Y float64 }

// Config says where the keypad is and how to press it.
type Config struct {
	// Keypad is the terminal's, in coordinates of its own.
	Keypad terminals.Keypad
	// Origin is the keypad's zero in machine coordinates.
	Origin Point
	// Tilt is how much the key tops rise along X and Y, from Origin; zero for a level keypad.
	Tilt Tilt
	// Contact is how long a key is to be held at least; 0 = DefaultContact, or the keypad's
	// Debounce where that is longer.
	Contact time.Duration
	// Overtravel is how far the finger goes below the contact plane, mm; 0 = DefaultOvertravel.
	Overtravel float64
	// PlungeFeed is the speed downwards, mm/min; 0 = DefaultPlungeFeed.
	PlungeFeed float64
	// Limits bound the waits; a zero field takes its default.
	Limits Limits
}

// Limits bound every wait for the controller. DefaultLimits fit machines on a bench.
type Limits struct {
	Boot     time.Duration // opening or resetting the board → its first answer
	Settle   time.Duration // silence that ends what a controller says by itself
	Response time.Duration // a line that does not wait for movement → ok
	// Motion is allowed for a movement to end, on top of what it takes at the machine's own rates.
	Motion time.Duration
	Homing time.Duration // one G28 → ok
	Stop   time.Duration // to send M410 after a context has ended
}

// DefaultLimits gives the limits that are used where Config.Limits has zeros.
func DefaultLimits() Limits {
	return Limits{
		Boot: 20 * time.Second, Settle: 150 * time.Millisecond, Response: 5 * time.Second,
		Motion: 10 * time.Second, Homing: 3 * time.Minute, Stop: time.Second,
	}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	for _, f := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{
		{&l.Boot, d.Boot}, {&l.Settle, d.Settle}, {&l.Response, d.Response},
		{&l.Motion, d.Motion}, {&l.Homing, d.Homing}, {&l.Stop, d.Stop},
	} {
		if *f.value <= 0 {
			*f.value = f.fallback
		}
	}
	return l
}

// complete fills in the defaults and checks the rest.
func (c Config) complete() (Config, error) {
	c.Limits = c.Limits.withDefaults()
	if c.Contact == 0 {
		c.Contact = max(DefaultContact, c.Keypad.Debounce)
	}
	if c.Overtravel == 0 {
		c.Overtravel = DefaultOvertravel
	}
	if c.PlungeFeed == 0 {
		c.PlungeFeed = DefaultPlungeFeed
	}
	pad := c.Keypad
	for _, v := range []float64{pad.Surface, pad.Travel, pad.Safe, c.Origin.X, c.Origin.Y, c.Origin.Z, c.Tilt.X, c.Tilt.Y, c.Overtravel, c.PlungeFeed} {
		if !finite(v) {
			return c, errors.New("config: a length or speed is not a number")
		}
	}
	for name, key := range pad.Keys {
		if !finite(key.X) || !finite(key.Y) {
			return c, fmt.Errorf("config: key %q has no place", name)
		}
	}
	switch {
	case len(pad.Keys) == 0:
		return c, errors.New("config: the keypad has no keys")
	case pad.Safe <= pad.Surface:
		return c, fmt.Errorf("config: safe height %g mm is not above the key tops at %g mm", pad.Safe, pad.Surface)
	case pad.Travel < 0:
		return c, fmt.Errorf("config: key travel %g mm is negative", pad.Travel)
	case c.Contact < pad.Debounce:
		return c, fmt.Errorf("config: contact time %v is shorter than the terminal's debounce, %v", c.Contact, pad.Debounce)
	case c.Contact > ContactMax:
		return c, fmt.Errorf("config: contact time %v is longer than %v", c.Contact, ContactMax)
	case c.Overtravel < 0, c.PlungeFeed < 0:
		return c, fmt.Errorf("config: overtravel %g mm or plunge feed %g mm/min is negative", c.Overtravel, c.PlungeFeed)
	}
	return c, nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// rise is how much higher a tilted keypad is at a place, in its own coordinates, than at its zero.
func (c Config) rise(x, y float64) float64 { return c.Tilt.X*x + c.Tilt.Y*y }

// safeZ is the height for sideways moves, above the highest key.
func (c Config) safeZ() float64 {
	highest := math.Inf(-1)
	for _, key := range c.Keypad.Keys {
		highest = max(highest, c.rise(key.X, key.Y))
	}
	return c.Origin.Z + c.Keypad.Safe + highest
}

// above is the place over a key's centre at the safe height, in machine coordinates.
func (c Config) above(key terminals.Key) Point {
	return Point{X: c.Origin.X + key.X, Y: c.Origin.Y + key.Y, Z: c.safeZ()}
}

// bottom is the lowest point of a press on a key.
func (c Config) bottom(key terminals.Key) Point {
	p := c.above(key)
	p.Z = c.Origin.Z + c.Keypad.Surface + c.rise(key.X, key.Y) - c.Keypad.Travel - c.Overtravel
	return p
}
