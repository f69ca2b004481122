package grbl

import (
	"fmt"
	"math"
	"time"
)

// GRBL 1.1 settings that the driver needs or judges.
const (
	settingIdleDelay  = 1
	settingInches     = 13
	settingSoftLimits = 20
	settingHardLimits = 21
	settingHoming     = 22
	settingRateX      = 110 // and 111, 112: Y, Z
	settingAccelX     = 120 // and 121, 122: Y, Z
)

// alwaysPowered is the value of $1 that never lets the motors go.
const alwaysPowered = 255

// mmPerInch converts positions when $13 makes the controller report inches.
const mmPerInch = 25.4

// Machine is what the controller says about itself at Open.
type Machine struct {
	Banner     string     // its greeting, with the version
	Homing     bool       // $22
	SoftLimits bool       // $20
	HardLimits bool       // $21
	Inches     bool       // $13: reports positions in inches
	Powered    bool       // $1=255: motors hold their place at rest
	Rate       [3]float64 // $110 to $112: largest speed of X, Y, Z in mm/min
	Accel      [3]float64 // $120 to $122: acceleration of X, Y, Z in mm/s²
}

// newMachine reads the answer to $$. Rates, accelerations and $22 must be in it.
func newMachine(greeting string, settings map[int]float64) (Machine, error) {
	m := Machine{
		Banner:     greeting,
		SoftLimits: settings[settingSoftLimits] != 0,
		HardLimits: settings[settingHardLimits] != 0,
		Inches:     settings[settingInches] != 0,
		Powered:    settings[settingIdleDelay] == alwaysPowered,
	}
	homing, known := settings[settingHoming]
	if !known {
		return m, fmt.Errorf("settings: the controller reports no $%d", settingHoming)
	}
	m.Homing = homing != 0
	for axis := range 3 {
		m.Rate[axis], m.Accel[axis] = settings[settingRateX+axis], settings[settingAccelX+axis]
		if m.Rate[axis] <= 0 || m.Accel[axis] <= 0 {
			return m, fmt.Errorf("settings: the controller reports no usable $%d or $%d", settingRateX+axis, settingAccelX+axis)
		}
	}
	return m, nil
}

// Warnings says, in words for the rig's owner, what is not set as a finger over a terminal should be.
func (m Machine) Warnings() []string {
	var w []string
	for _, c := range []struct {
		fine   bool
		advice string
	}{
		{m.Homing, "no homing ($22=0): the driver will refuse to press; fit limit switches and set $22=1"},
		{m.SoftLimits, "no soft limits ($20=0): a wrong offset drives the finger into the frame; set $20=1 and $130 to $132"},
		{m.HardLimits, "no hard limits ($21=0): a lost step goes unnoticed until the end of travel; set $21=1"},
		{m.Powered, "motors are released at rest ($1 is not 255): the finger can sink onto the keys; set $1=255"},
	} {
		if !c.fine {
			w = append(w, c.advice)
		}
	}
	return w
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

// dwell is how long the finger must rest at the bottom so that contact lasts at least wanted;
// 0 where braking into the overtravel and starting again out of it take that long already.
func (m Machine) dwell(wanted time.Duration, overtravel, feed float64) time.Duration {
	rate, accel := m.Rate[2]/60, m.Accel[2]
	down := brake(overtravel, min(feed/60, rate), accel)
	up := brake(overtravel, rate, accel)
	return max(0, wanted-bounded(down)-bounded(up))
}

// brake is the time, in seconds, that a move takes over its last (or first) mm, with its speed
// in mm/s and its acceleration in mm/s²: sqrt(2·mm/a) where all of it is braking.
func brake(mm, speed, accel float64) float64 {
	ramp := speed * speed / (2 * accel)
	if ramp >= mm {
		return math.Sqrt(2 * mm / accel)
	}
	return (mm-ramp)/speed + speed/accel
}
