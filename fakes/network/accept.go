package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/assay-hil/assay/fakes/network/client"
)

// accept takes connections from l until l closes.
func (s *Server) accept(u *uplink, l net.Listener) {
	s.spawn(func() {
		for {
			conn, err := l.Accept()
			switch {
			case errors.Is(err, net.ErrClosed):
				return
			case err != nil:
				s.failed <- fmt.Errorf("network: uplink %q: accept: %w", u.Name, err)
				return
			}
			s.admit(u, conn)
		}
	})
}

// admit begins to serve a terminal's connection, or closes it when there are too many.
func (s *Server) admit(u *uplink, conn net.Conn) {
	c := s.newConnection(u, conn)
	s.mu.Lock()
	full := len(s.open) >= MaxConnections
	if !full && !s.closed {
		s.open[c] = struct{}{}
	}
	s.mu.Unlock()
	if full {
		s.log.Append("opened", c.fields())
		_ = c.end("too many connections", false)
		c.report()
		return
	}
	started := s.spawn(func() {
		c.serve()
		s.mu.Lock()
		delete(s.open, c)
		s.mu.Unlock()
	})
	if !started {
		_ = c.end("injector closed", false)
	}
}

func (s *Server) newConnection(u *uplink, conn net.Conn) *connection {
	s.mu.Lock()
	s.last++
	c := &connection{server: s, uplink: u, number: s.last, id: strconv.Itoa(s.last)}
	s.mu.Unlock()
	c.ctx, c.cancel = context.WithCancel(s.ctx)
	c.terminal = c.newSide(client.Terminal, conn)
	return c
}

// spawn runs f, for which Close waits. It is false after Close, and f is not run.
func (s *Server) spawn(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.wg.Go(f)
	return true
}
