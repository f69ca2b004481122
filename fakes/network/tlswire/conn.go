package tlswire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Reasons for the end of a handshake that package tls does not know.
var (
	errTooLong     = fmt.Errorf("not done within %v", HandshakeLimit)
	errLeft        = errors.New("the terminal left")
	errAlert       = errors.New("alert sent")
	errNoReset     = errors.New("tlswire: the connection beneath cannot be reset")
	errNoHalfClose = errors.New("tlswire: the connection beneath cannot be half-closed")
	errNoSocket    = errors.New("tlswire: the connection beneath is no socket")
)

// conn is one terminal's connection: a tls.Conn that does not hang at its ends.
type conn struct {
	endpoint *Endpoint
	uplink   string
	wire     *wire
	tls      *tls.Conn
	ctx      context.Context // ends with the connection
	cancel   context.CancelCauseFunc

	once  sync.Once
	done  atomic.Bool // the handshake is completed
	err   error       // of the handshake
	limit *time.Timer // of the handshake
	fault string      // that the handshake met
	name  string      // that the terminal asked for
}

// Read reads what the terminal sent, after the handshake. Errors in the handshake are
// ErrHandshake; else io.EOF after close_notify, io.ErrUnexpectedEOF when the stream ends without.
func (c *conn) Read(p []byte) (int, error) {
	if err := c.handshake(); err != nil {
		return 0, err
	}
	n, err := c.tls.Read(p)
	if op := (*net.OpError)(nil); errors.As(err, &op) && op.Op == "remote error" {
		c.report("alert", map[string]string{"why": op.Err.Error()})
	}
	return n, err
}

// Write sends to the terminal, after the handshake.
func (c *conn) Write(p []byte) (int, error) {
	if err := c.handshake(); err != nil {
		return 0, err
	}
	set := c.endpoint.current()
	fault := set.record(c.uplink)
	if fault == nil {
		return c.tls.Write(p)
	}
	c.wire.flipNext()
	n, err := c.tls.Write(p)
	if err == nil {
		set.fire(fault, c)
	}
	return n, err
}

// handshake does the handshake, once; who else needs it waits.
func (c *conn) handshake() error {
	c.once.Do(func() {
		c.limit = time.AfterFunc(HandshakeLimit, func() { c.cancel(errTooLong) })
		err := c.tls.HandshakeContext(c.ctx)
		c.limit.Stop()
		if cause := context.Cause(c.ctx); err != nil && cause != nil {
			err = cause
		}
		if errors.Is(err, io.EOF) {
			err = errLeft
		}
		fields := map[string]string{"outcome": "completed", "name": c.name, "fault": c.fault}
		if err != nil {
			fields["outcome"], fields["why"] = "failed", err.Error()
			c.err = fmt.Errorf("%w: %w", ErrHandshake, err)
		} else {
			c.done.Store(true)
			fields["version"] = tls.VersionName(c.tls.ConnectionState().Version)
		}
		c.report("handshake", fields)
	})
	return c.err
}

// report adds uplink and peer and leaves out what is empty.
func (c *conn) report(kind string, fields map[string]string) {
	fields["uplink"], fields["peer"] = c.uplink, c.peer()
	for k, v := range fields {
		if v == "" {
			delete(fields, k)
		}
	}
	c.endpoint.current().report(kind, fields)
}

func (c *conn) peer() string { return c.wire.RemoteAddr().String() }

// Close says goodbye (close_notify) if there is time for it, and closes. After SetLinger(0) it
// resets without a word.
func (c *conn) Close() error {
	c.cancel(net.ErrClosed)
	if c.wire.closing() {
		return c.wire.Conn.Close()
	}
	return c.tls.Close()
}

// CloseWrite ends the stream to the terminal with close_notify; reading goes on. Before the
// handshake is completed it waits for nothing: then it is that of the connection beneath.
func (c *conn) CloseWrite() error {
	c.wire.closing()
	if c.done.Load() {
		return c.tls.CloseWrite()
	}
	h, ok := c.wire.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errNoHalfClose
	}
	return h.CloseWrite()
}

// SetLinger is that of the connection beneath.
func (c *conn) SetLinger(sec int) error {
	lingerer, ok := c.wire.Conn.(interface{ SetLinger(sec int) error })
	if !ok {
		return errNoReset
	}
	err := lingerer.SetLinger(sec)
	if err == nil {
		c.wire.setAbort(sec == 0)
	}
	return err
}

// SyscallConn is that of the connection beneath: its send queue is this one's.
func (c *conn) SyscallConn() (syscall.RawConn, error) {
	if s, ok := c.wire.Conn.(syscall.Conn); ok {
		return s.SyscallConn()
	}
	return nil, errNoSocket
}

// The rest is that of package tls.

func (c *conn) LocalAddr() net.Addr                { return c.tls.LocalAddr() }
func (c *conn) RemoteAddr() net.Addr               { return c.tls.RemoteAddr() }
func (c *conn) SetDeadline(t time.Time) error      { return c.tls.SetDeadline(t) }
func (c *conn) SetReadDeadline(t time.Time) error  { return c.tls.SetReadDeadline(t) }
func (c *conn) SetWriteDeadline(t time.Time) error { return c.tls.SetWriteDeadline(t) }
