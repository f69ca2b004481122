package rungs

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/assay-hil/assay/protocol/memnet"
	"github.com/assay-hil/assay/rigs"
)

// Names of the addresses in a world.
const (
	uplinkName         = "uplink"
	issuerName         = "issuer"
	issuerControlName  = "issuer-control"
	networkControlName = "network-control"
)

// wire is the network of a world: names instead of ports, so that the same code runs over TCP and
// in memory. Listening again on a name gives the same address.
type wire interface {
	Listen(name string) (net.Listener, error)
	Dial(ctx context.Context, name string) (net.Conn, error)
}

// memory is a wire in memory.
type memory struct{ net *memnet.Network }

func (m memory) Listen(name string) (net.Listener, error) { return m.net.Listen(name + ":1") }

func (m memory) Dial(ctx context.Context, name string) (net.Conn, error) {
	return m.net.Dial(ctx, name+":1")
}

// loopback is a wire over TCP. Names without an address of their own get a free port of 127.0.0.1.
type loopback struct {
	mu        sync.Mutex
	addresses map[string]string
	given     map[string]bool // addresses that a rig file gave
}

func newLoopback(fixed map[string]string) *loopback {
	l := &loopback{addresses: map[string]string{}, given: map[string]bool{}}
	for name, address := range fixed {
		l.addresses[name], l.given[name] = address, true
	}
	return l
}

func (l *loopback) Listen(name string) (net.Listener, error) {
	ln, err := net.Listen("tcp", l.address(name))
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil && l.given[name] {
		// The rig's own address: who sees this has to look at the rig, not at assay.
		return nil, rigs.Fault(name, "listen", fmt.Errorf("%w; is another run on this rig, or is \"listen\" in the rig file no address of this machine?", err))
	}
	if err != nil {
		return nil, err
	}
	if _, ok := l.addresses[name]; !ok {
		l.addresses[name] = ln.Addr().String()
	}
	return ln, nil
}

func (l *loopback) Dial(ctx context.Context, name string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", l.address(name))
}

func (l *loopback) address(name string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a, ok := l.addresses[name]; ok {
		return a
	}
	return "127.0.0.1:0"
}
