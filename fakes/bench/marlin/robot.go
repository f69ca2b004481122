package marlin

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/assay-hil/assay/fakes/bench/line"
)

// ErrClosed is returned by Run on a robot that was closed or has run already.
var ErrClosed = errors.New("marlin: closed")

// Robot is one simulated machine on one serial line.
type Robot struct {
	cfg     Config
	line    *line.Line
	contact Contact
	stop    chan struct{}
	done    chan struct{}

	mu      sync.Mutex
	started bool
	closed  bool

	firmware
	mechanics
}

// mechanics is the machine; it belongs to Run.
type mechanics struct {
	moves   []move // the first is under way
	mpos    vector // where the last of them ends, as the firmware believes
	offset  vector // true place = offset + what the firmware believes
	crossed bool   // the first move has passed the contact plane
	pressed string // the key that is closed
	plunged int
	rested  time.Time // when the last movement ended
	powered bool      // the motors hold
}

// New makes a robot on port, which it owns from now on. Contact may be nil.
func New(port io.ReadWriteCloser, cfg Config, contact Contact) *Robot {
	if cfg.Motion == (Motion{}) {
		cfg.Motion = Realistic()
	}
	if contact == nil {
		contact = func(string, bool, time.Time) {}
	}
	r := &Robot{cfg: cfg, line: line.Open(port), contact: contact, stop: make(chan struct{}), done: make(chan struct{})}
	// Where the finger stands at power-up nobody knows: the firmware takes it for zero.
	r.offset = vector{cfg.Motion.Box[0] / 2, cfg.Motion.Box[1] / 2, 0.8 * cfg.Motion.Box[2]}
	return r
}

// Run powers the robot up and works until ctx ends, Close is called or the line ends. It can be called once.
func (r *Robot) Run(ctx context.Context) error {
	r.mu.Lock()
	if r.closed || r.started {
		r.mu.Unlock()
		return ErrClosed
	}
	r.started = true
	r.mu.Unlock()
	defer close(r.done)
	r.restart(time.Now())
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		r.advance(time.Now())
		var due <-chan time.Time
		if at, ok := r.next(); ok {
			timer.Reset(time.Until(at))
			due = timer.C
		}
		select {
		case <-ctx.Done():
			return r.line.Close()
		case <-r.stop:
			return r.line.Close()
		case p, open := <-r.line.Received():
			if !open {
				return r.line.Close()
			}
			r.hear(p, time.Now())
		case <-due:
		}
	}
}

// Close ends Run and waits for it. It may be called more than once, and before Run.
func (r *Robot) Close() error {
	r.mu.Lock()
	first, started := !r.closed, r.started
	r.closed = true
	r.mu.Unlock()
	if first {
		close(r.stop)
	}
	if started {
		<-r.done
		return nil
	}
	return r.line.Close()
}

// next is the next instant at which something happens by itself.
func (r *Robot) next() (time.Time, bool) {
	var at time.Time
	earliest := func(t time.Time) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	if r.hung {
		return at, false
	}
	earliest(r.booted)
	if len(r.moves) > 0 {
		earliest(r.moves[0].end)
		if u, _, crosses := r.crossing(); crosses {
			earliest(r.moves[0].when(u))
		}
	}
	if r.booted.IsZero() && !r.halted {
		earliest(r.until)
		if r.blocked {
			earliest(r.busyAt)
		}
	}
	if r.powered && r.timeout > 0 && len(r.moves) == 0 {
		earliest(r.rested.Add(r.timeout))
	}
	return at, !at.IsZero()
}

func (r *Robot) crossing() (u float64, down, crosses bool) {
	if r.crossed || len(r.moves) == 0 {
		return 0, false, false
	}
	return r.moves[0].crossing(r.plane() - r.offset[2])
}

// advance lets everything happen that happens until now, each at its own instant.
func (r *Robot) advance(now time.Time) {
	for {
		r.work(r.clock)
		at, ok := r.next()
		if !ok || at.After(now) {
			break
		}
		if at.After(r.clock) {
			r.clock = at
		}
		r.happen(r.clock)
	}
	if now.After(r.clock) {
		r.clock = now
	}
	r.work(r.clock)
}

// happen handles one thing that is due.
func (r *Robot) happen(now time.Time) {
	if u, down, crosses := r.crossing(); crosses && !r.moves[0].when(u).After(now) {
		r.pass(u, down, now)
		return
	}
	switch {
	case !r.booted.IsZero() && !r.booted.After(now):
		r.greet()
	case len(r.moves) > 0 && !r.moves[0].end.After(now):
		r.moves, r.crossed, r.rested = r.moves[1:], false, now
		if len(r.moves) > 0 {
			r.moves[0].begin(now)
		}
	case !r.until.IsZero() && !r.until.After(now):
		r.until = time.Time{}
	case r.blocked && !r.busyAt.After(now):
		r.say("echo:busy: processing")
		r.busyAt = now.Add(r.cfg.Motion.BusyEvery)
	case r.powered && r.timeout > 0 && len(r.moves) == 0 && !r.rested.Add(r.timeout).After(now):
		r.letGo(now)
	}
}

// letGo is what happens to a finger whose motors have no power any more: it sinks onto the keys.
func (r *Robot) letGo(now time.Time) {
	r.powered, r.homed = false, vector{}
	finger := r.truth(r.mpos)
	if finger[2] > r.plane() {
		r.offset[2] -= finger[2] - r.plane() + 1
		r.touch(finger, true, now)
	}
}

// pass handles the finger's way through the contact plane.
func (r *Robot) pass(u float64, down bool, now time.Time) {
	v := &r.moves[0]
	place := r.truth(along(v.from, v.to, u))
	r.crossed = true
	r.touch(place, down, now)
	if !down {
		return
	}
	r.plunged++
	switch f := r.cfg.Faults; r.plunged {
	case f.DeadAtPress:
		r.hung = true
	case f.KillAtPress:
		r.freeze(now)
		r.kill()
	case f.RestartAtPress:
		r.freeze(now)
		r.restart(now)
	case f.LoseReplyAtPress:
		r.loseReply = true
	case f.EndstopAtPress:
		r.freeze(now)
		r.say("echo:endstops hit:  Z:" + mm(r.mpos[2]))
	case f.PauseAtPress:
		r.say("echo:busy: paused for user")
	}
}

// freeze ends all movement where it is.
func (r *Robot) freeze(now time.Time) {
	if len(r.moves) > 0 {
		r.mpos = r.moves[0].at(now)
	}
	r.moves, r.crossed, r.rested = nil, false, now
}
