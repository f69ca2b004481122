package wire

import (
	"context"
	"net"
	"strconv"
	"time"
)

// admit starts a connection, or refuses it when there is no room for it.
func (s *session) admit(ctx context.Context, conn net.Conn) {
	e := s.engine
	now := time.Now()
	e.mu.Lock()
	if now.Before(e.down) {
		e.mu.Unlock()
		abort(conn)
		return
	}
	var victim *Conn
	if len(e.conns) >= e.limits.MaxConnections {
		if victim = e.idlest(now); victim == nil {
			tell := now.Sub(e.refused) >= refusedEvery
			if tell {
				e.refused = now
			}
			e.mu.Unlock()
			abort(conn)
			if tell {
				e.config.Handler.Refused()
			}
			return
		}
		delete(e.conns, victim)
	}
	e.number++
	c := &Conn{engine: e, session: s, conn: conn, id: strconv.FormatUint(e.number, 10), gone: make(chan struct{})}
	c.last.Store(now.UnixNano())
	e.conns[c] = struct{}{}
	e.mu.Unlock()
	if victim != nil {
		victim.Reset("ended for a new one: idlest")
	}
	s.own.Go(func() {
		c.converse(ctx)
		e.mu.Lock()
		delete(e.conns, c)
		e.mu.Unlock()
	})
}

// idlest finds the connection that may be ended for a new one; nil when none has been silent for long
// enough. One that has never sent a message goes first. The caller holds mu.
func (e *Engine) idlest(now time.Time) *Conn {
	if now.Before(e.scan) {
		return nil
	}
	var best *Conn
	bestFor := time.Duration(0)
	next := e.limits.EvictIdle
	for c := range e.conns {
		grace := e.limits.EvictSilent
		if c.spoken.Load() {
			grace = e.limits.EvictIdle
		}
		over := now.Sub(c.Heard()) - grace
		if over < 0 {
			next = min(next, -over)
			continue
		}
		if best == nil || better(c, over, best, bestFor) {
			best, bestFor = c, over
		}
	}
	if best == nil {
		e.scan = now.Add(min(next, e.limits.EvictSilent))
	}
	return best
}

func better(c *Conn, over time.Duration, best *Conn, bestFor time.Duration) bool {
	if a, b := c.spoken.Load(), best.spoken.Load(); a != b {
		return !a
	}
	return over > bestFor
}

// evict ends the idlest connection, if one may be ended.
func (e *Engine) evict() {
	e.mu.Lock()
	victim := e.idlest(time.Now())
	e.mu.Unlock()
	if victim != nil {
		victim.Reset("ended for a new one: idlest")
	}
}

// each calls f for every connection, outside the lock.
func (e *Engine) each(f func(*Conn)) {
	e.mu.Lock()
	all := make([]*Conn, 0, len(e.conns))
	for c := range e.conns {
		all = append(all, c)
	}
	e.mu.Unlock()
	for _, c := range all {
		f(c)
	}
}

// Each calls f for every connection that is open.
func (e *Engine) Each(f func(*Conn)) { e.each(f) }

// Len is how many connections are open.
func (e *Engine) Len() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.conns)
}
