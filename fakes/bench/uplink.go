package bench

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/assay-hil/assay/fakes/terminal"
)

// ConnectionLimit is how many connections the terminal's network chip holds at once.
const ConnectionLimit = 16

// ErrConnections is what the terminal's dialer fails with beyond ConnectionLimit.
var ErrConnections = errors.New("too many open connections")

// uplink is the terminal's network chip. A terminal that loses its supply says nothing more on
// its connections, not even that they are over: its peers see silence, until the chip has power
// again and answers their segments with resets.
type uplink struct {
	mu   sync.Mutex // never held while waiting
	open []*conn    // the oldest first
}

// conn is a connection of a terminal that has its supply until the context ends.
type conn struct {
	net.Conn
	supply context.Context
	uplink *uplink
}

// connect gives the dialers to a terminal that has its supply until that context ends.
func (b *Bench) connect(h *terminal.Hardware, supply context.Context) {
	h.Dial = func(ctx context.Context, name string) (net.Conn, error) {
		return b.uplink.dial(supply, func() (net.Conn, error) {
			if err := b.modem(); err != nil {
				return nil, err
			}
			return b.cfg.Dial(ctx, name)
		})
	}
	if b.cfg.DialAt != nil {
		h.DialAt = func(ctx context.Context, name string, address netip.Addr) (net.Conn, error) {
			return b.uplink.dial(supply, func() (net.Conn, error) { return b.cfg.DialAt(ctx, name, address) })
		}
	}
	if b.cfg.DialNames != nil {
		h.DialNames = func(ctx context.Context) (net.Conn, error) {
			return b.uplink.dial(supply, func() (net.Conn, error) { return b.cfg.DialNames(ctx) })
		}
	}
}

// dial opens a connection of a terminal that has its supply until that context ends.
func (u *uplink) dial(supply context.Context, open func() (net.Conn, error)) (net.Conn, error) {
	if err := supply.Err(); err != nil {
		return nil, err
	}
	raw, err := open()
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: raw, supply: supply, uplink: u}
	u.mu.Lock()
	full := len(u.open) >= ConnectionLimit
	if !full {
		u.open = append(u.open, c)
	}
	u.mu.Unlock()
	if full {
		return nil, errors.Join(ErrConnections, raw.Close())
	}
	if datagrams, ok := raw.(net.PacketConn); ok {
		return &packetConn{c, datagrams}, nil
	}
	return c, nil
}

// packetConn is one for datagrams. Its peer is fixed, so that only Read and Write, Close and the
// deadlines are used.
type packetConn struct {
	*conn
	net.PacketConn
}

// Close, the deadlines and the address are those of both.

func (p *packetConn) Close() error                       { return p.conn.Close() }
func (p *packetConn) LocalAddr() net.Addr                { return p.conn.LocalAddr() }
func (p *packetConn) SetDeadline(t time.Time) error      { return p.conn.SetDeadline(t) }
func (p *packetConn) SetReadDeadline(t time.Time) error  { return p.conn.SetReadDeadline(t) }
func (p *packetConn) SetWriteDeadline(t time.Time) error { return p.conn.SetWriteDeadline(t) }

// Read fails once the supply is gone.
func (c *conn) Read(p []byte) (int, error) {
	if err := c.supply.Err(); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// Write fails once the supply is gone.
func (c *conn) Write(p []byte) (int, error) {
	if err := c.supply.Err(); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// Close closes the connection; without a supply it can't, and the peer is told nothing.
func (c *conn) Close() error {
	if c.supply.Err() != nil {
		return nil
	}
	c.uplink.forget(c)
	return c.Conn.Close()
}

// cut ends what is in progress on the connections and leaves them open. It is called when the
// supply is gone.
func (u *uplink) cut() {
	for _, c := range u.list() {
		_ = c.SetDeadline(time.Unix(1, 0)) // fails only on a connection that is over anyway
	}
}

// reset aborts the connections that the last cut left behind.
func (u *uplink) reset() error {
	var errs []error
	for _, c := range u.list() {
		u.forget(c)
		if lingering, ok := c.Conn.(interface{ SetLinger(seconds int) error }); ok {
			_ = lingering.SetLinger(0) // else the peer sees an ordinary end
		}
		if err := c.Conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (u *uplink) forget(c *conn) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.open = slices.DeleteFunc(u.open, func(other *conn) bool { return other == c })
}

func (u *uplink) list() []*conn {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.open)
}
