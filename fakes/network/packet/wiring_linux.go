package packet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Links of a bench. The router's are named after the side that they lead to.
const (
	uplink   = "uplink" // of a terminal or host
	firstNet = 200      // bench n uses 10.(200+n).0.0/16, or the next one that is free
	lastNet  = 254

	// A link is asked so often and so long if it is ready.
	readyPause = time.Millisecond
	readyLimit = 5 * time.Second
)

// plan is a bench's addresses: two links of the router's, each a /24.
type plan struct {
	terminal, toTerminal netip.Addr
	host, toHost         netip.Addr
}

// planAt puts a bench into 10.second.0.0/16.
func planAt(second byte) plan {
	at := func(link, end byte) netip.Addr { return netip.AddrFrom4([4]byte{10, second, link, end}) }
	return plan{terminal: at(1, 2), toTerminal: at(1, 1), host: at(2, 2), toHost: at(2, 1)}
}

// pick chooses addresses that this machine does not use itself, so that a trace can't be
// misread. Inside they could collide with nobody.
func pick(number int) (plan, error) {
	used, err := net.InterfaceAddrs()
	if err != nil {
		return plan{}, err
	}
	const nets = lastNet - firstNet + 1
	for i := range nets {
		second := byte(firstNet + (number+i)%nets)
		block := &net.IPNet{IP: net.IPv4(10, second, 0, 0), Mask: net.CIDRMask(16, 32)}
		if !overlaps(block, used) {
			return planAt(second), nil
		}
	}
	return plan{}, fmt.Errorf("10.%d.0.0/16 to 10.%d.0.0/16 are all in use on this machine", firstNet, lastNet)
}

func overlaps(block *net.IPNet, used []net.Addr) bool {
	for _, addr := range used {
		other, ok := addr.(*net.IPNet)
		if ok && (block.Contains(other.IP) || other.Contains(block.IP)) {
			return true
		}
	}
	return false
}

// wire links the namespaces and gives them addresses and routes.
func (b *Bench) wire(number int) error {
	var err error
	if b.plan, err = pick(number); err != nil {
		return err
	}
	if err := b.connect(b.terminal, Terminal, b.plan.terminal, b.plan.toTerminal); err != nil {
		return unavailable(fmt.Errorf("link to the terminal: %w", err))
	}
	if err := b.connect(b.host, Host, b.plan.host, b.plan.toHost); err != nil {
		return unavailable(fmt.Errorf("link to the host: %w", err))
	}
	return nil
}

// connect makes the link between a side and the router, both ends inside from the beginning.
func (b *Bench) connect(side *namespace, role string, address, router netip.Addr) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = role
	attrs.MTU = MTU
	pair := netlink.NewVeth(attrs)
	pair.PeerName = uplink
	pair.PeerNamespace = netlink.NsFd(side.handle)
	pair.PeerMTU = MTU
	if err := b.router.links.LinkAdd(pair); err != nil {
		return err
	}
	inner, err := raise(b.router, role, router)
	if err != nil {
		return err
	}
	outer, err := raise(side, uplink, address)
	if err != nil {
		return err
	}
	if err := introduce(b.router, inner, address, outer); err != nil {
		return err
	}
	if err := adopt(side, outer, router, inner); err != nil {
		return err
	}
	return errors.Join(ready(b.router, inner), ready(side, outer))
}

// ready waits until a link carries packets: the kernel notices in its own time that the other
// end is up, and until then the first packets would be lost.
func ready(n *namespace, link netlink.Link) error {
	for begin := time.Now(); ; <-time.After(readyPause) {
		now, err := n.links.LinkByIndex(link.Attrs().Index)
		if err != nil {
			return err
		}
		if now.Attrs().OperState == netlink.OperUp {
			return nil
		}
		if time.Since(begin) > readyLimit {
			return fmt.Errorf("%s: not ready within %v but %s", link.Attrs().Name, readyLimit, now.Attrs().OperState)
		}
	}
}

// raise gives a link its address and sets it up.
func raise(n *namespace, link string, address netip.Addr) (netlink.Link, error) {
	l, err := n.links.LinkByName(link)
	if err != nil {
		return nil, err
	}
	// A link that segments by itself would carry packets of many times its MTU up to the far end.
	if err := n.links.LinkSetGSOMaxSegs(l, 1); err != nil {
		return nil, fmt.Errorf("%s: segment offload: %w", link, err)
	}
	if err := n.links.AddrAdd(l, &netlink.Addr{IPNet: &net.IPNet{IP: address.AsSlice(), Mask: net.CIDRMask(24, 32)}}); err != nil {
		return nil, fmt.Errorf("%s: address: %w", link, err)
	}
	return l, n.links.LinkSetUp(l)
}

// introduce tells a side the other's link address, so that no ARP is lost or held by a fault.
func introduce(n *namespace, link netlink.Link, address netip.Addr, far netlink.Link) error {
	return n.links.NeighSet(&netlink.Neigh{
		LinkIndex: link.Attrs().Index, Family: unix.AF_INET, State: netlink.NUD_PERMANENT,
		IP: address.AsSlice(), HardwareAddr: far.Attrs().HardwareAddr,
	})
}

// adopt gives a side its way to everywhere, through the router. A link that was down has
// forgotten it.
func adopt(side *namespace, link netlink.Link, router netip.Addr, far netlink.Link) error {
	if err := introduce(side, link, router, far); err != nil {
		return err
	}
	return side.links.RouteReplace(&netlink.Route{LinkIndex: link.Attrs().Index, Gw: router.AsSlice()})
}

// self is the process's ID and when it started.
func self() (pid int, start uint64, err error) {
	pid = os.Getpid()
	start, err = startOf(pid)
	return pid, start, err
}
