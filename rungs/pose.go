package rungs

import (
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/calibration"
	"github.com/assay-hil/assay/rigs/keypad/grbl"
)

// pose is a keypad as a robot sees it: shifted by Origin, and tilted.
type pose struct {
	keypad terminals.Keypad
	origin grbl.Point
	tilt   grbl.Tilt
}

// lay gives the pose of a keypad that lies as it was calibrated or, without a calibration, level at its
// origin.
func lay(keypad terminals.Keypad, origin rigs.Origin, c *calibration.Calibration) pose {
	if c == nil {
		return pose{keypad: keypad, origin: grbl.Point(origin)}
	}
	// The robot's own axes, from the machine coordinates of the keypad's zero.
	zero := c.Place(0, 0)
	p := pose{keypad: keypad, origin: grbl.Point{X: zero.X, Y: zero.Y, Z: zero.Z - keypad.Surface}}
	p.tilt.X, p.tilt.Y = c.Slope()
	p.keypad.Keys = make(map[string]terminals.Key, len(keypad.Keys))
	for name, key := range keypad.Keys {
		at := c.Place(key.X, key.Y)
		key.X, key.Y = at.X-zero.X, at.Y-zero.Y
		p.keypad.Keys[name] = key
	}
	return p
}
