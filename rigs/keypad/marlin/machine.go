package marlin

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Machine is what the controller says about itself at Open.
type Machine struct {
	Firmware  string     // FIRMWARE_NAME of M115
	Emergency bool       // Cap:EMERGENCY_PARSER: M410 acts at once
	ZMin      bool       // M119 names a switch at the lower end of Z
	ZMax      bool       // and one at the upper end
	SoftLimit bool       // M211: targets are clipped to the machine's travel
	Rate      [3]float64 // M203: largest speed of X, Y, Z in mm/s
	Accel     [3]float64 // M201 and M204 T: acceleration of X, Y, Z in mm/s²
}

// newMachine reads the answers to M115, M119, M211 and M503.
func newMachine(lines []string) (Machine, error) {
	var m Machine
	travel := 0.0
	for _, line := range lines {
		lower := strings.ToLower(line)
		switch {
		case strings.HasPrefix(line, "FIRMWARE_NAME:"):
			name, _, _ := strings.Cut(strings.TrimPrefix(line, "FIRMWARE_NAME:"), " SOURCE_CODE_URL")
			m.Firmware = strings.TrimSpace(name)
		case strings.HasPrefix(line, "Cap:EMERGENCY_PARSER:"):
			m.Emergency = strings.HasSuffix(line, ":1")
		case strings.Contains(lower, "z_min:"):
			m.ZMin = true
		case strings.Contains(lower, "z_max:"):
			m.ZMax = true
		case strings.Contains(lower, "soft endstops: on"), strings.Contains(lower, "m211 s1"):
			m.SoftLimit = true
		case strings.Contains(line, "M203 "):
			m.Rate = triple(line, "M203 ")
		case strings.Contains(line, "M201 "):
			m.Accel = triple(line, "M201 ")
		case strings.Contains(line, "M204 "):
			_, rest, _ := strings.Cut(line, "M204 ")
			travel = words(rest)['T']
		}
	}
	if !strings.Contains(m.Firmware, "Marlin") {
		return m, fmt.Errorf("M115: this is not Marlin but %.40q; choose the keypad driver that fits", m.Firmware)
	}
	for axis := range 3 {
		if travel > 0 {
			m.Accel[axis] = min(m.Accel[axis], travel)
		}
		if m.Rate[axis] <= 0 || m.Accel[axis] <= 0 {
			return m, fmt.Errorf("M503: no speed (M203) or acceleration (M201) of %c is reported", "XYZ"[axis])
		}
	}
	return m, nil
}

func triple(line, after string) [3]float64 {
	_, rest, _ := strings.Cut(line, after)
	v := words(rest)
	return [3]float64{v['X'], v['Y'], v['Z']}
}

// Warnings says, in words for the rig's owner, what is not set as a finger over a terminal should be.
func (m Machine) Warnings() []string {
	var w []string
	if !m.ZMax {
		w = append(w, "no z_max switch (M119): the driver will refuse to home; fit one and build Marlin with Z_HOME_DIR 1")
	}
	if !m.SoftLimit {
		w = append(w, "no soft endstops (M211): a wrong origin drives the finger into the frame; send M211 S1 and M500")
	}
	if !m.Emergency {
		w = append(w, "no EMERGENCY_PARSER: a stop waits until the firmware next reads a line; build Marlin with it")
	}
	return w
}

const (
	// travelMax bounds what any distance can add to a wait.
	travelMax = 5 * time.Minute
	// firstMove is how long Marlin holds the first movement after a rest back, for more to come (BLOCK_DELAY_FOR_1ST_MOVE).
	firstMove = 100 * time.Millisecond
	// lineLatency is how long the lines between the plunge and the way up may hold the finger down.
	lineLatency = 30 * time.Millisecond
)

// travel is an upper bound of the time from one place to another in a straight line.
func (m Machine) travel(from, to Point) time.Duration {
	seconds := 0.0
	for axis, d := range [3]float64{to.X - from.X, to.Y - from.Y, to.Z - from.Z} {
		if d != 0 {
			seconds += math.Abs(d)/m.Rate[axis] + m.Rate[axis]/m.Accel[axis]
		}
	}
	return bounded(seconds)
}

func bounded(seconds float64) time.Duration {
	if !(seconds < travelMax.Seconds()) {
		return travelMax
	}
	return time.Duration(seconds * float64(time.Second))
}

// turning is how long the finger is below the contact plane without any rest at the bottom.
func (m Machine) turning(overtravel, feed float64) time.Duration {
	rate, accel := m.Rate[2], m.Accel[2]
	return bounded(brake(overtravel, min(feed/60, rate), accel) + brake(overtravel, rate, accel))
}

// dwell is how long the finger must rest at the bottom so that contact lasts at least wanted. G4
// has a resolution of 1 ms here, rounded up.
func (m Machine) dwell(wanted time.Duration, overtravel, feed float64) time.Duration {
	rest := max(0, wanted-m.turning(overtravel, feed))
	return (rest + time.Millisecond - 1).Truncate(time.Millisecond)
}

// contact is the range in which the contact time lies.
func (m Machine) contact(wanted time.Duration, overtravel, feed float64) (shortest, longest time.Duration) {
	shortest = m.turning(overtravel, feed) + m.dwell(wanted, overtravel, feed)
	return shortest, shortest + firstMove + lineLatency
}

// brake is the time, in seconds, that a move takes over its last (or first) mm, with its speed
// in mm/s and its acceleration in mm/s².
func brake(mm, speed, accel float64) float64 {
	ramp := speed * speed / (2 * accel)
	if ramp >= mm {
		return math.Sqrt(2 * mm / accel)
	}
	return (mm-ramp)/speed + speed/accel
}
