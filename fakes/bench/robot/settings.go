package robot

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// Settings that the simulation itself looks at.
const (
	pulseTime   = 0
	reportMask  = 10
	inches      = 13
	softLimits  = 20
	hardLimits  = 21
	homingOn    = 22
	homingDir   = 23
	homingFeed  = 24
	homingSeek  = 25
	debounceMS  = 26
	homingPull  = 27
	steps0      = 100
	maxRate0    = 110
	accel0      = 120
	travel0     = 130
	minPulseUS  = 3
	maskXY      = 3 // $23: X and Y home towards their lower end
	reportMPos  = 1 // bits of $10
	reportSpace = 2
)

// settings are the values of $n by number; those that are not in settingNumbers do not exist.
type settings [travel0 + axisCount]float64

// settingNumbers is the order of $$.
var settingNumbers = [...]int{
	0, 1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 20, 21, 22, 23, 24, 25, 26, 27, 30, 31, 32,
	100, 101, 102, 110, 111, 112, 120, 121, 122, 130, 131, 132,
}

// defaults are the settings a machine comes with: limits and homing on.
func defaults(m Motion) settings {
	s := settings{
		0: 10, 1: 255, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0, reportMask: reportMPos, 11: 0.01, 12: 0.002, inches: 0,
		softLimits: 1, hardLimits: 1, homingOn: 1, homingDir: maskXY,
		homingFeed: m.HomingFeed, homingSeek: m.HomingSeek,
		debounceMS: float64(min(m.HomingDebounce/time.Millisecond, math.MaxUint8)), homingPull: m.HomingPulloff,
		30: 1000, 31: 0, 32: 0,
	}
	for i := range axisCount {
		s[steps0+i] = stepsPerMM
		s[maxRate0+i] = m.MaxRate[i]
		s[accel0+i] = m.Accel[i]
		s[travel0+i] = m.Max[i] - m.Min[i]
	}
	return s
}

// kindOf says how a setting is stored and printed.
func kindOf(n int) (float, boolean bool) {
	switch n {
	case 11, 12, homingFeed, homingSeek, homingPull:
		return true, false
	case 4, 5, 6, inches, softLimits, hardLimits, homingOn, 32:
		return false, true
	}
	return n >= steps0, false
}

// format prints a value as $$ does.
func (s *settings) format(n int) string {
	if float, _ := kindOf(n); float {
		return strconv.FormatFloat(s[n], 'f', 3, 64)
	}
	return strconv.FormatFloat(s[n], 'f', 0, 64)
}

// store is $n=value. It gives an error code, 0 when the value was taken.
func (m *machine) store(n int, value float64) int {
	if value < 0 {
		return errNegative
	}
	if !slices.Contains(settingNumbers[:], n) {
		return errStatement
	}
	old := m.set[n]
	switch float, boolean := kindOf(n); {
	case boolean:
		if value = math.Trunc(value); value != 0 {
			value = 1
		}
	case !float && n != 30 && n != 31: // the spindle's speeds are numbers printed without decimals
		value = float64(uint8(int64(value))) // an octet in the firmware
	}
	switch {
	case n == pulseTime && value < minPulseUS:
		return errPulse
	case n == softLimits && value != 0 && m.set[homingOn] == 0:
		return errNoHoming
	case n == homingOn && value == 0:
		m.set[softLimits] = 0
	case n == inches:
		m.untilWCO = 0
	case n >= steps0 && n < steps0+axisCount:
		if value == 0 {
			return errStatement // the firmware divides by it
		}
		m.mpos[n-steps0] *= old / value // position is kept in steps
	}
	m.set[n] = value
	return 0
}
