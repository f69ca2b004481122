package pcap

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// Stream is one leg of a connection: a TCP conversation of the capture. Its methods may be called
// by many at once, and are methods of a nil Stream too, which writes nothing.
type Stream struct {
	writer *Writer
	side   string
	ends   [2]end // who dialled and who was dialled
	reset  bool
}

// end is what one end has sent so far.
type end struct {
	addr   netip.AddrPort
	mac    net.HardwareAddr
	next   uint32 // sequence number of the next byte
	unseen int    // bytes that the other end has not acknowledged
	fin    bool
}

// Peers of a stream, as the methods take them.
const (
	Dialler  = 0 // who opened the connection
	Listener = 1 // who accepted it
)

// Open begins a leg on a side, Terminal or Host, with its three packets of a handshake. The
// comment, for example "uplink primary, connection 7", is put on the first of them.
func (w *Writer) Open(side string, dialler, listener net.Addr, comment string) *Stream {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opened++
	s := &Stream{writer: w, side: side}
	for i, addr := range []net.Addr{dialler, listener} {
		mapped, name := w.hosts.address(addr)
		if name != "" {
			comment += fmt.Sprintf("; %v is %s", mapped.Addr(), name)
		}
		s.ends[i] = end{addr: mapped, mac: net.HardwareAddr{0x02, 0, 0, 0, 0, byte(i + 1)}, next: w.opened<<streamShift + uint32(i)<<31}
	}
	s.send(Dialler, layers.TCP{SYN: true}, nil, comment)
	s.send(Listener, layers.TCP{SYN: true, ACK: true}, nil, "")
	s.send(Dialler, layers.TCP{ACK: true}, nil, "")
	return s
}

const (
	// streamShift keeps the initial sequence numbers of streams apart, so that one that has the
	// addresses of an earlier one is not taken for its continuation.
	streamShift = 20
	// maxUnseen is how much is sent before it is acknowledged, as in a kernel's delayed
	// acknowledgement; it is far less than the window.
	maxUnseen = 16 << 10
	window    = 65535
)

// Data is what one peer sent, masked.
func (s *Stream) Data(from int, payload []byte) {
	if s == nil {
		return
	}
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	for len(payload) > 0 && !s.reset && !s.ends[from].fin {
		n := min(len(payload), MaxSegment)
		s.send(from, layers.TCP{PSH: true, ACK: true}, payload[:n], "")
		if s.ends[from].unseen > maxUnseen {
			s.send(1-from, layers.TCP{ACK: true}, nil, "")
		}
		payload = payload[n:]
	}
}

// Fin is the orderly end of what one peer sends. It is shown once.
func (s *Stream) Fin(from int) {
	if s == nil {
		return
	}
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	if s.reset || s.ends[from].fin {
		return
	}
	s.send(from, layers.TCP{FIN: true, ACK: true}, nil, "")
	s.ends[from].fin = true
	s.send(1-from, layers.TCP{ACK: true}, nil, "")
}

// Reset is the end of both directions by one peer. Nothing is shown after it.
func (s *Stream) Reset(from int) {
	if s == nil {
		return
	}
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	if s.reset || s.ends[Dialler].fin && s.ends[Listener].fin {
		return
	}
	s.send(from, layers.TCP{RST: true, ACK: true}, nil, "")
	s.reset = true
}

// send writes one packet, and counts on. The writer is locked.
func (s *Stream) send(from int, tcp layers.TCP, payload []byte, comment string) {
	a, b := &s.ends[from], &s.ends[1-from]
	tcp.SrcPort, tcp.DstPort = layers.TCPPort(a.addr.Port()), layers.TCPPort(b.addr.Port())
	tcp.Seq, tcp.Window = a.next, window
	if tcp.ACK {
		tcp.Ack = b.next
		b.unseen = 0
	}
	a.unseen += len(payload)
	a.next += uint32(len(payload))
	if tcp.SYN || tcp.FIN {
		a.next++
	}
	raw, err := pack(a, b, &tcp, payload)
	if err != nil {
		s.writer.fail(err)
		return
	}
	s.writer.packet(s.side, raw, comment)
}

func (w *Writer) fail(err error) {
	if w.err == nil {
		w.err = fmt.Errorf("pcap: %w", err)
	}
}

// pack makes the bytes of one packet.
func pack(from, to *end, tcp *layers.TCP, payload []byte) ([]byte, error) {
	ethernet := layers.Ethernet{SrcMAC: from.mac, DstMAC: to.mac, EthernetType: layers.EthernetTypeIPv4}
	var ip interface {
		gopacket.NetworkLayer
		gopacket.SerializableLayer
	}
	const hops = 64
	if src, dst := from.addr.Addr(), to.addr.Addr(); src.Is4() && dst.Is4() {
		ip = &layers.IPv4{Version: 4, TTL: hops, Protocol: layers.IPProtocolTCP, Flags: layers.IPv4DontFragment, SrcIP: src.AsSlice(), DstIP: dst.AsSlice()}
	} else {
		from16, to16 := src.As16(), dst.As16()
		ethernet.EthernetType = layers.EthernetTypeIPv6
		ip = &layers.IPv6{Version: 6, HopLimit: hops, NextHeader: layers.IPProtocolTCP, SrcIP: from16[:], DstIP: to16[:]}
	}
	if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
		return nil, err
	}
	buffer := gopacket.NewSerializeBuffer()
	options := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	err := gopacket.SerializeLayers(buffer, options, &ethernet, ip, tcp, gopacket.Payload(payload))
	return buffer.Bytes(), err
}
