package grbl

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// GRBL 1.1 settings that the driver needs or judges, by the name between $ and =.
const (
	settingIdleDelay  = "1"
	settingInches     = "13"
	settingSoftLimits = "20"
	settingHardLimits = "21"
	settingHoming     = "22"
	settingHomingFeed = "24"
	settingHomingSeek = "25"
	settingPullOff    = "27"
	settingRateX      = 110 // and 111, 112: Y, Z
	settingAccelX     = 120 // and 121, 122: Y, Z
	settingTravelX    = 130 // and 131, 132: Y, Z
)

// FluidNC has its machine in a configuration tree; $n are only its shadow, without $1.
const (
	fluidIdle  = "/stepping/idle_ms"
	fluidRate  = "/axes/%c/max_rate_mm_per_min"
	fluidAccel = "/axes/%c/acceleration_mm_per_sec2"
)

// alwaysPowered is the value of $1, and of FluidNC's idle_ms, that never lets the motors go.
const alwaysPowered = 255

// mmPerInch converts positions when $13 makes the controller report inches.
const mmPerInch = 25.4

// Machine is what the controller says about itself at Open.
type Machine struct {
	Banner     string     // its greeting
	Version    string     // its answer to $I, without [VER: and ]; "" when it gave none
	FluidNC    bool       // FluidNC instead of GRBL, by its version or its greeting
	Homing     bool       // $22
	SoftLimits bool       // $20
	HardLimits bool       // $21
	Inches     bool       // $13: reports positions in inches
	Powered    bool       // $1=255: motors hold their place at rest
	Rate       [3]float64 // $110 to $112: largest speed of X, Y, Z in mm/min
	Accel      [3]float64 // $120 to $122: acceleration of X, Y, Z in mm/s²
	Travel     [3]float64 // $130 to $132: length of X, Y, Z in mm; 0 when not reported
	// HomingSeek and HomingFeed are the speeds towards a switch, $25 and $24 in mm/min, and PullOff
	// the way off it, $27 in mm; 0 when not reported.
	HomingSeek, HomingFeed, PullOff float64
}

// newMachine reads the answers to $I and $$. Rates, accelerations and $22 must be in them.
func newMachine(greeting, version string, settings map[string]float64) (Machine, error) {
	m := Machine{
		Banner: greeting, Version: version, FluidNC: isFluid(greeting, version),
		SoftLimits: settings[settingSoftLimits] != 0,
		HardLimits: settings[settingHardLimits] != 0,
		Inches:     settings[settingInches] != 0,
		Powered:    settings[settingIdleDelay] == alwaysPowered || settings[fluidIdle] == alwaysPowered,
		HomingSeek: settings[settingHomingSeek], HomingFeed: settings[settingHomingFeed], PullOff: settings[settingPullOff],
	}
	homing, known := settings[settingHoming]
	if !known {
		return m, fmt.Errorf("settings: the controller reports no $%s", settingHoming)
	}
	m.Homing = homing != 0
	for axis := range 3 {
		rate, accel := strconv.Itoa(settingRateX+axis), strconv.Itoa(settingAccelX+axis)
		m.Rate[axis], m.Accel[axis] = settings[rate], settings[accel]
		if m.FluidNC {
			m.Rate[axis] = max(m.Rate[axis], settings[fluidName(fluidRate, axis)])
			m.Accel[axis] = max(m.Accel[axis], settings[fluidName(fluidAccel, axis)])
		}
		if m.Rate[axis] <= 0 || m.Accel[axis] <= 0 {
			return m, fmt.Errorf("settings: the controller reports no usable $%s or $%s", rate, accel)
		}
		m.Travel[axis] = settings[strconv.Itoa(settingTravelX+axis)]
	}
	return m, nil
}

func isFluid(greeting, version string) bool {
	return strings.Contains(version, "FluidNC") || strings.Contains(greeting, "FluidNC")
}

func fluidName(pattern string, axis int) string {
	if !strings.Contains(pattern, "%c") {
		return pattern
	}
	return fmt.Sprintf(pattern, "xyz"[axis])
}

// missing lists the settings of FluidNC's tree that must be asked for one by one.
func missing(settings map[string]float64) []string {
	names := []string{fluidIdle}
	for axis := range 3 {
		if settings[strconv.Itoa(settingRateX+axis)] <= 0 {
			names = append(names, fluidName(fluidRate, axis))
		}
		if settings[strconv.Itoa(settingAccelX+axis)] <= 0 {
			names = append(names, fluidName(fluidAccel, axis))
		}
	}
	return names
}

// Warnings says, in words for the rig's owner, what is not set as a finger over a terminal should be.
func (m Machine) Warnings() []string {
	var w []string
	for _, c := range []struct {
		fine        bool
		grbl, fluid string
	}{
		{m.Homing, "no homing ($22=0): the driver will refuse to press; fit limit switches and set $22=1",
			"no homing ($22=0): the driver will refuse to press; give each axis a homing section with cycle 1 or 2 in config.yaml"},
		{m.SoftLimits, "no soft limits ($20=0): a wrong offset drives the finger into the frame; set $20=1 and $130 to $132",
			"no soft limits ($20=0): a wrong offset drives the finger into the frame; set soft_limits: true and max_travel_mm for each axis in config.yaml"},
		{m.HardLimits, "no hard limits ($21=0): a lost step goes unnoticed until the end of travel; set $21=1",
			"no hard limits ($21=0): a lost step goes unnoticed until the end of travel; set hard_limits: true for each motor in config.yaml"},
		{m.Powered, "motors are released at rest ($1 is not 255): the finger can sink onto the keys; set $1=255",
			"motors are released at rest (idle_ms is not 255): the finger can sink onto the keys; set stepping: idle_ms: 255 in config.yaml"},
	} {
		switch {
		case c.fine:
		case m.FluidNC:
			w = append(w, c.fluid)
		default:
			w = append(w, c.grbl)
		}
	}
	return w
}

const (
	// homingMin and homingMax bound the wait for $H that is worked out from the settings.
	homingMin = 2 * time.Minute
	homingMax = 10 * time.Minute
	// searchLengths is how far GRBL looks for a switch, in lengths of the axis; locateLengths how
	// far it looks for it again, in lengths of the pull-off (config.h, HOMING_AXIS_…_SCALAR).
	searchLengths, locateLengths = 1.5, 5
	// homingReserve is allowed on top: debounce, and a controller that is not in a hurry.
	homingReserve = 1.5
)

// homingLimit is how long a homing cycle may take at most, by the machine's own settings: Z first,
// then X and Y together, each with one search and one slow approach.
func (m Machine) homingLimit() time.Duration {
	if m.HomingSeek <= 0 || m.HomingFeed <= 0 {
		return homingMin
	}
	seconds := 0.0
	for _, axis := range []int{2, 0} {
		length := m.Travel[axis]
		if axis == 0 {
			length = max(length, m.Travel[1])
		}
		seconds += 60 * (searchLengths*length/m.HomingSeek + locateLengths*m.PullOff/m.HomingFeed)
		seconds += 2 * m.HomingSeek / 60 / m.Accel[axis]
	}
	if limit := seconds * homingReserve; limit < homingMax.Seconds() {
		return max(homingMin, time.Duration(limit*float64(time.Second)))
	}
	return homingMax
}

// travel is an upper bound of the time from one place to another in a straight line.
func (m Machine) travel(from, to Point) time.Duration {
	distances := [3]float64{to.X - from.X, to.Y - from.Y, to.Z - from.Z}
	seconds := 0.0
	for axis, d := range distances {
		if d == 0 {
			continue
		}
		speed := m.Rate[axis] / 60
		seconds += math.Abs(d)/speed + speed/m.Accel[axis]
	}
	return bounded(seconds)
}

// travelMax bounds what any distance can add to a wait.
const travelMax = 5 * time.Minute

func bounded(seconds float64) time.Duration {
	if !(seconds < travelMax.Seconds()) {
		return travelMax
	}
	return time.Duration(seconds * float64(time.Second))
}

// turning is how long the finger is below the contact plane without any rest at the bottom: braking
// into the overtravel and starting again out of it.
func (m Machine) turning(overtravel, feed float64) time.Duration {
	rate, accel := m.Rate[2]/60, m.Accel[2]
	down := brake(overtravel, min(feed/60, rate), accel)
	up := brake(overtravel, rate, accel)
	return bounded(down) + bounded(up)
}

// dwell is how long the finger must rest at the bottom so that contact lasts at least wanted;
// 0 where turning takes that long already.
func (m Machine) dwell(wanted time.Duration, overtravel, feed float64) time.Duration {
	return max(0, wanted-m.turning(overtravel, feed))
}

// dwellStep is the unit to which GRBL rounds a dwell up (config.h, DWELL_TIME_STEP).
const dwellStep = 50 * time.Millisecond

// contact is the range in which the contact time lies, for an answer on the line within lineLatency.
func (m Machine) contact(wanted time.Duration, overtravel, feed float64) (shortest, longest time.Duration) {
	turning, rest := m.turning(overtravel, feed), m.dwell(wanted, overtravel, feed)
	steps := (rest + dwellStep - 1) / dwellStep
	longest = turning + steps*dwellStep + lineLatency
	if rest == 0 {
		longest = turning + lineLatency
	}
	return turning + rest, longest
}

// lineLatency is how long the lines between the plunge and the way up may hold the finger down: the controller has them by then,
// unless USB was late, and reads two.
const lineLatency = 30 * time.Millisecond

// brake is the time, in seconds, that a move takes over its last (or first) mm, with its speed
// in mm/s and its acceleration in mm/s²: sqrt(2·mm/a) where all of it is braking.
func brake(mm, speed, accel float64) float64 {
	ramp := speed * speed / (2 * accel)
	if ramp >= mm {
		return math.Sqrt(2 * mm / accel)
	}
	return (mm-ramp)/speed + speed/accel
}
