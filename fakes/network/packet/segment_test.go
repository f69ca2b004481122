package packet

import (
	"encoding/binary"
	"net/netip"
	"testing"
)

var (
	terminalIP = netip.MustParseAddr("10.200.1.2")
	hostIP     = netip.MustParseAddr("10.200.2.2")
)

// raw builds a packet of a segment, without checksums, with IP and TCP options of so many words.
func raw(s segment, ipOptions, tcpOptions int) []byte {
	source, target := s.terminal, s.host
	if !s.fromTerminal {
		source, target = target, source
	}
	ip := make([]byte, ipHeader+4*ipOptions, 128+s.data)
	ip[0] = 4<<4 | byte(len(ip)/4)
	ip[9] = protoTCP
	copy(ip[12:], source.Addr().AsSlice())
	copy(ip[16:], target.Addr().AsSlice())
	tcp := make([]byte, tcpHeader+4*tcpOptions)
	binary.BigEndian.PutUint16(tcp, source.Port())
	binary.BigEndian.PutUint16(tcp[2:], target.Port())
	binary.BigEndian.PutUint32(tcp[4:], s.seq)
	binary.BigEndian.PutUint32(tcp[8:], s.ack)
	tcp[12] = byte(len(tcp)/4) << 4
	tcp[13] = s.flags
	packet := append(append(ip, tcp...), make([]byte, s.data)...)
	binary.BigEndian.PutUint16(packet[2:], uint16(len(packet)))
	return packet
}

func between(port uint16) connection {
	return connection{netip.AddrPortFrom(terminalIP, port), netip.AddrPortFrom(hostIP, 8583)}
}

func TestParse(t *testing.T) {
	for _, want := range []segment{
		{connection: between(40000), fromTerminal: true, seq: 1, flags: flagSYN},
		{connection: between(40000), seq: 1 << 31, ack: 2, flags: flagSYN | flagACK},
		{connection: between(65535), fromTerminal: true, seq: 7, ack: 8, flags: flagPSH | flagACK, data: 100},
	} {
		for words := range 5 {
			packet := raw(want, words, 4-words)
			got, ok := parse(packet, terminalIP)
			if !ok || got != want {
				t.Errorf("%+v, %v; want %+v", got, ok, want)
			}
			if got, ok := parse(append(packet, 0, 0), terminalIP); !ok || got != want {
				t.Errorf("with padding: %+v, %v; want %+v", got, ok, want)
			}
		}
	}
}

// TestParseRefuses: nothing is taken for TCP that is not.
func TestParseRefuses(t *testing.T) {
	good := raw(segment{connection: between(1), fromTerminal: true, flags: flagSYN}, 0, 0)
	for name, spoil := range map[string]func(b []byte) []byte{
		"empty":          func([]byte) []byte { return nil },
		"IPv6":           func(b []byte) []byte { b[0] = 6<<4 | 5; return b },
		"short header":   func(b []byte) []byte { b[0] = 4<<4 | 4; return b },
		"UDP":            func(b []byte) []byte { b[9] = 17; return b },
		"later fragment": func(b []byte) []byte { b[7] = 1; return b },
		"cut":            func(b []byte) []byte { return b[:len(b)-1] },
		"short TCP":      func(b []byte) []byte { b[ipHeader+12] = 4 << 4; return b },
		"long TCP":       func(b []byte) []byte { b[ipHeader+12] = 6 << 4; return b },
		"short total":    func(b []byte) []byte { b[3] = ipHeader; return b },
	} {
		if s, ok := parse(spoil(append([]byte(nil), good...)), terminalIP); ok {
			t.Errorf("%s: taken for %+v", name, s)
		}
	}
}

// FuzzParse: whatever comes out of the device, parse neither panics nor finds more data than
// there is.
func FuzzParse(f *testing.F) {
	f.Add(raw(segment{connection: between(1), fromTerminal: true, flags: flagSYN}, 0, 0))
	f.Add(raw(segment{connection: between(1), seq: 5, data: 20, flags: flagACK}, 10, 10))
	f.Add([]byte{4<<4 | 15, 0, 0, 40})
	f.Fuzz(func(t *testing.T, packet []byte) {
		s, ok := parse(packet, terminalIP)
		if ok && s.data > len(packet)-ipHeader-tcpHeader {
			t.Errorf("%d bytes of data in a packet of %d", s.data, len(packet))
		}
	})
}
