package robot

import (
	"math"
	"time"
)

const (
	minRate  = 1.0     // mm/min, the slowest feed the planner accepts
	minAccel = 1e-3    // mm/s², against a setting of zero
	maxLeg   = 1 << 25 // s, about a year: the longest move, so that times stay representable
)

type vector = [axisCount]float64

// profile is the speed along a straight way: from v0 up to peak, level, down to zero.
type profile struct {
	length, v0, peak, accel float64 // mm, mm/s, mm/s, mm/s²
	up, level, down         float64 // s
	sUp, sLevel             float64 // mm
}

// newProfile plans length mm with no more than vmax. The way must be long enough to stop from v0.
func newProfile(length, v0, vmax, accel float64) profile {
	peak := max(v0, min(vmax, math.Sqrt(accel*length+v0*v0/2)))
	p := profile{length: length, v0: v0, peak: peak, accel: accel}
	p.sUp = (peak*peak - v0*v0) / (2 * accel)
	p.sLevel = max(0, length-p.sUp-peak*peak/(2*accel))
	p.up = (peak - v0) / accel
	p.down = peak / accel
	if peak > 0 {
		p.level = p.sLevel / peak
	}
	return p
}

// stopping is the even slow-down from v to zero over length mm.
func stopping(length, v float64) profile {
	return newProfile(length, v, v, v*v/(2*length))
}

// total is how long it takes, in seconds.
func (p profile) total() float64 { return p.up + p.level + p.down }

// at gives way (mm) and speed (mm/s) t seconds after the start.
func (p profile) at(t float64) (s, v float64) {
	switch {
	case t <= 0:
		return 0, p.v0
	case t < p.up:
		return p.v0*t + p.accel*t*t/2, p.v0 + p.accel*t
	case t < p.up+p.level:
		return p.sUp + p.peak*(t-p.up), p.peak
	case t < p.total():
		left := p.total() - t
		return p.length - p.accel*left*left/2, p.accel * left
	}
	return p.length, 0
}

// when is the inverse: the seconds from the start until s mm are done.
func (p profile) when(s float64) float64 {
	switch {
	case s <= 0:
		return 0
	case s < p.sUp:
		return (math.Sqrt(p.v0*p.v0+2*p.accel*s) - p.v0) / p.accel
	case s < p.sUp+p.sLevel:
		return p.up + (s-p.sUp)/p.peak
	case s < p.length:
		return max(0, p.total()-math.Sqrt(2*(p.length-s)/p.accel))
	}
	return p.total()
}

// seconds turns a computed time into a Duration, rounded to the nanosecond.
func seconds(t float64) time.Duration {
	return time.Duration(math.Round(min(t, maxLeg) * float64(time.Second)))
}

// leg is one straight move under way, in MPos.
type leg struct {
	from, to vector
	profile  profile
	start    time.Time
	// reach is the share of the way that the finger really goes; less than 1 when it runs
	// into the end of an axis and no switch is heeded.
	reach float64
	// events of the way still to come, in order of time.
	events []event
}

func (l *leg) end() time.Time { return l.start.Add(seconds(l.profile.total())) }

// instant is when the share u of the way is done.
func (l *leg) instant(u float64) time.Time {
	return l.start.Add(seconds(l.profile.when(u * l.profile.length)))
}

// share gives the share of the way done at a time, and the speed in mm/s.
func (l *leg) share(at time.Time) (u, v float64) {
	s, v := l.profile.at(at.Sub(l.start).Seconds())
	return min(1, s/l.profile.length), v
}

// along gives the point at share u.
func along(from, to vector, u float64) vector {
	for i := range from {
		from[i] += u * (to[i] - from[i])
	}
	return from
}

func distance(a, b vector) float64 {
	return math.Hypot(math.Hypot(b[axisX]-a[axisX], b[axisY]-a[axisY]), b[axisZ]-a[axisZ])
}

// limits gives the highest speed (mm/s) and acceleration (mm/s²) in the direction from a to b,
// such that no axis exceeds its own.
func (m *machine) limits(a, b vector) (rate, accel float64) {
	length := distance(a, b)
	rate, accel = math.Inf(1), math.Inf(1)
	for i := range a {
		part := math.Abs(b[i]-a[i]) / length
		if part > 0 {
			rate = min(rate, m.set[maxRate0+i]/part)
			accel = min(accel, m.set[accel0+i]/part)
		}
	}
	return max(rate, minRate) / 60, max(accel, minAccel)
}

// move is one block of the planner.
type move struct {
	target vector  // MPos
	rate   float64 // mm/min
	rapid  bool    // rate is the axes' own
	jog    bool
}

// startLeg sets the finger going from where MPos is. False when it is there already.
func (m *machine) startLeg(b move) bool {
	length := distance(m.mpos, b.target)
	if length == 0 {
		return false
	}
	top, accel := m.limits(m.mpos, b.target)
	rate := max(minRate, b.rate*float64(m.override.feed)/100) / 60
	if b.rapid {
		rate = max(minRate/60, top*float64(m.override.rapid)/100)
	}
	m.leg = &leg{
		from: m.mpos, to: b.target, start: m.clock, reach: 1,
		profile: newProfile(length, 0, min(rate, top), accel),
	}
	m.foresee(m.leg)
	return true
}

// brake replaces the leg under way by the shortest stop on the same line. The block stays in
// the planner with its target.
func (m *machine) brake() {
	l := m.leg
	u, v := l.share(m.clock)
	here := along(l.from, l.to, u)
	stop := v * v / (2 * l.profile.accel)
	there := along(l.from, l.to, min(1, u+stop/l.profile.length))
	for i := range there {
		there[i] = m.onStep(i, there[i])
	}
	if v == 0 || here == there {
		m.leg = nil
		m.place(here, m.truth(here))
		m.braked()
		return
	}
	m.mpos = here
	m.braking = true
	m.leg = &leg{
		from: here, to: there, start: m.clock, reach: 1,
		profile: stopping(distance(here, there), v),
	}
	m.foresee(m.leg)
}

// position is MPos now, and the speed in mm/s.
func (m *machine) position() (vector, float64) {
	if m.leg == nil {
		return m.mpos, 0
	}
	u, v := m.leg.share(m.clock)
	return along(m.leg.from, m.leg.to, u), v
}

// kill cuts the steppers in motion: MPos keeps the steps given, while the finger's mass carries
// it on by the way it needs to stop, so that the two no longer agree.
func (m *machine) kill() {
	l := m.leg
	if l == nil {
		return
	}
	u, v := l.share(m.clock)
	mpos := along(l.from, l.to, u)
	finger := m.truth(along(l.from, l.to, min(u, l.reach)))
	coast := v * v / (2 * l.profile.accel) / l.profile.length
	for i := range finger {
		finger[i] += coast * m.scale(i) * (l.to[i] - l.from[i])
		finger[i] = min(max(finger[i], m.cfg.Motion.Min[i]), m.cfg.Motion.Max[i])
	}
	m.leg, m.braking = nil, false
	m.place(mpos, finger)
	m.settle()
}

// place puts MPos on whole steps and the finger at a true position.
func (m *machine) place(mpos, finger vector) {
	for i := range mpos {
		m.mpos[i] = m.onStep(i, mpos[i])
		m.offset[i] = finger[i] - m.scale(i)*m.mpos[i]
	}
}

// onStep rounds a position to a whole step of its axis.
func (m *machine) onStep(axis int, mm float64) float64 {
	steps := m.set[steps0+axis]
	if steps <= 0 {
		return mm
	}
	return math.Round(mm*steps)/steps + 0 // + 0 turns −0 into 0
}

// scale is how many true millimetres the axis goes for one millimetre of MPos; not 1 when the
// setting of steps per millimetre is wrong.
func (m *machine) scale(axis int) float64 { return m.set[steps0+axis] / stepsPerMM }

// truth gives the finger's true position for an MPos.
func (m *machine) truth(mpos vector) vector {
	for i := range mpos {
		mpos[i] = m.offset[i] + m.scale(i)*mpos[i]
	}
	return mpos
}
