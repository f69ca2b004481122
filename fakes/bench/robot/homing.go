package robot

import (
	"math"
	"time"
)

// searchFactor is how far homing looks for a switch, in lengths of the axis.
const searchFactor = 1.5

// home is $H: Z first, then X and Y together.
func (m *machine) home(rest string) (int, []stage) {
	if m.set[homingOn] == 0 {
		return errHomingOff, nil
	}
	if rest != "H" {
		return errStatement, nil
	}
	script := []stage{{deaf: true, do: func(m *machine) { m.state = stateHome }}}
	if m.cfg.Faults.EndlessHoming {
		return 0, append(script, stage{deaf: true, ready: func(m *machine) bool { return false }})
	}
	script = append(script, m.homeCycle(axisZ)...)
	script = append(script, m.homeCycle(axisX, axisY)...)
	// A status asked for meanwhile is answered here, still as Home.
	script = append(script, stage{do: func(m *machine) {
		m.state, m.gcPos = stateIdle, m.mpos
		m.before(m.startupScript())
	}})
	return 0, script
}

// homeCycle finds the switches of some axes: fast to the switch, off it, slowly to it again, off it.
func (m *machine) homeCycle(axes ...int) []stage {
	var script []stage
	for _, rate := range []int{homingSeek, homingFeed} {
		script = append(script, m.approach(axes, rate)...)
		script = append(script, m.homeLeg(func() (vector, float64) {
			return m.pullOff(axes), m.homingRate(homingSeek, len(axes))
		})...)
		script = append(script, m.settleSwitch())
	}
	return append(script, stage{deaf: true, do: func(m *machine) { m.setZero(axes) }})
}

// approach moves all axes together until the first is at its switch, then the rest.
func (m *machine) approach(axes []int, setting int) []stage {
	var script []stage
	for range axes {
		script = append(script, m.homeLeg(func() (vector, float64) {
			target, n := m.towards(axes)
			return target, m.homingRate(setting, n)
		})...)
	}
	missing := stage{deaf: true, do: func(m *machine) {
		if _, n := m.towards(axes); n > 0 || m.cfg.Faults.NoSwitch {
			m.alarm(alarmNoSwitch)
		}
	}}
	return append(script, missing, m.settleSwitch())
}

// towards is the point at which the next of the axes is at its switch, and how many are on their way.
func (m *machine) towards(axes []int) (vector, int) {
	finger := m.truth(m.mpos)
	step, n := math.Inf(1), 0
	for _, i := range axes {
		if d := math.Abs(m.switchAt(i) - finger[i]); d > edge && d <= searchFactor*m.set[travel0+i] {
			step, n = min(step, d), n+1
		} else if d > edge {
			return finger, 1 // out of reach: nothing moves, the search fails
		}
	}
	for _, i := range axes {
		if d := m.switchAt(i) - finger[i]; math.Abs(d) > edge {
			finger[i] += math.Copysign(step, d)
		}
	}
	return finger, n
}

func (m *machine) pullOff(axes []int) vector {
	finger := m.truth(m.mpos)
	for _, i := range axes {
		finger[i] = m.switchAt(i) + m.pull(i)
	}
	return finger
}

// pull is the way off the switch, with its sign.
func (m *machine) pull(axis int) float64 {
	if m.homesLow(axis) {
		return m.set[homingPull]
	}
	return -m.set[homingPull]
}

func (m *machine) homesLow(axis int) bool { return int(m.set[homingDir])&(1<<axis) != 0 }

func (m *machine) switchAt(axis int) float64 {
	if m.homesLow(axis) {
		return m.cfg.Motion.Min[axis]
	}
	return m.cfg.Motion.Max[axis]
}

// homingRate makes each of n axes move at the rate of the setting.
func (m *machine) homingRate(setting, n int) float64 {
	return m.set[setting] * math.Sqrt(float64(max(1, n)))
}

// homeLeg moves the finger to a true position and waits until it is there.
func (m *machine) homeLeg(to func() (target vector, rate float64)) []stage {
	return []stage{
		{deaf: true, do: func(m *machine) {
			target, rate := to()
			for i := range target {
				target[i] = (target[i] - m.offset[i]) / m.scale(i)
			}
			m.startLeg(move{target: target, rate: rate})
		}},
		{deaf: true, ready: func(m *machine) bool { return m.leg == nil }},
	}
}

// settleSwitch is the pause in which a switch may bounce.
func (m *machine) settleSwitch() stage {
	return stage{deaf: true, delay: time.Duration(m.set[debounceMS]) * time.Millisecond}
}

// setZero gives the axes the position that the firmware knows them to have.
func (m *machine) setZero(axes []int) {
	mpos, finger := m.mpos, m.truth(m.mpos)
	for _, i := range axes {
		top := m.cfg.Motion.Max[i]
		if m.homesLow(i) {
			top -= m.set[travel0+i]
		}
		mpos[i] = top + m.pull(i)
	}
	m.place(mpos, finger)
}
