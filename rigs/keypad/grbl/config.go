package grbl

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/assay-hil/assay/fixtures/terminals"
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
type Point struct{ X, Y, Z float64 }

// Config says where the keypad is and how to press it.
type Config struct {
	// Keypad is the terminal's, in coordinates of its own.
	Keypad terminals.Keypad
	// Origin is the keypad's zero in machine coordinates.
	Origin Point
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
	Banner   time.Duration // reset → banner, per try
	Settle   time.Duration // silence after a banner before the first line
	Response time.Duration // a line that does not wait for movement → ok or error
	// Motion is allowed for a movement to end, on top of what it takes at the machine's own
	// rates ($110 to $122).
	Motion time.Duration
	Homing time.Duration // $H → ok; no status is reported meanwhile
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
		Homing:      60 * time.Second,
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
		{&l.Homing, d.Homing}, {&l.Status, d.Status}, {&l.StatusEvery, d.StatusEvery}, {&l.Stop, d.Stop},
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
	for _, v := range []float64{pad.Surface, pad.Travel, pad.Safe, c.Origin.X, c.Origin.Y, c.Origin.Z, c.Overtravel, c.PlungeFeed} {
		if !finite(v) {
			return c, errors.New("config: a length or speed is not a number")
		}
	}
	return c, nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// above is the place over a key's centre at the safe height, in machine coordinates.
func (c Config) above(x, y float64) Point {
	return Point{X: c.Origin.X + x, Y: c.Origin.Y + y, Z: c.safeZ()}
}

func (c Config) safeZ() float64 { return c.Origin.Z + c.Keypad.Safe }

// bottomZ is the lowest point of a press.
func (c Config) bottomZ() float64 {
	return c.Origin.Z + c.Keypad.Surface - c.Keypad.Travel - c.Overtravel
}
