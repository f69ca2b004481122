package robot

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// touch is the tolerance (mm) of "at or below the plane" and "within the radius", for rounding only.
const touch = 1e-9

// edge is the tolerance (mm) of the ends of an axis.
const edge = 1e-6

// What can happen on the way, in the order in which it is handled at one instant.
const (
	opens = iota
	closes
	plunges // through the contact plane, downwards
	hits    // a limit switch
)

type event struct {
	kind int
	key  int     // of machine.keys
	u    float64 // share of the leg
	at   time.Time
}

// span is a range of shares of a leg.
type span struct{ lo, hi float64 }

func everywhere() span { return span{math.Inf(-1), math.Inf(1)} }
func nowhere() span    { return span{math.Inf(1), math.Inf(-1)} }

func (s span) and(t span) span    { return span{max(s.lo, t.lo), min(s.hi, t.hi)} }
func (s span) has(u float64) bool { return s.lo <= u && u <= s.hi }

// foresee computes all that will happen on a leg.
func (m *machine) foresee(l *leg) {
	from, to := m.truth(l.from), m.truth(l.to)
	l.events = m.events[:0]
	if u := m.collision(from, to); u < 1 {
		l.reach = u
		if m.set[hardLimits] != 0 && m.state != stateHome {
			l.events = append(l.events, event{kind: hits, u: u})
		}
	}
	plane := m.plane()
	if u := (plane - from[axisZ]) / (to[axisZ] - from[axisZ]); from[axisZ] > plane+touch && u >= 0 && u <= l.reach {
		l.events = append(l.events, event{kind: plunges, u: u})
	}
	down := below(from, to, plane)
	for i, key := range m.keys {
		l.events = m.crossings(l.events, i, over(from, to, key.centre, m.cfg.Keypad.Radius).and(down), l.reach)
	}
	for i := range l.events {
		l.events[i].at = l.instant(l.events[i].u)
	}
	slices.SortFunc(l.events, func(a, b event) int {
		return cmp.Or(cmp.Compare(a.u, b.u), cmp.Compare(a.kind, b.kind), cmp.Compare(a.key, b.key))
	})
	m.events = l.events
}

// crossings adds the changes of one key on a leg that has it closed in the span.
func (m *machine) crossings(list []event, key int, closed span, reach float64) []event {
	is := m.keys[key].closed
	if now := closed.has(0); now != is {
		is = now
		list = append(list, change(key, is, 0))
	}
	if !is && closed.lo > 0 && closed.lo <= reach && closed.lo < closed.hi {
		is = true
		list = append(list, change(key, true, closed.lo))
	}
	if is && closed.hi < reach {
		list = append(list, change(key, false, max(0, closed.hi)))
	}
	return list
}

func change(key int, down bool, u float64) event {
	if down {
		return event{kind: closes, key: key, u: u}
	}
	return event{kind: opens, key: key, u: u}
}

// below is where the way is at or under a height.
func below(from, to vector, height float64) span {
	d := to[axisZ] - from[axisZ]
	gap := height + touch - from[axisZ]
	switch {
	case d < 0:
		return span{gap / d, math.Inf(1)}
	case d > 0:
		return span{math.Inf(-1), gap / d}
	case gap >= 0:
		return everywhere()
	}
	return nowhere()
}

// over is where the way is within radius of a centre, seen from above.
func over(from, to, centre vector, radius float64) span {
	dx, dy := to[axisX]-from[axisX], to[axisY]-from[axisY]
	fx, fy := from[axisX]-centre[axisX], from[axisY]-centre[axisY]
	r := radius + touch
	a, b, c := dx*dx+dy*dy, fx*dx+fy*dy, fx*fx+fy*fy-r*r
	if a == 0 {
		if c <= 0 {
			return everywhere()
		}
		return nowhere()
	}
	root := b*b - a*c
	if root < 0 {
		return nowhere()
	}
	root = math.Sqrt(root)
	return span{(-b - root) / a, (-b + root) / a}
}

// collision is the share of the way at which an axis comes to its end; 1 when none does.
func (m *machine) collision(from, to vector) float64 {
	u := 1.0
	for i := range from {
		lo, hi := m.cfg.Motion.Min[i], m.cfg.Motion.Max[i]
		if d := to[i] - from[i]; d > 0 && to[i] > hi+edge {
			u = min(u, max(0, (hi-from[i])/d))
		} else if d < 0 && to[i] < lo-edge {
			u = min(u, max(0, (lo-from[i])/d))
		}
	}
	return u
}

// plane is the height at which a key closes, in machine coordinates.
func (m *machine) plane() float64 {
	return m.cfg.Origin[axisZ] + m.cfg.Keypad.Surface - m.cfg.Keypad.Travel
}

// happenOnWay handles one event of the leg.
func (m *machine) happenOnWay(e event) {
	switch e.kind {
	case opens, closes:
		m.touchKey(e.key, e.kind == closes)
	case plunges:
		m.plunged++
		switch m.plunged {
		case m.cfg.Faults.DeadAtPress:
			m.kill()
			m.dead = true
		case m.cfg.Faults.RestartAtPress:
			m.kill()
			m.state = stateAlarm
			m.boot()
		case m.cfg.Faults.LoseReplyAtPress:
			m.loseReply = true
		case m.cfg.Faults.AlarmAtPress:
			m.kill()
			m.critical(alarmHardLimit)
		}
	case hits:
		m.kill()
		m.critical(alarmHardLimit)
	}
}

// settle makes every key agree with the place where the finger is, after a jump.
func (m *machine) settle() {
	finger := m.truth(m.mpos)
	down := below(finger, finger, m.plane())
	for i, key := range m.keys {
		at := over(finger, finger, key.centre, m.cfg.Keypad.Radius).and(down)
		if now := at.has(0); now != key.closed {
			m.touchKey(i, now)
		}
	}
}

func (m *machine) touchKey(key int, down bool) {
	if m.cfg.Faults.Misses {
		return
	}
	m.keys[key].closed = down
	m.contact(m.keys[key].name, down, m.clock)
}
