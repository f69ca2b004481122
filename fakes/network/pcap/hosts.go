package pcap

import (
	"net"
	"net/netip"
	"strconv"
)

// hosts gives IP addresses to hosts that have none. The zero value is ready.
type hosts struct {
	byName map[string]netip.Addr
}

// address is the IP address and port of addr, and the host's name if the address is made up.
func (h *hosts) address(addr net.Addr) (mapped netip.AddrPort, name string) {
	if addr == nil {
		return netip.AddrPortFrom(h.of("unknown"), 0), "unknown"
	}
	if a, err := netip.ParseAddrPort(addr.String()); err == nil {
		return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port()), ""
	}
	name, text, err := net.SplitHostPort(addr.String())
	if err != nil {
		name = addr.String()
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		port = 0 // Wireshark shows it as it is
	}
	return netip.AddrPortFrom(h.of(name), uint16(port)), name
}

// of is the address of a host name: 10.0.0.1 for the first, and so on.
func (h *hosts) of(name string) netip.Addr {
	if a, known := h.byName[name]; known {
		return a
	}
	if h.byName == nil {
		h.byName = make(map[string]netip.Addr)
	}
	n := len(h.byName) + 1
	if n > MaxHosts {
		return netip.AddrFrom4([4]byte{10, 255, 255, 254})
	}
	a := netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
	h.byName[name] = a
	return a
}
