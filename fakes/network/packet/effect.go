package packet

import "time"

// effect is what a fault does to a packet, given the packet's roll of the dice in [0, 1). It
// is true when the packet is affected.
type effect interface {
	apply(f *flight, roll float64) bool
}

// newEffect is the effect that a spec describes.
func newEffect(s Spec) effect {
	switch s.Kind {
	case Loss:
		return lose{percent: s.Percent}
	case Duplicate:
		return double{percent: s.Percent}
	case Reorder:
		return swap{percent: s.Percent, by: s.By}
	}
	if s.Kind == RateLimit {
		return &slowLine{rate: s.Rate, free: map[bool]time.Time{}}
	}
	return hold{by: s.By, jitter: s.Jitter}
}

// lose loses packets.
type lose struct{ percent float64 }

func (l lose) apply(f *flight, roll float64) bool {
	f.lost = roll*100 < l.percent
	return f.lost
}

// double sends packets twice.
type double struct{ percent float64 }

func (d double) apply(f *flight, roll float64) bool {
	if roll*100 >= d.percent {
		return false
	}
	f.copies *= 2
	return true
}

// swap lets a packet be overtaken by the next one of its connection and direction. It is
// affected when that comes; alone it is only late.
type swap struct {
	percent float64
	by      time.Duration
}

func (s swap) apply(f *flight, roll float64) bool {
	if roll*100 < s.percent {
		f.hold += s.by
		f.overtaken = true
	}
	return false
}

// slowLine sends packets one behind the other, each for as long as its bits take, in each direction by itself. What would
// have to wait for longer than lineBacklog is lost.
type slowLine struct {
	rate int                // bit/s
	free map[bool]time.Time // when the last packet from the terminal (or not) has left
}

// lineBacklog is how much a slow line's modem holds.
const lineBacklog = 30 * time.Second

func (l *slowLine) apply(f *flight, _ float64) bool {
	begins := f.at.Add(f.hold)
	if free := l.free[f.fromTerminal]; free.After(begins) {
		begins = free
	}
	ends := begins.Add(time.Duration(len(f.packet)) * 8 * time.Second / time.Duration(l.rate))
	if ends.Sub(f.at) > lineBacklog {
		f.lost = true
		return true
	}
	l.free[f.fromTerminal] = ends
	f.hold = ends.Sub(f.at)
	return true
}

// hold holds packets.
type hold struct{ by, jitter time.Duration }

func (h hold) apply(f *flight, roll float64) bool {
	f.hold += h.by + time.Duration((2*roll-1)*float64(h.jitter))
	return true
}
