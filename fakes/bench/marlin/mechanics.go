package marlin

import (
	"math"
	"time"
)

// move is one straight movement, from rest to rest.
type move struct {
	from, to   vector
	start, end time.Time
	length     float64 // mm
	rate       float64 // mm/s, the highest that is reached
	accel      float64 // mm/s²
}

// newMove plans a movement; no axis exceeds its own rate and acceleration. It has no start yet.
func newMove(from, to vector, feed float64, m Motion) move {
	v := move{from: from, to: to, rate: feed, accel: math.Inf(1)}
	for i := range from {
		v.length = math.Hypot(v.length, to[i]-from[i])
	}
	for i := range from {
		if share := math.Abs(to[i]-from[i]) / max(v.length, 1e-9); share > 0 {
			v.rate, v.accel = min(v.rate, m.Rate[i]/share), min(v.accel, m.Accel[i]/share)
		}
	}
	v.rate = min(v.rate, math.Sqrt(v.accel*v.length))
	return v
}

func (v *move) begin(at time.Time) {
	v.start = at
	v.end = at
	if v.length > 0 {
		v.end = at.Add(time.Duration((v.length/v.rate + v.rate/v.accel) * float64(time.Second)))
	}
}

// when is the time at which the share u of the way is done.
func (v *move) when(u float64) time.Time {
	s, ramp := u*v.length, v.rate*v.rate/(2*v.accel)
	total := v.end.Sub(v.start).Seconds()
	var t float64
	switch {
	case s < ramp:
		t = math.Sqrt(2 * s / v.accel)
	case s > v.length-ramp:
		t = total - math.Sqrt(2*max(0, v.length-s)/v.accel)
	default:
		t = v.rate/v.accel + (s-ramp)/v.rate
	}
	return v.start.Add(time.Duration(t * float64(time.Second)))
}

// at is the place at a time.
func (v *move) at(now time.Time) vector {
	if !now.Before(v.end) {
		return v.to
	}
	lo, hi := 0.0, 1.0
	for range 60 { // halving beyond the precision of a float
		if mid := (lo + hi) / 2; v.when(mid).After(now) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return along(v.from, v.to, lo)
}

func along(from, to vector, u float64) vector {
	for i := range from {
		from[i] += u * (to[i] - from[i])
	}
	return from
}

// crossing is the share of a movement at which the finger, with the true place offset from the
// machine's, passes a height; false when it does not. Down is the direction.
func (v *move) crossing(height float64) (u float64, down, crosses bool) {
	a, b := v.from[2]-height, v.to[2]-height
	switch {
	case a > 0 && b <= 0:
		return a / (a - b), true, true
	case a <= 0 && b > 0:
		return a / (a - b), false, true
	}
	return 0, false, false
}

// plane is the height at which a key closes, in machine coordinates.
func (r *Robot) plane() float64 {
	return r.cfg.Origin[2] + r.cfg.Keypad.Surface - r.cfg.Keypad.Travel
}

// under names the key below a true place; "" where there is none.
func (r *Robot) under(p vector) string {
	for name, key := range r.cfg.Keypad.Keys {
		if math.Hypot(p[0]-r.cfg.Origin[0]-key.X, p[1]-r.cfg.Origin[1]-key.Y) <= r.cfg.Keypad.Radius {
			return name
		}
	}
	return ""
}

// truth is where the finger is when the machine believes in p.
func (r *Robot) truth(p vector) vector {
	for i := range p {
		p[i] += r.offset[i]
	}
	return p
}

// touch closes or opens the key at a true place.
func (r *Robot) touch(p vector, down bool, at time.Time) {
	if down {
		r.pressed = r.under(p)
	}
	if r.pressed != "" && !r.cfg.Faults.Misses {
		r.contact(r.pressed, down, at)
	}
	if !down {
		r.pressed = ""
	}
}
