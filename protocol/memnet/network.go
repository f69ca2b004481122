package memnet

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
)

// Ports given to listeners that ask for port 0, and to dialers, go round from firstPort to
// lastPort.
const (
	firstPort = 49152
	lastPort  = 65535
)

// Network is a set of addresses that can be listened on and dialled. Nothing of it is global:
// two networks know nothing of each other.
type Network struct {
	mu        sync.Mutex
	listeners map[Addr]*listener
	given     int // the port that was given last
}

// New returns a network on which nobody listens.
func New() *Network {
	return &Network{listeners: make(map[Addr]*listener), given: lastPort}
}

// Listen listens on addr, "host:port", any host name; port 0 stands for a free one. An address
// in use is an error that is syscall.EADDRINUSE.
func (n *Network) Listen(addr string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("memnet: listen: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if port == "0" {
		addr = net.JoinHostPort(host, n.nextPort())
	}
	a := Addr(addr) // after a whole round it may be in use: an error, as with a named port
	if n.listeners[a] != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: a, Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
	}
	l := &listener{network: n, addr: a, queue: make(chan *Conn, Backlog), closed: make(chan struct{})}
	n.listeners[a] = l
	return l, nil
}

// nextPort is called with mu held.
func (n *Network) nextPort() string {
	if n.given++; n.given > lastPort {
		n.given = firstPort
	}
	return strconv.Itoa(n.given)
}

// Dial connects to addr. When nobody listens there the error is syscall.ECONNREFUSED; when the
// listener's backlog is full it waits, at most until ctx ends.
func (n *Network) Dial(ctx context.Context, addr string) (net.Conn, error) {
	a := Addr(addr)
	if err := ctx.Err(); err != nil {
		return nil, dialError(a, err)
	}
	n.mu.Lock()
	l := n.listeners[a]
	local := Addr("dialer:" + n.nextPort())
	n.mu.Unlock()
	refused := dialError(a, os.NewSyscallError("connect", syscall.ECONNREFUSED))
	if l == nil {
		return nil, refused
	}
	ours, theirs := pipe(local, a)
	select {
	case l.queue <- theirs:
	case <-l.closed:
		return nil, refused
	case <-ctx.Done():
		return nil, dialError(a, ctx.Err())
	}
	if l.isClosed() { // it may have emptied its queue before our connection got there
		l.resetQueued()
	}
	return ours, nil
}

func dialError(addr Addr, err error) error {
	return &net.OpError{Op: "dial", Net: network, Addr: addr, Err: err}
}

type listener struct {
	network *Network
	addr    Addr
	queue   chan *Conn
	closed  chan struct{} // closed under network.mu
}

// Accept waits for the next connection; after Close it returns net.ErrClosed.
func (l *listener) Accept() (net.Conn, error) {
	if !l.isClosed() {
		select {
		case c := <-l.queue:
			return c, nil
		case <-l.closed:
		}
	}
	return nil, &net.OpError{Op: "accept", Net: network, Addr: l.addr, Err: net.ErrClosed}
}

// Close frees the address, ends a waiting Accept and resets connections that nobody accepted.
func (l *listener) Close() error {
	l.network.mu.Lock()
	if l.isClosed() {
		l.network.mu.Unlock()
		return &net.OpError{Op: "close", Net: network, Addr: l.addr, Err: net.ErrClosed}
	}
	delete(l.network.listeners, l.addr)
	close(l.closed)
	l.network.mu.Unlock()
	l.resetQueued()
	return nil
}

// Addr is the address that was listened on.
func (l *listener) Addr() net.Addr { return l.addr }

func (l *listener) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

func (l *listener) resetQueued() {
	for {
		select {
		case c := <-l.queue:
			_ = c.SetLinger(0) // nobody else has c: it can't be closed yet
			_ = c.Close()
		default:
			return
		}
	}
}
