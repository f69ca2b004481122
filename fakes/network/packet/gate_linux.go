package packet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// gate is a link of the machine's that a bench has borrowed.
type gate struct {
	home   netns.NsHandle  // where it belongs
	links  *netlink.Handle // routing netlink there
	name   string
	addrs  []netlink.Addr // that it had there
	wasUp  bool
	moved  bool
	rules  *nftables.Conn // in the terminal's namespace
	bench  *Bench
	inside string // its name while it is borrowed
}

// Gate borrows a network interface of this machine, behind which a real terminal is, until Close. The terminal's side of
// the bench becomes the terminal's gateway: what the terminal sends to the interface's address goes through the router to the
// host's side, at the same port, and back. So every fault acts on a real terminal as it does on a dial from inside.
// address is the one that the terminal dials, with its network. An interface that the machine's own way out leads
// through is refused. After a crash the kernel gives a real interface back, without its addresses.
func (b *Bench) Gate(link string, address netip.Prefix) error {
	return onThread(func() error {
		home, err := netns.Get()
		if err != nil {
			return err
		}
		return b.gateFrom(home, link, address)
	})
}

// gateFrom borrows a link of the namespace home, whose handle it closes when it is done.
func (b *Bench) gateFrom(home netns.NsHandle, link string, address netip.Prefix) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return errors.Join(ErrClosed, home.Close())
	case b.gate != nil:
		return errors.Join(fmt.Errorf("%w: the interface %s is the bench's gate already", ErrSpec, b.gate.name), home.Close())
	}
	g := &gate{home: home, name: link, inside: link, bench: b}
	err := g.borrow(address)
	if err == nil {
		err = g.translate(address.Addr())
	}
	if err != nil {
		return errors.Join(fmt.Errorf("interface %s: %w", link, err), g.giveBack())
	}
	b.gate = g
	return nil
}

// borrow moves the link inside and gives it the address.
func (g *gate) borrow(address netip.Prefix) error {
	var err error
	if g.links, err = netlink.NewHandleAt(g.home, unix.NETLINK_ROUTE); err != nil {
		return err
	}
	l, err := g.links.LinkByName(g.name)
	if err != nil {
		return fmt.Errorf("%w; 'ip link' lists those that there are", err)
	}
	if err := g.spare(l); err != nil {
		return err
	}
	if g.addrs, err = g.links.AddrList(l, netlink.FAMILY_V4); err != nil {
		return err
	}
	g.wasUp = l.Attrs().Flags&net.FlagUp != 0
	if err := g.links.LinkSetNsFd(l, int(g.bench.terminal.handle)); err != nil {
		return unavailable(err)
	}
	g.moved = true
	inside := g.bench.terminal.links
	if l, err = inside.LinkByName(g.inside); err != nil {
		return err
	}
	if err := inside.AddrAdd(l, &netlink.Addr{IPNet: &net.IPNet{IP: address.Addr().AsSlice(), Mask: net.CIDRMask(address.Bits(), 32)}}); err != nil {
		return fmt.Errorf("address: %w", err)
	}
	return inside.LinkSetUp(l)
}

// spare refuses a link that the machine can't do without.
func (g *gate) spare(l netlink.Link) error {
	if l.Attrs().Flags&net.FlagLoopback != 0 {
		return fmt.Errorf("%w: it is the loopback; a terminal is behind another", ErrSpec)
	}
	routes, err := g.links.RouteList(l, netlink.FAMILY_V4)
	if err != nil {
		return err
	}
	for _, r := range routes {
		if r.Dst == nil || r.Dst.IP.IsUnspecified() {
			return fmt.Errorf("%w: this machine's own way out leads through it; a terminal for packet faults needs an interface of its own", ErrSpec)
		}
	}
	return nil
}

// translate lets what comes for the address go to the host's side, as from the terminal's side of the bench.
func (g *gate) translate(address netip.Addr) error {
	var err error
	if g.rules, err = nftables.New(nftables.WithNetNSFd(int(g.bench.terminal.handle)), nftables.AsLasting()); err != nil {
		return unavailable(err)
	}
	table := g.rules.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: prefix + "gate"})
	in := g.rules.AddChain(&nftables.Chain{Name: "in", Table: table, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityNATDest})
	out := g.rules.AddChain(&nftables.Chain{Name: "out", Table: table, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource})
	g.rules.AddRule(&nftables.Rule{Table: table, Chain: in, Exprs: []expr.Any{
		&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: register}, equals(linkName(g.inside)),
		&expr.Payload{DestRegister: register, Base: expr.PayloadBaseNetworkHeader, Offset: 16, Len: 4}, equals(address.AsSlice()), // to
		&expr.Immediate{Register: register, Data: g.bench.plan.host.AsSlice()},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: register},
	}})
	g.rules.AddRule(&nftables.Rule{Table: table, Chain: out, Exprs: []expr.Any{
		&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: register}, equals(linkName(uplink)), &expr.Masq{},
	}})
	if err := g.rules.Flush(); err != nil {
		return unavailable(fmt.Errorf("address translation: %w", err))
	}
	return nil
}

// linkName is a link's name as nftables compares it.
func linkName(name string) []byte {
	padded := make([]byte, unix.IFNAMSIZ)
	copy(padded, name)
	return padded
}

// giveBack moves the link home, with its addresses.
func (g *gate) giveBack() error {
	var failed []error
	if g.rules != nil {
		failed = append(failed, g.rules.CloseLasting()) // its table goes with the namespace
	}
	if g.moved {
		failed = append(failed, g.moveHome())
	}
	if g.links != nil {
		g.links.Close()
	}
	return errors.Join(append(failed, g.home.Close())...)
}

func (g *gate) moveHome() error {
	l, err := g.bench.terminal.links.LinkByName(g.inside)
	if err != nil {
		return err
	}
	if err := g.bench.terminal.links.LinkSetNsFd(l, int(g.home)); err != nil {
		return err
	}
	if l, err = g.links.LinkByName(g.name); err != nil {
		return err
	}
	var failed []error
	for _, a := range g.addrs {
		failed = append(failed, g.links.AddrAdd(l, &netlink.Addr{IPNet: a.IPNet}))
	}
	if g.wasUp {
		failed = append(failed, g.links.LinkSetUp(l))
	}
	return errors.Join(failed...)
}
