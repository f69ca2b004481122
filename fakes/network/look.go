package network

import (
	"time"
)

// A socket that said it was empty is waited for without trying it (see socket). What it can't say is that a reset
// had come with its last bytes, of which the kernel then tells no more. So who waits like that is made to
// look, once, soon after.

// How a socket is waited for.
const (
	sure    uint32 = iota // it was tried, or nobody waits
	unsure                // it was not tried
	noticed               // it was not, and one look ago that was so already
)

// lookEvery is how often it is looked. Who has waited since the look before is made to try, so that one through which
// messages pass all the time never is; a reset is noticed twice as late at most.
const lookEvery = 10 * time.Millisecond

// look makes every side look that goes on waiting without having tried, until the server closes.
func (s *Server) look() {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-ticker.C:
		}
		for _, c := range s.connections("") {
			c.mu.Lock()
			host := c.host
			c.mu.Unlock()
			c.terminal.look()
			if host != nil {
				host.look()
			}
		}
	}
}

// look ends a wait for the socket that was there at the look before, if the socket has not been tried.
func (s *side) look() {
	if s.waits.CompareAndSwap(unsure, noticed) || s.waits.Load() != noticed {
		return
	}
	s.reading.Lock()
	defer s.reading.Unlock()
	if s.waits.Load() == noticed && !s.leaving { // still
		s.nudged = true
		_ = s.conn.SetReadDeadline(time.Unix(1, 0)) // a closed one has ended its wait
	}
}

// looked says that a wait has ended because of look, and lets the next one last.
func (s *side) looked() bool {
	s.reading.Lock()
	defer s.reading.Unlock()
	s.waits.Store(sure)
	nudged := s.nudged
	s.nudged = false
	if nudged && !s.leaving {
		_ = s.conn.SetReadDeadline(time.Time{}) // as above
	}
	return nudged
}

// leave bounds reading from a side that was ended in order.
func (s *side) leave() {
	s.reading.Lock()
	defer s.reading.Unlock()
	s.leaving = true
	_ = s.conn.SetReadDeadline(time.Now().Add(closeGrace)) // without one, end closes it
}
