package grbl

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs"
)

const (
	// DefaultContact is how long a key is held when the Config does not say.
	DefaultContact = 80 * time.Millisecond
	// DefaultOvertravel is how far below the contact plane the finger goes, in mm: enough for
	// the bend of a finger and a pad that is not quite level, little enough to be over in time.
	DefaultOvertravel = 0.2
	// DefaultPlungeFeed is the speed of the plunge in mm/min.
	DefaultPlungeFeed = 1500
	// ContactMax is the longest contact time that may be wanted.
	ContactMax = 5 * time.Second
)

// Point is a place in machine coordinates or an offset, in mm. Z grows upwards. Machine
// coordinates are negative on most machines.
type Point = rigs.Point

// Tilt is a slope along the machine's axes, mm per mm.
type Tilt struct{ X, Y float64 }

// Config says where the keypad is and how to press it.
type Config struct {
	// Keypad is the terminal's, in coordinates of its own.
	Keypad terminals.Keypad
	// Origin is the keypad's zero in machine coordinates.
	Origin Point
	// Tilt is how much the key tops rise along X and Y, mm per mm from Origin; zero for a level keypad.
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

	// lowest and highest are how much those keys differ from the keypad's zero, 0 for a level one.
	lowest, highest float64
}

// Limits bound every wait for the controller. DefaultLimits fit machines on a bench.
type Limits struct {
	Banner   time.Duration // reset → banner, per try
	Settle   time.Duration // silence after a banner before the first line
	Response time.Duration // a line that does not wait for movement → ok or error
	// Motion is allowed for a movement to end, on top of what it takes at the machine's own
	// rates ($110 to $122).
	Motion time.Duration
	// Homing is for $H → ok; no status is reported meanwhile. 0 is worked out from the machine's own
	// settings: what it takes at the worst and half as much again, at least 2 minutes.
	Homing time.Duration
	Status time.Duration // ? → report, per try
	// StatusEvery is the shortest time between two status queries. GRBL asks for at most 5 a second.
	StatusEvery time.Duration
	Stop        time.Duration // to send feed hold and reset after a context has ended
}

// DefaultLimits gives the limits that are used where Config.Limits has zeros.
func DefaultLimits() Limits {
	return Limits{
		Banner:      3 * time.Second,
		Settle:      100 * time.Millisecond,
		Response:    5 * time.Second,
		Motion:      10 * time.Second,
		Status:      time.Second,
		StatusEvery: 200 * time.Millisecond,
		Stop:        time.Second,
	}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	for _, f := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{
		{&l.Banner, d.Banner}, {&l.Settle, d.Settle}, {&l.Response, d.Response}, {&l.Motion, d.Motion},
		{&l.Status, d.Status}, {&l.StatusEvery, d.StatusEvery}, {&l.Stop, d.Stop},
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
	for name, key := range pad.Keys {
		if !finite(key.X) || !finite(key.Y) {
			return c, fmt.Errorf("config: key %q has no place", name)
		}
	}
	for _, v := range []float64{pad.Surface, pad.Travel, pad.Safe, c.Origin.X, c.Origin.Y, c.Origin.Z, c.Overtravel, c.PlungeFeed, c.Tilt.X, c.Tilt.Y} {
		if !finite(v) {
			return c, errors.New("config: a length or speed is not a number")
		}
	}
	c.lowest, c.highest = c.rises()
	return c, nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// above is the place over a key's centre at the safe height, in machine coordinates.
func (c Config) above(x, y float64) Point {
	return Point{X: c.Origin.X + x, Y: c.Origin.Y + y, Z: c.safeZ()}
}

// safeZ is the height for sideways moves, above the highest key.
func (c Config) safeZ() float64 {
	return c.Origin.Z + c.Keypad.Safe + c.highest
}

// bottomZ is the lowest point of any press.
func (c Config) bottomZ() float64 {
	return c.Origin.Z + c.Keypad.Surface + c.lowest - c.Keypad.Travel - c.Overtravel
}

// bottomAt is the lowest point of a press on the key below a place in machine coordinates.
func (c Config) bottomAt(above Point) float64 {
	return c.Origin.Z + c.Keypad.Surface + c.rise(above.X-c.Origin.X, above.Y-c.Origin.Y) - c.Keypad.Travel - c.Overtravel
}

// rises gives how much the lowest and the highest key differ from the keypad's zero, and 0 for a level one.
func (c Config) rises() (lowest, highest float64) {
	first := true
	for _, key := range c.Keypad.Keys {
		rise := c.rise(key.X, key.Y)
		if first {
			lowest, highest, first = rise, rise, false
		}
		lowest, highest = min(lowest, rise), max(highest, rise)
	}
	return lowest, highest
}

// rise is how much higher a tilted keypad is at a place than at its zero.
func (c Config) rise(x, y float64) float64 { return c.Tilt.X*x + c.Tilt.Y*y }
