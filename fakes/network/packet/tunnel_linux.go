package packet

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// The way through the TUN device: the router's rules send what comes from a side to a table
// of routes whose only one is the device; what comes back out of it goes its usual way.
const (
	tunDevice   = "/dev/net/tun"
	tunName     = "assay0"
	tunTable    = 77
	tunPriority = 100
	tunQueue    = 4096 // packets
)

// tunnel is the router's TUN device and the forwarder behind it.
type tunnel struct {
	*forwarder
	links *netlink.Handle
	on    bool // packets are led through it
}

// through is a fault in the tunnel.
type through struct {
	*impairment
	tunnel *tunnel
}

// armTunnel arms a fault in the TUN device, which is made for the first one.
func (b *Bench) armTunnel(s Spec) (acting, error) {
	if b.tunnel == nil {
		var err error
		if b.tunnel, err = b.newTunnel(); err != nil {
			return nil, err
		}
	}
	fault := newImpairment(b.tunnel.forwarder, s)
	b.tunnel.add(fault)
	if err := b.tunnel.lead(true); err != nil {
		return nil, errors.Join(err, through{fault, b.tunnel}.heal())
	}
	return through{fault, b.tunnel}, nil
}

// heal ends the fault; after the last one packets go their usual way.
func (t through) heal() error {
	if left := t.tunnel.remove(t.impairment, time.Now()); left > 0 {
		return nil
	}
	return t.tunnel.lead(false)
}

func (b *Bench) newTunnel() (*tunnel, error) {
	var file *os.File
	err := b.router.do(func() (err error) {
		file, err = openTUN()
		return err
	})
	if err != nil {
		return nil, err
	}
	t := &tunnel{links: b.router.links}
	if err := t.route(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	t.forwarder = newForwarder(file, b.plan.terminal)
	return t, nil
}

// openTUN makes the device in the namespace of this thread. It is gone when it is closed.
func openTUN() (*os.File, error) {
	fd, err := unix.Open(tunDevice, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: tunDevice, Err: err}
	}
	request, err := unix.NewIfreq(tunName)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("TUN device %s: %w", tunName, err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), tunDevice), nil
}

// route sets the device up with a table of its own.
func (t *tunnel) route() error {
	device, err := t.links.LinkByName(tunName)
	if err != nil {
		return err
	}
	if err := t.links.LinkSetTxQLen(device, tunQueue); err != nil {
		return fmt.Errorf("%s: queue: %w", tunName, err)
	}
	if err := t.links.LinkSetUp(device); err != nil {
		return fmt.Errorf("%s: up: %w", tunName, err)
	}
	everywhere := &net.IPNet{IP: net.IPv4zero, Mask: net.CIDRMask(0, 32)}
	return t.links.RouteAdd(&netlink.Route{
		LinkIndex: device.Attrs().Index, Dst: everywhere, Table: tunTable, Scope: netlink.SCOPE_LINK,
	})
}

// lead leads what comes from either side through the device, or no longer.
func (t *tunnel) lead(on bool) error {
	if t.on == on {
		return nil
	}
	for _, from := range []string{Terminal, Host} {
		rule := netlink.NewRule()
		rule.Family, rule.IifName, rule.Table, rule.Priority = unix.AF_INET, from, tunTable, tunPriority
		change := t.links.RuleDel
		if on {
			change = t.links.RuleAdd
		}
		err := change(rule)
		// Half-led from an attempt before is no error.
		if err != nil && !errors.Is(err, syscall.EEXIST) && !errors.Is(err, syscall.ENOENT) {
			return fmt.Errorf("rule for packets from the %s: %w", from, err)
		}
	}
	t.on = on
	return nil
}
