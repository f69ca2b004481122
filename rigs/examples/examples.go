// Package examples holds commented rig files to begin with.
package examples

import _ "embed"

// Full is a lab rig with every instrument.
//
//go:embed lab.yaml
var Full string

// Minimal is a rig whose only instrument is a robot at the keypad, enough to bring it up.
//
//go:embed minimal.yaml
var Minimal string

// Human is a rig without a robot: a person presses the keys on request.
//
//go:embed human.yaml
var Human string
