package packet

import (
	"encoding/binary"
	"net/netip"
)

// connection is a TCP connection by its ends.
type connection struct{ terminal, host netip.AddrPort }

// segment is what a TCP packet over IPv4 says of itself.
type segment struct {
	connection
	fromTerminal bool
	seq, ack     uint32
	flags        byte
	data         int // bytes
}

// Sizes of headers without options, in bytes (RFC 791, 3.1; RFC 9293, 3.1).
const (
	ipHeader  = 20
	tcpHeader = 20
	protoTCP  = 6
)

// parse reads an IP packet that comes from the terminal, or goes to it. It is false for
// everything that is not a whole TCP header: other protocols, later fragments, rubbish.
func parse(packet []byte, terminal netip.Addr) (segment, bool) {
	if len(packet) < ipHeader || packet[0]>>4 != 4 {
		return segment{}, false
	}
	header := int(packet[0]&0xf) * 4
	total := int(binary.BigEndian.Uint16(packet[2:]))
	offset := binary.BigEndian.Uint16(packet[6:]) & 0x1fff
	if header < ipHeader || total > len(packet) || total < header+tcpHeader || packet[9] != protoTCP || offset != 0 {
		return segment{}, false
	}
	tcp := packet[header:total]
	data := len(tcp) - int(tcp[12]>>4)*4
	if tcp[12]>>4 < tcpHeader/4 || data < 0 {
		return segment{}, false
	}
	source := netip.AddrPortFrom(netip.AddrFrom4([4]byte(packet[12:])), binary.BigEndian.Uint16(tcp))
	target := netip.AddrPortFrom(netip.AddrFrom4([4]byte(packet[16:])), binary.BigEndian.Uint16(tcp[2:]))
	s := segment{
		connection:   connection{terminal: source, host: target},
		fromTerminal: source.Addr() == terminal,
		seq:          binary.BigEndian.Uint32(tcp[4:]), ack: binary.BigEndian.Uint32(tcp[8:]),
		flags: tcp[13], data: data,
	}
	if !s.fromTerminal {
		s.connection = connection{terminal: target, host: source}
	}
	return s, true
}
