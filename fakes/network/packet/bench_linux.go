package packet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/google/nftables"
)

// dialLimit bounds a dial whose context has no deadline: longer than a kernel tries by itself.
const dialLimit = 3 * time.Minute

// Bench is a terminal's side, a router and a host's side, each in a network namespace of its
// own. Its methods may be called by many at a time.
type Bench struct {
	terminal, router, host *namespace
	plan                   plan
	rules                  *nftables.Conn // in the router

	mu      sync.Mutex
	faults  []*fault // in the order of arming, healed ones too
	serial  int      // names the next fault's table
	tunnel  *tunnel  // nil until a fault needs it
	gate    *gate    // nil without one
	watched chan struct{}
	stop    chan struct{} // closed by Close
	closed  bool
}

// New makes a bench, after removing what dead processes left behind. The context bounds the
// making; Close ends the bench. The error is ErrUnavailable where this machine lacks a right or a
// part of the kernel that it needs; any other says that it failed although the machine can.
func New(ctx context.Context) (*Bench, error) {
	if _, err := Clean(ctx); err != nil {
		return nil, fmt.Errorf("clean up before: %w", err)
	}
	return newBench(ctx)
}

func newBench(ctx context.Context) (*Bench, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b := &Bench{stop: make(chan struct{})}
	if err := b.build(); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// build makes what a bench consists of. After an error Close removes what there is.
func (b *Bench) build() error {
	number, err := b.makeNamespaces()
	if err != nil {
		return err
	}
	if err := b.wire(number); err != nil {
		return err
	}
	b.rules, err = nftables.New(nftables.WithNetNSFd(int(b.router.handle)), nftables.AsLasting())
	if err != nil {
		return unavailable(fmt.Errorf("nftables: %w", err))
	}
	return nil
}

// makeNamespaces makes all three under the first number that is free in this process.
func (b *Bench) makeNamespaces() (int, error) {
	me := name{}
	var err error
	if me.pid, me.start, err = self(); err != nil {
		return 0, err
	}
	for me.bench = 1; me.bench <= maxBenches; me.bench++ {
		me.role = "router"
		b.router, err = newNamespace(me)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		for role, to := range map[string]**namespace{Terminal: &b.terminal, Host: &b.host} {
			if err == nil {
				me.role = role
				*to, err = newNamespace(me)
			}
		}
		if err != nil {
			return 0, unavailable(err)
		}
		return me.bench, nil
	}
	return 0, fmt.Errorf("%d benches are open, close one", maxBenches)
}

// Addr is the address of a side, [Terminal] or [Host].
func (b *Bench) Addr(side string) netip.Addr {
	if side == Terminal {
		return b.plan.terminal
	}
	return b.plan.host
}

// Namespace is the path of a side's namespace, for example for "ip netns exec" with its last part.
func (b *Bench) Namespace(side string) string {
	n, err := b.side(side)
	if err != nil {
		return ""
	}
	return n.name.path()
}

func (b *Bench) side(side string) (*namespace, error) {
	switch side {
	case Terminal:
		return b.terminal, nil
	case Host:
		return b.host, nil
	}
	return nil, fmt.Errorf("%w: %s", ErrSpec, strict.UnknownMessage("side", side, []string{Terminal, Host}))
}

// Inside runs f on a thread in a side's namespace. What f opens belongs there; what it starts
// with go does not run there.
func (b *Bench) Inside(side string, f func() error) error {
	n, err := b.side(side)
	if err != nil {
		return err
	}
	b.mu.Lock()
	closed := b.closed
	b.mu.Unlock()
	if closed {
		return ErrClosed
	}
	return n.do(f)
}

// Dial opens a TCP connection from a side to an address, "IP:port".
func (b *Bench) Dial(ctx context.Context, side, address string) (net.Conn, error) {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, fmt.Errorf("dial %q: an IP address and a port are needed: %w", address, err)
	}
	var conn net.Conn
	err = b.Inside(side, func() error {
		dialer := net.Dialer{Timeout: dialLimit}
		conn, err = dialer.DialContext(ctx, "tcp4", target.String())
		return err
	})
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// Listen waits for TCP connections on a side, at "IP:port" or ":port"; port 0 is a free one.
func (b *Bench) Listen(ctx context.Context, side, address string) (net.Listener, error) {
	var listener net.Listener
	err := b.Inside(side, func() (err error) {
		var config net.ListenConfig
		config.SetMultipathTCP(false) // plain TCP, as a host has
		listener, err = config.Listen(ctx, "tcp4", address)
		return err
	})
	if err != nil {
		return nil, err
	}
	return listener, nil
}

// Close heals every fault and removes the bench. Connections made in it die with their owners.
func (b *Bench) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil
	}
	b.closed = true
	close(b.stop)
	failed := []error{b.healAll()}
	watched := b.watched
	b.mu.Unlock()
	if watched != nil {
		<-watched
	}
	if b.tunnel != nil {
		failed = append(failed, b.tunnel.close())
	}
	if b.rules != nil {
		failed = append(failed, b.rules.CloseLasting())
	}
	if b.gate != nil {
		failed = append(failed, b.gate.giveBack())
	}
	for _, n := range []*namespace{b.terminal, b.router, b.host} {
		if n != nil {
			failed = append(failed, n.remove())
		}
	}
	return errors.Join(failed...)
}
