package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/assay-hil/assay/protocol/iso8583"
)

// Conn is one connection of a terminal. Its methods are safe for use by several goroutines.
type Conn struct {
	engine  *Engine
	session *session
	conn    net.Conn
	id      string
	gone    chan struct{} // closed when the connection is over
	last    atomic.Int64  // when it was last heard of, in nanoseconds of the Unix time
	spoken  atomic.Bool   // it has sent a message
	tag     atomic.Pointer[string]

	mu      sync.Mutex // never held while waiting
	why     string     // the reason of our side's end
	over    bool
	busy    bool  // somebody writes
	stalled bool  // nothing is written any more
	queue   []job // to be written after that
	pending sync.WaitGroup

	held []byte // kept back for the next bytes; belongs to whoever has the turn to write
	kept []Note // of the answers in held
}

// ID is the connection's number, from 1, as a word.
func (c *Conn) ID() string { return c.id }

// Tag gives the connection a name by which it can be found again: the terminal that spoke on it last.
func (c *Conn) Tag(name string) {
	if c.Tagged() != name {
		c.tag.Store(&name)
	}
}

// Tagged is the name that it was given last.
func (c *Conn) Tagged() string {
	if name := c.tag.Load(); name != nil {
		return *name
	}
	return ""
}

// Heard is when the connection was opened or a message came on it, the later of the two.
func (c *Conn) Heard() time.Time { return time.Unix(0, c.last.Load()) }

// Remote is the peer's address.
func (c *Conn) Remote() net.Addr { return c.conn.RemoteAddr() }

// End ends the connection. The first reason given is the one that counts.
func (c *Conn) End(why string) { c.end(why, false) }

// Reset ends the connection with a reset, where the transport has such a thing.
func (c *Conn) Reset(why string) { c.end(why, true) }

func (c *Conn) end(why string, reset bool) {
	c.mu.Lock()
	first := !c.over
	if first {
		c.over, c.why = true, why
		close(c.gone)
	}
	c.mu.Unlock()
	if !first {
		return
	}
	if reset {
		abort(c.conn)
		return
	}
	hangUp(c.conn)
}

// hangUp closes a connection without waiting: a TLS connection's farewell would wait for a peer that
// does not read.
func hangUp(conn net.Conn) {
	if outer, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = outer.NetConn()
	}
	_ = conn.Close()
}

// abort closes a connection with a reset, where the transport knows one.
func abort(conn net.Conn) {
	if outer, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = outer.NetConn()
	}
	if l, ok := conn.(interface{ SetLinger(int) error }); ok {
		_ = l.SetLinger(0) // fails only on a connection that is over
	}
	_ = conn.Close()
}

// converse runs the connection to its end.
func (c *Conn) converse(ctx context.Context) {
	handler := c.engine.config.Handler
	handler.Connected(c)
	err := c.handshake(ctx)
	if err == nil {
		err = c.exchanges()
	}
	c.end(ended(err), false)
	c.pending.Wait()
	for _, n := range c.kept { // nobody writes any more
		n.Failed(ErrClosed)
	}
	handler.Disconnected(c, c.reason())
}

func (c *Conn) reason() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why
}

// errHandshake: no TLS came about.
var errHandshake = errors.New("wire: no TLS")

// handshake makes TLS of a connection that has it.
func (c *Conn) handshake(ctx context.Context) error {
	secure, ok := c.conn.(interface{ HandshakeContext(context.Context) error })
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, HandshakeLimit)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		return &handshakeError{err}
	}
	return nil
}

type handshakeError struct{ err error }

func (e *handshakeError) Error() string { return errHandshake.Error() + ": " + e.err.Error() }
func (e *handshakeError) Unwrap() error { return errHandshake }

// exchanges reads message after message until the connection ends.
func (c *Conn) exchanges() error {
	e := c.engine
	r := newReader(c.conn, e.config.Framing, &e.budget, e.limits.FrameLimit)
	defer r.release()
	for {
		now := time.Now()
		c.last.Store(now.UnixNano())
		if err := c.conn.SetReadDeadline(now.Add(e.limits.IdleLimit)); err != nil {
			return err
		}
		payload, err := r.next()
		switch {
		case errors.Is(err, iso8583.ErrPoll):
			c.answer(Answer{Acts: e.poll})
			continue
		case errors.Is(err, iso8583.ErrFrameLength):
			e.config.Handler.BadFrame(c, err)
			return err
		case err != nil:
			return err
		}
		c.spoken.Store(true)
		if answer := e.config.Handler.Message(c, payload); len(answer.Acts) > 0 {
			c.answer(answer)
		}
	}
}

// ended says in a few words how a connection came to its end. A terminal that loses power or
// line inside a frame breaks no rule.
func ended(err error) string {
	var failed *handshakeError
	switch {
	case errors.As(err, &failed):
		return failed.Error()[len("wire: "):]
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "ended inside a frame"
	case errors.Is(err, io.EOF):
		return "closed by the terminal"
	case errors.Is(err, iso8583.ErrFrameLength):
		return "bad frame"
	case errors.Is(err, errSlow):
		return "frame not whole in time"
	case errors.Is(err, errBuffered):
		return "too many bytes of unfinished frames"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "idle"
	case errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrClosedPipe):
		return "closed by the issuer"
	case errors.Is(err, syscall.ECONNRESET):
		return "reset"
	}
	return "line error"
}
