package scan

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// captureOf writes payloads of one direction as packets of a capture.
func captureOf(t *testing.T, payloads ...string) string {
	t.Helper()
	var packets [][]byte
	for i, payload := range payloads {
		b := gopacket.NewSerializeBuffer()
		ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: []byte{10, 0, 0, 1}, DstIP: []byte{10, 0, 0, 2}}
		tcp := &layers.TCP{SrcPort: 49152, DstPort: 8583, Seq: uint32(i), ACK: true}
		if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
			t.Fatal(err)
		}
		if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
			&layers.Ethernet{SrcMAC: make([]byte, 6), DstMAC: make([]byte, 6), EthernetType: layers.EthernetTypeIPv4},
			ip, tcp, gopacket.Payload(payload)); err != nil {
			t.Fatal(err)
		}
		packets = append(packets, b.Bytes())
	}
	return captureFile(t, packets...)
}

// captureFile writes packets as they are.
func captureFile(t *testing.T, packets ...[]byte) string {
	t.Helper()
	var file bytes.Buffer
	w, err := pcapgo.NewNgWriter(&file, layers.LinkTypeEthernet)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		if err := w.WritePacket(gopacket.CaptureInfo{CaptureLength: len(p), Length: len(p)}, p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "wire.pcapng")
	if err := os.WriteFile(name, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestCaptures(t *testing.T) {
	known := New([]Card{{PAN: "4761739001010119", PIN: "8642"}})
	for _, c := range []struct {
		name     string
		payloads []string
		found    bool
	}{
		{"nothing", []string{"0800 and no more"}, false},
		{"a number that is known", []string{"x4761739001010119x"}, true},
		{"any other that could be one", []string{"x5413330089020011x"}, true},
		{"one in two packets", []string{"x54133300", "89020011x"}, true},
		{"a known one in two packets", []string{"x47617390", "01010119x"}, true},
		{"digits that only a packet's end makes a number", []string{"00000000000000000000001", "2345671560000000", "00000000000000000000"}, false},
		{"track 2 in two packets", []string{"x5413330089020011", "=30121019876x"}, true},
	} {
		all, err := known.File(captureOf(t, c.payloads...))
		if err != nil || (len(all) > 0) != c.found {
			t.Errorf("%s: %v, %v", c.name, all, err)
		}
	}
}

// TestCaptureOfAKilledRun ends in the middle of a packet.
// TestHeadersAreNoNumbers: a window and a checksum read as a message type, a bitmap and the length of field 2.
func TestHeadersAreNoNumbers(t *testing.T) {
	packet, err := hex.DecodeString("0200000000020200000000010800" + "45000028000040004006223b0ac901020ac90202" +
		"d21eab3500f00000000000005002ffff19090000" + "00000000000001")
	if err != nil {
		t.Fatal(err)
	}
	name := captureFile(t, packet)
	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if found := New(nil).Bytes(file); len(found) == 0 {
		t.Error("the packet no longer looks like a number: the test proves nothing")
	}
	if found, err := New(nil).File(name); err != nil || len(found) != 0 {
		t.Errorf("found %v, %v", found, err)
	}
}

func TestCaptureOfAKilledRun(t *testing.T) {
	name := captureOf(t, "x5413330089020011x", "the rest")
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, whole[:len(whole)-10], 0o600); err != nil {
		t.Fatal(err)
	}
	if all, err := New(nil).File(name); err != nil || len(all) == 0 {
		t.Errorf("%v, %v", all, err)
	}
}

func TestBrokenCaptureIsScannedAsAnyFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "wire.pcapng")
	if err := os.WriteFile(name, []byte("\x0a\x0d\x0d\x0anonsense 5413330089020011 and more of it"), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := New(nil).File(name)
	if err != nil || len(all) == 0 {
		t.Errorf("%v, %v", all, err)
	}
}
