package rungs

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/assay-hil/assay/fakes/network/dns"
	"github.com/assay-hil/assay/protocol/memnet"
	"github.com/assay-hil/assay/rigs"
)

// Names of the addresses in a world.
const (
	uplinkName         = "primary" // as the terminal calls its uplinks
	backupName         = "backup"
	issuerName         = "issuer"
	issuerControlName  = "issuer-control"
	networkControlName = "network-control"
	namesName          = "names"
)

// wire is the network of a world: names instead of ports, so that the same code runs over TCP and
// in memory. Listening again on a name gives the same address.
type wire interface {
	Listen(name string) (net.Listener, error)
	Dial(ctx context.Context, name string) (net.Conn, error)
	// DialBeside dials a name from where it listens: no packet fault is in between.
	DialBeside(ctx context.Context, name string) (net.Conn, error)
	// At is a name's IP address, as a name server tells it; DialAt dials the port of name at another one.
	At(name string) netip.Addr
	DialAt(ctx context.Context, name string, address netip.Addr) (net.Conn, error)
	// ServeNames opens a name server's ports and gives what serves there until ctx ends; DialNames is the way to it.
	ServeNames(server *dns.Server) (run func(ctx context.Context) error, err error)
	DialNames(ctx context.Context) (net.Conn, error)
}

// nobody is where no host is: packets go there and nothing comes back.
func nobody(ctx context.Context) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// memory is a wire in memory.
type memory struct {
	net *memnet.Network
	*handlers
}

func newMemory() memory { return memory{memnet.New(), &handlers{}} }

func (m memory) Listen(name string) (net.Listener, error) { return m.net.Listen(name + ":1") }

func (m memory) Dial(ctx context.Context, name string) (net.Conn, error) {
	return m.net.Dial(ctx, name+":1")
}

func (m memory) DialBeside(ctx context.Context, name string) (net.Conn, error) {
	return m.Dial(ctx, name)
}

// memoryAddresses are where a name server says that uplinks are (RFC 5737: documentation).
var memoryAddresses = map[string]netip.Addr{
	uplinkName: netip.MustParseAddr("198.51.100.1"),
	backupName: netip.MustParseAddr("198.51.100.2"),
}

func (m memory) At(name string) netip.Addr { return memoryAddresses[name] }

func (m memory) DialAt(ctx context.Context, name string, address netip.Addr) (net.Conn, error) {
	if address != m.At(name) {
		return nobody(ctx)
	}
	return m.Dial(ctx, name)
}

func (m memory) ServeNames(server *dns.Server) (func(context.Context) error, error) {
	ln, err := m.Listen(namesName)
	return func(ctx context.Context) error { return server.ServeStream(ctx, ln) }, err
}

func (m memory) DialNames(ctx context.Context) (net.Conn, error) { return m.Dial(ctx, namesName) }

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

func (l *loopback) DialBeside(ctx context.Context, name string) (net.Conn, error) {
	return l.Dial(ctx, name)
}

func (l *loopback) At(name string) netip.Addr {
	address, err := netip.ParseAddrPort(l.address(name))
	if err != nil {
		return netip.Addr{} // a rig's own that is no address: the listener has complained
	}
	return address.Addr()
}

// DialAt stays on this machine: elsewhere there is nobody on a bench.
func (l *loopback) DialAt(ctx context.Context, name string, address netip.Addr) (net.Conn, error) {
	if !address.IsLoopback() {
		return nobody(ctx)
	}
	_, port, err := net.SplitHostPort(l.address(name))
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", net.JoinHostPort(address.String(), port))
}

// ServeNames serves over UDP.
func (l *loopback) ServeNames(server *dns.Server) (func(context.Context) error, error) {
	conn, err := net.ListenPacket("udp", l.address(namesName))
	if err != nil && l.fixed(namesName) != "" {
		return nil, rigs.Fault(namesName, "listen", fmt.Errorf("%w; is another name server there, or is \"listen-names\" in the rig file no address of this machine?", err))
	}
	if err != nil {
		return nil, err
	}
	l.lead(namesName, conn.LocalAddr().String())
	return func(ctx context.Context) error { return server.ServePacket(ctx, conn) }, nil
}

func (l *loopback) DialNames(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "udp", l.address(namesName))
}

// fixed is the address that a rig file gave to a name; "" where any will do.
func (l *loopback) fixed(name string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.given[name] {
		return l.addresses[name]
	}
	return ""
}

// lead lets a name lead to what listens elsewhere.
func (l *loopback) lead(name, address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.addresses[name] = address
}

func (l *loopback) address(name string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a, ok := l.addresses[name]; ok {
		return a
	}
	return "127.0.0.1:0"
}
