package marlin

import (
	"time"

	"github.com/assay-hil/assay/fixtures/terminals"
)

// vector is X, Y, Z in mm, mm/s or mm/s².
type vector = [3]float64

// Motion is the machine and how quick its firmware is.
type Motion struct {
	Rate, Accel vector        // M203 in mm/s, M201 in mm/s²
	Box         vector        // the axes go from 0 to here, mm
	HomingRate  float64       // mm/s
	Boot        time.Duration // from power or reset to the greeting
	FirstMove   time.Duration // how long the first movement after a rest is held back
	IdleTimeout time.Duration // motors let go after so long without movement; M84 S0 ends that
	BusyEvery   time.Duration // between two busy messages
	Line        time.Duration // to take up a line
}

// Realistic is a printer's mechanics with stock settings.
func Realistic() Motion {
	return Motion{
		Rate: vector{200, 200, 20}, Accel: vector{1500, 1500, 300}, Box: vector{200, 200, 120}, HomingRate: 20,
		Boot: 1500 * time.Millisecond, FirstMove: 100 * time.Millisecond, IdleTimeout: 2 * time.Minute,
		BusyEvery: 2 * time.Second, Line: 2 * time.Millisecond,
	}
}

// Fast is the same machine without inertia worth the name, for runs in real time.
func Fast() Motion {
	m := Realistic()
	m.Rate, m.Accel, m.HomingRate = vector{5e4, 5e4, 5e4}, vector{1e8, 1e8, 1e8}, 5e4
	m.Boot, m.FirstMove, m.Line = 5*time.Millisecond, time.Millisecond, 0
	return m
}

// Config says what machine stands over what keypad, and what is wrong with it.
type Config struct {
	Keypad terminals.Keypad
	// Origin is the keypad's zero in machine coordinates, mm.
	Origin vector
	// Motion; the zero value means Realistic.
	Motion Motion
	Faults Faults
}

// Faults are the misbehaviours of the robot. A plunge is the finger going down through the contact plane,
// counted from 1; 0 is never.
type Faults struct {
	Dead             bool // never answers
	ZMinOnly         bool // its only Z switch is at the keys
	NoSwitch         bool // homing fails, and Marlin halts itself
	NoEmergency      bool // built without EMERGENCY_PARSER: M410 acts when its turn comes
	ExtraOK          bool // Resend has an ok behind it
	GarbleLine       int  // every nth line that comes in has a bit flipped
	DeadAtPress      int  // hangs, the finger stays where it is
	KillAtPress      int  // halts itself
	RestartAtPress   int  // its supply fails for a moment
	LoseReplyAtPress int  // the ok of the line under way is lost; the press goes on
	EndstopAtPress   int  // a switch seems to close: the movement ends there
	PauseAtPress     int  // waits for a person at its screen
	Misses           bool // moves as it should, but the plunger closes no key
}

// Contact is called when the plunger closes (down) or opens a key, with the instant at which it
// happens. Calls come one at a time, in order of time, from the robot's own goroutine: it must not
// block, and must not call Close.
type Contact func(key string, down bool, at time.Time)
