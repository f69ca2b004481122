package rungs

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"

	"github.com/assay-hil/assay/fakes/network/dns"
	"github.com/assay-hil/assay/fakes/network/packet"
)

// routed is a wire over TCP whose uplinks and name server are reached through the router of a packet bench: the
// terminal's side dials, the host's side listens. Everything else is loopback.
type routed struct {
	*loopback
	bench *packet.Bench
}

// newRouted makes the bench, which the teardown removes.
func newRouted(t *teardown) (*routed, error) {
	bench, err := packet.New(context.Background()) // the kernel alone is waited for
	if err != nil {
		return nil, err
	}
	t.add("packet bench", bench.Close)
	return &routed{newLoopback(nil), bench}, nil
}

// gated is a routed wire for a terminal that is behind an interface of this machine: it dials the addresses that
// its rig file gives, which lead through the router.
type gated struct {
	*routed
	addresses map[string]string
}

// newGated borrows the interface, which the teardown gives back.
func newGated(t *teardown, link string, addresses map[string]string) (*gated, error) {
	address, err := netip.ParseAddrPort(addresses[uplinkName])
	if err != nil {
		return nil, err
	}
	prefix, err := prefixOn(link, address.Addr())
	if err != nil {
		return nil, err
	}
	r, err := newRouted(t)
	if err != nil {
		return nil, err
	}
	r.loopback = newLoopback(addresses)
	return &gated{r, addresses}, r.bench.Gate(link, prefix)
}

// prefixOn is an address with the network that it has on an interface.
func prefixOn(link string, address netip.Addr) (netip.Prefix, error) {
	i, err := net.InterfaceByName(link)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%s: %w; 'ip link' lists those that there are", link, err)
	}
	all, err := i.Addrs()
	if err != nil {
		return netip.Prefix{}, err
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr() == address {
			return p, nil
		}
	}
	return netip.Prefix{}, fmt.Errorf("%s has not the address %s that the rig file's \"listen\" gives; it has %v", link, address, all)
}

func (g *gated) At(name string) netip.Addr {
	address, err := netip.ParseAddrPort(g.addresses[name])
	if err != nil {
		return netip.Addr{} // a rig file without it
	}
	return address.Addr()
}

// behind says that a name is reached through the router.
func behind(name string) bool { return name == uplinkName || name == backupName || name == namesName }

func (r *routed) Listen(name string) (net.Listener, error) {
	if !behind(name) {
		return r.loopback.Listen(name)
	}
	ln, err := r.bench.Listen(context.Background(), packet.Host, r.own(name))
	if err == nil {
		r.lead(name, ln.Addr().String())
	}
	return ln, err
}

// packets is where packet faults act.
func (r *routed) packets() *packet.Bench { return r.bench }

// own is where a name listens on the host's side: where it did before, or on any port.
func (r *routed) own(name string) string {
	_, port, _ := net.SplitHostPort(r.address(name)) // it has one
	return net.JoinHostPort(r.bench.Addr(packet.Host).String(), port)
}

func (r *routed) Dial(ctx context.Context, name string) (net.Conn, error) {
	if !behind(name) {
		return r.loopback.Dial(ctx, name)
	}
	return r.bench.Dial(ctx, packet.Terminal, r.address(name))
}

func (r *routed) DialBeside(ctx context.Context, name string) (net.Conn, error) {
	return r.bench.Dial(ctx, packet.Host, r.address(name))
}

func (r *routed) DialAt(ctx context.Context, name string, address netip.Addr) (net.Conn, error) {
	_, port, err := net.SplitHostPort(r.address(name))
	if err != nil {
		return nil, err
	}
	return r.bench.Dial(ctx, packet.Terminal, net.JoinHostPort(address.String(), port))
}

func (r *routed) ServeNames(server *dns.Server) (func(context.Context) error, error) {
	var conn net.PacketConn
	err := r.bench.Inside(packet.Host, func() (err error) {
		conn, err = net.ListenPacket("udp4", r.own(namesName))
		return err
	})
	if err != nil {
		return nil, err
	}
	r.lead(namesName, conn.LocalAddr().String())
	return func(ctx context.Context) error { return server.ServePacket(ctx, conn) }, nil
}

func (r *routed) DialNames(ctx context.Context) (conn net.Conn, err error) {
	err = r.bench.Inside(packet.Terminal, func() (err error) {
		var d net.Dialer
		conn, err = d.DialContext(ctx, "udp4", r.address(namesName))
		return err
	})
	return conn, err
}

// kernel is what this machine's kernel can do to packets. It is asked once, when somebody wants to know.
var kernel = sync.OnceValue(func() []packet.Capability { return packet.Probe(context.Background()) })

// noPackets is why this machine can't do packet faults of a kind, in the probe's words; "" when it can.
func noPackets(kind string) string { return missing(kernel(), kind) }

// missing is why a kind is not among the capabilities. One that should work and does not is no reason to skip
// anything: who asks for it has to see it fail.
func missing(all []packet.Capability, kind string) string {
	for _, c := range all {
		if c.Fault == kind && !c.OK && !c.Broken {
			return fmt.Sprintf("packet fault %s: %s", kind, c.Why)
		}
	}
	return ""
}

// NoPackets is why a rung can't do the packet faults that a scenario asks for, by kind; "" when it can.
func NoPackets(r Rung, kinds []string) string {
	var reasons []string
	for _, kind := range kinds {
		if why := r.NoPackets(kind); why != "" {
			reasons = append(reasons, why)
		}
	}
	return strings.Join(reasons, "; ")
}

// errNoPackets is for a rung that is asked for a world that it has said it can't make.
var errNoPackets = errors.New("packet faults can't be made on this rung")
