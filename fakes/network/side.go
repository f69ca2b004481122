package network

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
)

// halfCloser is what a wire must be able to do so that its directions are independent.
type halfCloser interface{ CloseWrite() error }

// aborter is what a wire must be able to do so that it can be reset.
type aborter interface{ SetLinger(sec int) error }

var (
	// errNoReset: a connection is of a kind that can't be reset.
	errNoReset = errors.New("connection cannot be reset")
	// errNoHalfClose: a connection is of a kind whose directions can't end one by one.
	errNoHalfClose = errors.New("connection cannot be half-closed")
)

// side is one end of a connection: the socket towards the terminal or towards the host.
type side struct {
	conn net.Conn
	tap  Tap // nil: none
	wire *Wire
	// quick writes without waiting, where the connection is a socket; nil elsewhere.
	quick syscall.RawConn

	writing sync.Mutex     // held for a whole frame, in however many writes
	mute    atomic.Bool    // a fault has ended writing: what is for it is lost
	deaf    atomic.Bool    // a fault is about to end it: what comes from it is lost
	gone    atomic.Bool    // a fault has ended it altogether: what comes from it is lost, too
	waits   atomic.Uint32  // how its socket is waited for: sure, unsure or noticed
	over    [2]atomic.Bool // the tap knows that nothing more is sent, received

	reading sync.Mutex // for the deadline of reading
	nudged  bool       // it was set so that who waits looks
	leaving bool       // it bounds what is read after the end
}

func (c *connection) newSide(name string, conn net.Conn) *side {
	s := &side{conn: conn, tap: c.server.config.Tap}
	if tcp, ok := conn.(*net.TCPConn); ok {
		s.quick, _ = tcp.SyscallConn() // fails when closed, as all else will
	}
	if s.tap != nil {
		s.wire = &Wire{Uplink: c.uplink.Name, Connection: c.number, Side: name, Local: conn.LocalAddr(), Remote: conn.RemoteAddr()}
		s.tap.Opened(s.wire)
	}
	return s
}

// write sends bytes in one go.
func (s *side) write(i image) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.put(i)
}

// put is write for who holds writing.
func (s *side) put(i image) error {
	if s.mute.Load() || len(i.raw) == 0 {
		return nil
	}
	if s.tap != nil {
		s.tap.Data(s.wire, true, i.shown)
	}
	_, err := s.conn.Write(i.raw)
	if s.mute.Load() {
		return nil // ended meanwhile
	}
	return err
}

// received tells the tap of bytes read.
func (s *side) received(i image) {
	if s.tap != nil && len(i.raw) > 0 {
		s.tap.Data(s.wire, false, i.shown)
	}
}

// ended tells the tap of the end of a direction, once; a reset ends both.
func (s *side) ended(sent, reset bool) {
	if s.tap == nil {
		return
	}
	before := true
	if sent || reset {
		before = s.over[0].Swap(true)
	}
	if !sent || reset {
		before = s.over[1].Swap(true) && before
	}
	if !before {
		s.tap.Ended(s.wire, sent, reset)
	}
}

// halfClose ends writing in order.
func (s *side) halfClose() error {
	h, ok := s.conn.(halfCloser)
	if !ok {
		return errNoHalfClose
	}
	s.ended(true, false)
	return h.CloseWrite()
}

// finish ends the side in order (FIN). What the other end still sends is read and thrown away
// for a while: a socket that closes with unread bytes would reset.
func (s *side) finish() error {
	s.mute.Store(true)
	s.gone.Store(true)
	s.leave()
	return s.halfClose()
}

// cut resets the side. What was written before is given time to arrive: a reset overtakes it else.
func (s *side) cut() error {
	a, ok := s.conn.(aborter)
	if !ok {
		return errNoReset
	}
	drained(s.conn)
	s.mute.Store(true)
	s.gone.Store(true)
	if err := a.SetLinger(0); err != nil {
		return err
	}
	s.ended(true, true)
	return s.conn.Close()
}

// close ends the side for good; with abort by a reset, and the error says if that was not possible.
func (s *side) close(abort bool) error {
	var failed error
	if abort {
		failed = errNoReset
		if a, ok := s.conn.(aborter); ok {
			failed = a.SetLinger(0)
		}
	}
	if err := s.conn.Close(); err == nil {
		s.ended(true, abort && failed == nil)
	}
	return failed
}
