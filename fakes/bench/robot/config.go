package robot

import (
	"time"

	"github.com/assay-hil/assay/fixtures/terminals"
)

// Axes, as indices of every triple in this package.
const (
	axisX = iota
	axisY
	axisZ
	axisCount
)

// Motion is the machine: its box, its speeds, and how quick its firmware is. The numbers are the
// power-up values of the settings named; a host may change these settings.
type Motion struct {
	// MaxRate in mm/min, $110–$112.
	MaxRate [3]float64
	// Accel in mm/s², $120–$122.
	Accel [3]float64
	// Min and Max are the ends of the axes in machine coordinates; $130–$132 are their distances.
	Min, Max [3]float64
	// HomingSeek and HomingFeed in mm/min, $25 and $24.
	HomingSeek, HomingFeed float64
	// HomingPulloff in mm, $27.
	HomingPulloff float64
	// HomingDebounce is the pause after each homing move, $26; 255 ms at most.
	HomingDebounce time.Duration
	// Line is the time from when the end of a line comes to the start of its execution, at the earliest.
	Line time.Duration
	// DwellStep is the unit to which G4 is rounded up; 50 ms in the firmware.
	DwellStep time.Duration
	// AlarmPause is how long the firmware is deaf after ALARM:n; 500 ms. A 0x18 in the pause
	// after a critical alarm is lost.
	AlarmPause time.Duration
}

// Realistic is a small hobby machine under stock GRBL: homing takes about 6 s.
func Realistic() Motion {
	return Motion{
		MaxRate: [3]float64{5000, 5000, 2000},
		Accel:   [3]float64{300, 300, 300},
		Min:     [3]float64{-5, -5, -20}, Max: [3]float64{150, 150, 30},
		HomingSeek: 2500, HomingFeed: 100, HomingPulloff: 1, HomingDebounce: 250 * time.Millisecond,
		Line: 3 * time.Millisecond, DwellStep: 50 * time.Millisecond, AlarmPause: 500 * time.Millisecond,
	}
}

// Fast is the same machine without inertia worth the name, for runs in real time: 60 mm take
// less than 3 ms, homing about 25 ms. Feed rates given by the host still hold.
func Fast() Motion {
	return Motion{
		MaxRate: [3]float64{3e6, 3e6, 3e6},
		Accel:   [3]float64{1e8, 1e8, 1e8},
		Min:     [3]float64{-5, -5, -20}, Max: [3]float64{150, 150, 30},
		HomingSeek: 3e6, HomingFeed: 1e6, HomingPulloff: 1, HomingDebounce: time.Millisecond,
		DwellStep: 5 * time.Millisecond, AlarmPause: 5 * time.Millisecond,
	}
}

// Stock is a machine as GRBL's own default settings have it (defaults.h, generic): 200 mm axes in negative
// coordinates, 500 mm/min, 10 mm/s². A homing cycle takes up to a minute.
func Stock() Motion {
	return Motion{
		MaxRate:    [3]float64{500, 500, 500},
		Accel:      [3]float64{10, 10, 10},
		Min:        [3]float64{-200, -200, -200},
		HomingSeek: 500, HomingFeed: 25, HomingPulloff: 1, HomingDebounce: 250 * time.Millisecond,
		Line: 3 * time.Millisecond, DwellStep: 50 * time.Millisecond, AlarmPause: 500 * time.Millisecond,
	}
}

// Firmware is what runs on the controller.
type Firmware string

const (
	// GRBL is GRBL 1.1h, the default.
	GRBL Firmware = ""
	// FluidNC is FluidNC as far as a keypad's driver sees it: another greeting and version, a longer
	// receive buffer, $20 to $22 and $100 to $132 as shadows that can't be written, and the
	// rest of the machine in a tree of names.
	FluidNC Firmware = "FluidNC"
)

// Config says what machine stands over what keypad, and what is wrong with it.
type Config struct {
	Keypad terminals.Keypad
	// Origin is the keypad's zero in machine coordinates, mm.
	Origin [3]float64
	// Motion; the zero value means Realistic.
	Motion   Motion
	Firmware Firmware
	Faults   Faults
}

// Faults are the misbehaviours of the robot. A plunge is the finger going down through the
// contact plane (Surface − Travel), over a key or not; plunges are counted from 1.
type Faults struct {
	// Dead never answers, not even with a banner, and never moves.
	Dead bool
	// Misses answers and moves as it should, but the plunger closes no key.
	Misses bool
	// AlarmAtPress is the plunge at which a limit switch seems to close: the key closes, the
	// steppers are cut, ALARM:1, then silence until 0x18. It happens once. 0 is never.
	AlarmAtPress int
	// DeadAtPress is the plunge at which the controller hangs: the key closes, the finger stays
	// where it is, nothing is answered ever again. 0 is never.
	DeadAtPress int
	// RestartAtPress is the plunge at which the controller's supply fails for a moment: the key
	// closes, the finger stays where it is, the greeting comes again. It happens once. 0 is never.
	RestartAtPress int
	// LoseReplyAtPress is the plunge of which the ok is lost on the line; the press goes on. It
	// happens once. 0 is never.
	LoseReplyAtPress int
	// NoSwitch: homing finds no switch (ALARM:9).
	NoSwitch bool
	// EndlessHoming: a homing cycle never ends and nothing answers meanwhile but 0x18.
	EndlessHoming bool
	// LosesFirstReset: the first 0x18 is lost, as in the boot loader of a board that its port resets.
	LosesFirstReset bool
	// GarbleEvery flips a bit of every nth byte sent. 0 is never.
	GarbleEvery int
}

// Contact is called when the plunger closes (down) or opens a key, with the instant at which it
// happens; contacts are not debounced. Calls come one at a time, in order of time, from the robot's own
// goroutines: it must not block, and must not call Close.
type Contact func(key string, down bool, at time.Time)
