package memnet

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// network is the name that addresses and errors carry.
const network = "mem"

// Addr is an address in memory, for example "issuer:8583".
type Addr string

// Network is "mem".
func (Addr) Network() string { return network }

// String is the address as it was given.
func (a Addr) String() string { return string(a) }

// Conn is one end of a wire. Any of its methods may be called at the same time as any other.
type Conn struct {
	mu            *sync.Mutex // one for both ends, never held while waiting
	in, out       *stream
	local, remote Addr
	closed        bool
	linger        int
	readBy        deadline
	writeBy       deadline
}

var _ net.Conn = (*Conn)(nil)

// stream is one direction of a wire. Its fields are guarded by the wire's mutex.
type stream struct {
	changed *sync.Cond
	buf     []byte // what was written and not yet read
	base    []byte // the start of buf's array, used again when buf is empty
	fin     bool   // the writer has written everything
	gone    bool   // the reader has closed
	reset   bool   // one of the two has aborted
	busy    bool   // a Write is in progress: others wait, so that writes don't mix
}

// deadline is one of a connection's two. A timer's own word decides that it has passed, not a
// comparison of clocks.
type deadline struct {
	timer   *time.Timer
	expired bool
}

// Pipe returns the two ends of a new wire.
func Pipe() (a, b *Conn) { return pipe("pipe:a", "pipe:b") }

func pipe(a, b Addr) (*Conn, *Conn) {
	mu := new(sync.Mutex)
	ab, ba := &stream{changed: sync.NewCond(mu)}, &stream{changed: sync.NewCond(mu)}
	return &Conn{mu: mu, in: ba, out: ab, local: a, remote: b, linger: -1},
		&Conn{mu: mu, in: ab, out: ba, local: b, remote: a, linger: -1}
}

// Read reads what has arrived, at least one byte, and waits for it. At the end of the stream it
// returns io.EOF; after a reset by the peer an error that is syscall.ECONNRESET; after its
// deadline os.ErrDeadlineExceeded; after Close net.ErrClosed.
func (c *Conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.closed:
			return 0, c.fail("read", net.ErrClosed)
		case len(p) == 0:
			return 0, nil
		case c.readBy.expired:
			return 0, c.fail("read", os.ErrDeadlineExceeded)
		case len(c.in.buf) > 0:
			return c.in.take(p), nil
		case c.in.reset:
			return 0, c.fail("read", os.NewSyscallError("read", syscall.ECONNRESET))
		case c.in.fin:
			return 0, io.EOF
		}
		c.in.changed.Wait()
	}
}

// Write writes all of p and waits while the wire is full. It fails with syscall.EPIPE when the
// peer has closed or this side has closed for writing, with syscall.ECONNRESET after a reset,
// and as Read does for deadlines and Close; then it returns how many bytes the wire took.
func (c *Conn) Write(p []byte) (n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.out.busy {
		if err := c.writable(); err != nil {
			return 0, err
		}
		c.out.changed.Wait()
	}
	c.out.busy = true
	defer func() {
		c.out.busy = false
		c.out.changed.Broadcast()
	}()
	for {
		if err := c.writable(); err != nil {
			return n, err
		}
		n += c.out.put(p[n:])
		if n == len(p) {
			return n, nil
		}
		c.out.changed.Wait()
	}
}

// WriteNow writes what the wire takes without waiting, which may be nothing. Its errors are those of Write.
func (c *Conn) WriteNow(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.writable(); err != nil || c.out.busy {
		return 0, err
	}
	return c.out.put(p), nil
}

// writable says why the connection takes no more bytes, nil while it does.
func (c *Conn) writable() error {
	switch {
	case c.closed:
		return c.fail("write", net.ErrClosed)
	case c.writeBy.expired:
		return c.fail("write", os.ErrDeadlineExceeded)
	case c.out.reset:
		return c.fail("write", os.NewSyscallError("write", syscall.ECONNRESET))
	case c.out.fin, c.out.gone:
		return c.fail("write", os.NewSyscallError("write", syscall.EPIPE))
	}
	return nil
}

// CloseWrite ends this side's stream: the peer reads the rest, then io.EOF. Reading goes on.
func (c *Conn) CloseWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.fail("close", net.ErrClosed)
	}
	c.out.fin = true
	c.out.changed.Broadcast()
	return nil
}

// SetLinger chooses what Close does: with sec 0 it aborts, and the peer's Read and Write fail
// with syscall.ECONNRESET; with any other value the peer reads the rest, then io.EOF.
func (c *Conn) SetLinger(sec int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.fail("set", net.ErrClosed)
	}
	c.linger = sec
	return nil
}

// Close closes both directions at once; see SetLinger. A second Close returns net.ErrClosed.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.fail("close", net.ErrClosed)
	}
	c.closed = true
	c.readBy.stop()
	c.writeBy.stop()
	c.out.fin, c.in.gone = true, true
	if c.linger == 0 {
		c.out.reset, c.in.reset = true, true
	}
	c.in.buf, c.in.base = nil, nil // nobody will read it
	c.in.changed.Broadcast()
	c.out.changed.Broadcast()
	return nil
}

// LocalAddr is this end's address.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the peer's address.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines; the zero time means none.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.setDeadline(&c.readBy, c.in, t); err != nil {
		return err
	}
	return c.setDeadline(&c.writeBy, c.out, t)
}

// SetReadDeadline sets the time after which Read fails, also one that is waiting.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.setDeadline(&c.readBy, c.in, t) }

// SetWriteDeadline sets the time after which Write fails, also one that is waiting.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.setDeadline(&c.writeBy, c.out, t) }

func (c *Conn) setDeadline(d *deadline, s *stream, t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.fail("set", net.ErrClosed)
	}
	d.stop()
	d.expired = false
	if t.IsZero() {
		return nil
	}
	left := time.Until(t)
	if left <= 0 {
		d.expired = true
		s.changed.Broadcast()
		return nil
	}
	var timer *time.Timer
	timer = time.AfterFunc(left, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if d.timer == timer { // else a newer deadline holds
			d.expired = true
			s.changed.Broadcast()
		}
	})
	d.timer = timer
	return nil
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

func (c *Conn) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: network, Source: c.local, Addr: c.remote, Err: err}
}

// take moves bytes to p and tells a waiting writer.
func (s *stream) take(p []byte) int {
	n := copy(p, s.buf)
	if s.buf = s.buf[n:]; len(s.buf) == 0 {
		s.buf = s.base
	}
	s.changed.Broadcast()
	return n
}

// put appends what fits of p and tells a waiting reader.
func (s *stream) put(p []byte) int {
	n := min(len(p), Capacity-len(s.buf))
	if n > 0 {
		empty := len(s.buf) == 0
		s.buf = append(s.buf, p[:n]...)
		if empty {
			s.base = s.buf[:0]
		}
		s.changed.Broadcast()
	}
	return n
}
