package wire

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/rules"
)

// Engine is a host's side of all its connections. Its methods are safe for use by several
// goroutines.
type Engine struct {
	config  Config
	limits  Limits
	poll    []rules.Act // the answer to a poll
	budget  budget
	waiting atomic.Int64 // answers with a goroutine of their own

	ending chan struct{} // closed by Close
	work   sync.WaitGroup

	mu        sync.Mutex // never held while waiting
	closed    bool
	conns     map[*Conn]struct{}
	number    uint64
	listeners map[net.Listener]struct{} // those that a restart closes
	restarts  int
	down      time.Time // the latest restart is over then
	scan      time.Time // before that no connection is idle enough to be ended
	refused   time.Time // when the handler was last told
}

// New makes an engine.
func New(config Config) *Engine {
	limits := config.Limits.filled()
	return &Engine{
		config: config, limits: limits, ending: make(chan struct{}),
		budget: budget{limit: int64(limits.MaxBuffered)},
		poll:   []rules.Act{{Bytes: config.Framing.Poll()}},
		conns:  make(map[*Conn]struct{}), listeners: make(map[net.Listener]struct{}),
	}
}

// Limits are the limits in force.
func (e *Engine) Limits() Limits { return e.limits }

// Serve takes connections from ln until ctx ends or Close is called, then returns nil once every
// connection of this listener is done. It closes ln. An error of ln itself ends it too, and is
// returned. During a restart ln stays open; a connection is then reset at once.
func (e *Engine) Serve(ctx context.Context, ln net.Listener) error {
	return e.session(ctx, ln, func(ctx context.Context, s *session) error { return s.accept(ctx, ln) })
}

// ServeFrom is Serve for a host that can listen again: a restart closes the listener, and asks
// listen for another when it is over.
func (e *Engine) ServeFrom(ctx context.Context, listen func() (net.Listener, error)) error {
	ln, err := listen()
	if err != nil {
		return err
	}
	return e.session(ctx, nil, func(ctx context.Context, s *session) error { return s.acceptFrom(ctx, ln, listen) })
}

// session is one call of Serve.
type session struct {
	engine *Engine
	own    sync.WaitGroup
}

func (e *Engine) session(ctx context.Context, ln net.Listener, run func(context.Context, *session) error) error {
	e.mu.Lock()
	closed := e.closed
	if !closed {
		e.work.Add(1)
	}
	e.mu.Unlock()
	if closed {
		if ln != nil {
			_ = ln.Close()
		}
		return ErrClosed
	}
	defer e.work.Done()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s := &session{engine: e}
	s.own.Go(func() {
		select {
		case <-ctx.Done():
		case <-e.ending:
			stop()
		}
		if ln != nil {
			_ = ln.Close()
		}
	})
	err := run(ctx, s)
	if ctx.Err() != nil {
		err = nil
	}
	stop()
	s.own.Wait()
	return err
}

// accept takes connections until the listener ends.
func (s *session) accept(ctx context.Context, ln net.Listener) error {
	defer s.hangUp()
	for {
		conn, err := ln.Accept()
		switch {
		case err == nil:
			s.admit(ctx, conn)
		case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.ENOBUFS):
			s.engine.evict()
			if !sleep(ctx, acceptPause) {
				return err
			}
		case errors.Is(err, syscall.ECONNABORTED): // the peer has gone before it was its turn
		default:
			return err
		}
	}
}

// hangUp ends the session's connections. Nobody is admitted any more.
func (s *session) hangUp() {
	s.engine.each(func(c *Conn) {
		if c.session == s {
			c.End("closed by the issuer")
		}
	})
}

// acceptFrom takes connections, and listens again after each restart.
func (s *session) acceptFrom(ctx context.Context, ln net.Listener, listen func() (net.Listener, error)) error {
	for {
		restarts := s.engine.track(ln)
		stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
		err := s.accept(ctx, ln)
		stop()
		_ = ln.Close()
		wait, restarted := s.engine.untrack(ln, restarts)
		if ctx.Err() != nil || !restarted {
			return err
		}
		if !sleep(ctx, wait) {
			return nil
		}
		if ln, err = again(ctx, listen); err != nil {
			return err
		}
	}
}

// again listens; the address may be in use for a moment.
func again(ctx context.Context, listen func() (net.Listener, error)) (ln net.Listener, err error) {
	for range listenTries {
		if ln, err = listen(); err == nil {
			return ln, nil
		}
		if !sleep(ctx, listenPause) {
			return nil, ctx.Err()
		}
	}
	return nil, err
}

// sleep waits; false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Restart ends every connection, as a host that goes down does, and takes none for a time. It
// does not wait.
func (e *Engine) Restart(down time.Duration) {
	e.mu.Lock()
	e.restarts++
	e.down = time.Now().Add(down)
	for ln := range e.listeners {
		_ = ln.Close()
	}
	e.mu.Unlock()
	e.each(func(c *Conn) { c.End("restart of the issuer") })
}

// track remembers a listener that a restart closes; it gives the number of restarts so far.
func (e *Engine) track(ln net.Listener) (restarts int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.listeners[ln] = struct{}{}
	return e.restarts
}

// untrack forgets it, and says whether a restart has ended it and for how long the engine is still down.
func (e *Engine) untrack(ln net.Listener, restarts int) (wait time.Duration, restarted bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.listeners, ln)
	return max(0, time.Until(e.down)), e.restarts > restarts
}

// Close ends every Serve and waits for all goroutines of the engine.
func (e *Engine) Close() error {
	e.mu.Lock()
	if !e.closed {
		e.closed = true
		close(e.ending)
	}
	e.mu.Unlock()
	e.work.Wait()
	return nil
}
