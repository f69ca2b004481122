package pcap_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/assay-hil/assay/fakes/network/pcap"
	"github.com/assay-hil/assay/protocol/memnet"
)

var (
	terminal = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40001}
	port     = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8583}
	six      = &net.TCPAddr{IP: net.ParseIP("::1"), Port: 40002}
	note     = &net.TCPAddr{} // a packet that is of no connection
	sixPort  = &net.TCPAddr{IP: net.ParseIP("::1"), Port: 8584}
)

// packet is one as it is read back.
type packet struct {
	side     int
	at       time.Time
	comments []string
	from, to string
	tcp      layers.TCP
}

// flags is what kind of packet it is, as Wireshark prints it.
func (p packet) flags() string {
	var words []string
	for _, f := range []struct {
		set  bool
		name string
	}{{p.tcp.SYN, "SYN"}, {p.tcp.FIN, "FIN"}, {p.tcp.RST, "RST"}, {p.tcp.PSH, "PSH"}, {p.tcp.ACK, "ACK"}} {
		if f.set {
			words = append(words, f.name)
		}
	}
	return strings.Join(words, " ")
}

// readBack reads a capture with the library's reader, which does not share code with its writer.
func readBack(t *testing.T, capture []byte) (all []packet) {
	t.Helper()
	r, err := pcapgo.NewNgReader(bytes.NewReader(capture), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	for {
		raw, info, options, err := r.ReadPacketDataWithOptions()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		decoded := gopacket.NewPacket(raw, layers.LayerTypeEthernet, gopacket.Default)
		p := packet{side: info.InterfaceIndex, at: info.Timestamp, comments: options.Comments}
		if e := decoded.LinkLayer().(*layers.Ethernet); e.EthernetType == 0x88b5 {
			p.from = "note"
		} else if failed := decoded.ErrorLayer(); failed != nil {
			t.Fatal(failed.Error())
		}
		if n := decoded.NetworkLayer(); n != nil {
			p.from, p.to = n.NetworkFlow().Src().String(), n.NetworkFlow().Dst().String()
			p.tcp = *decoded.Layer(layers.LayerTypeTCP).(*layers.TCP)
		}
		all = append(all, p)
	}
}

func newCapture(t *testing.T) (*pcap.Writer, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	w, err := pcap.New(&out, 0)
	if err != nil {
		t.Fatal(err)
	}
	return w, &out
}

func TestConversation(t *testing.T) {
	w, out := newCapture(t)
	s := w.Open(pcap.Terminal, terminal, port, "connection 1")
	s.Data(pcap.Dialler, []byte("request"))
	s.Data(pcap.Listener, []byte("response"))
	w.Note("fault late fired")
	s.Fin(pcap.Dialler)
	s.Fin(pcap.Dialler)
	s.Data(pcap.Dialler, []byte("after its end: not shown"))
	s.Data(pcap.Listener, []byte("more"))
	s.Fin(pcap.Listener)
	s.Reset(pcap.Listener)
	other := w.Open(pcap.Host, six, sixPort, "connection 1")
	other.Data(pcap.Dialler, []byte("request"))
	other.Reset(pcap.Listener)
	other.Fin(pcap.Dialler)
	other.Data(pcap.Dialler, []byte("after the reset: not shown"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := []struct {
		from       *net.TCPAddr
		flags      string
		seq, ack   uint32 // from the initial numbers on
		payload    string
		commentHas string
	}{
		{terminal, "SYN", 0, 0, "", "connection 1"},
		{port, "SYN ACK", 0, 1, "", ""},
		{terminal, "ACK", 1, 1, "", ""},
		{terminal, "PSH ACK", 1, 1, "request", ""},
		{port, "PSH ACK", 1, 8, "response", ""},
		{note, "", 0, 0, "", "fault late fired"},
		{terminal, "FIN ACK", 8, 9, "", ""},
		{port, "ACK", 9, 9, "", ""},
		{port, "PSH ACK", 9, 9, "more", ""},
		{port, "FIN ACK", 13, 9, "", ""},
		{terminal, "ACK", 9, 14, "", ""},
		{six, "SYN", 0, 0, "", "connection 1"},
		{sixPort, "SYN ACK", 0, 1, "", ""},
		{six, "ACK", 1, 1, "", ""},
		{six, "PSH ACK", 1, 1, "request", ""},
		{sixPort, "RST ACK", 1, 8, "", ""},
	}
	got := readBack(t, out.Bytes())
	if len(got) != len(want) {
		t.Fatalf("%d packets, want %d", len(got), len(want))
	}
	base := map[layers.TCPPort]uint32{}
	for i, p := range got {
		if p.from == "note" {
			if want[i].from != note || strings.Join(p.comments, "") != want[i].commentHas {
				t.Errorf("packet %d: note %q, want %+v", i+1, p.comments, want[i])
			}
			continue
		}
		if p.tcp.SYN {
			base[p.tcp.SrcPort] = p.tcp.Seq
		}
		seq, ack := p.tcp.Seq-base[p.tcp.SrcPort], p.tcp.Ack-base[p.tcp.DstPort]
		if !p.tcp.ACK {
			ack = 0
		}
		q := want[i]
		if q.from == note || p.from != q.from.IP.String() || int(p.tcp.SrcPort) != q.from.Port || p.flags() != q.flags || seq != q.seq || ack != q.ack ||
			string(p.tcp.Payload) != q.payload || !strings.Contains(strings.Join(p.comments, ""), q.commentHas) || (q.commentHas == "") != (len(p.comments) == 0) {
			t.Errorf("packet %d: %s:%d %s seq %d ack %d %q %q\nwant %+v", i+1, p.from, p.tcp.SrcPort, p.flags(), seq, ack, p.tcp.Payload, p.comments, q)
		}
		if wantSide := i / 11; p.side != min(wantSide, 1) {
			t.Errorf("packet %d is on interface %d", i+1, p.side)
		}
	}
}

// Times are those of the calls, also virtual ones, and names in memory get addresses.
func TestTimesAndNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, out := newCapture(t)
		begin := time.Now()
		s := w.Open(pcap.Host, memnet.Addr("dialer:49152"), memnet.Addr("issuer:8583"), "connection 9")
		<-time.After(1500 * time.Millisecond)
		s.Data(pcap.Dialler, []byte("late"))
		w.Open(pcap.Host, memnet.Addr("dialer:49153"), memnet.Addr("no port"), "connection 10")
		w.Open(pcap.Host, nil, memnet.Addr("issuer:70000"), "connection 11")
		all := readBack(t, out.Bytes())
		for _, test := range []struct {
			i        int
			after    time.Duration
			from, to string
			port     layers.TCPPort
			comment  string
		}{
			{0, 0, "10.0.0.1", "10.0.0.2", 8583, "connection 9; 10.0.0.1 is dialer; 10.0.0.2 is issuer"},
			{3, 1500 * time.Millisecond, "10.0.0.1", "10.0.0.2", 8583, ""},
			{4, 1500 * time.Millisecond, "10.0.0.1", "10.0.0.3", 0, "connection 10; 10.0.0.1 is dialer; 10.0.0.3 is no port"},
			{7, 1500 * time.Millisecond, "10.0.0.4", "10.0.0.2", 0, "connection 11; 10.0.0.4 is unknown; 10.0.0.2 is issuer"},
		} {
			p := all[test.i]
			if after := p.at.Sub(begin); after != test.after || p.from != test.from || p.to != test.to || p.tcp.DstPort != test.port || strings.Join(p.comments, "|") != test.comment {
				t.Errorf("packet %d: after %v, %s to %s:%d, %q\nwant %+v", test.i+1, after, p.from, p.to, p.tcp.DstPort, p.comments, test)
			}
		}
	})
}

// What is long is cut into packets that TCP could have sent, and nothing is lost.
func TestLongData(t *testing.T) {
	w, out := newCapture(t)
	s := w.Open(pcap.Terminal, terminal, port, "")
	sent := make([]byte, 3*pcap.MaxSegment+7)
	for i := range sent {
		sent[i] = byte(i % 251)
	}
	s.Data(pcap.Listener, sent)
	var got []byte
	var unseen uint32 // not acknowledged
	all := readBack(t, out.Bytes())
	if last := all[len(all)-1]; len(last.tcp.Payload) != 7 {
		t.Errorf("the last packet is %s with %d bytes: what is short needs no acknowledgement yet", last.flags(), len(last.tcp.Payload))
	}
	for _, p := range all {
		if int(p.tcp.SrcPort) == port.Port {
			got = append(got, p.tcp.Payload...)
			unseen += uint32(len(p.tcp.Payload))
		} else {
			unseen = 0
		}
		if unseen > uint32(p.tcp.Window) {
			t.Errorf("%d bytes beyond a window of %d", unseen, p.tcp.Window)
		}
	}
	if !bytes.Equal(got, sent) {
		t.Errorf("%d bytes, want %d", len(got), len(sent))
	}
}

func TestSizeIsBoundedAndTheCutIsNoted(t *testing.T) {
	const size = 10_000
	path := filepath.Join(t.TempDir(), "cut.pcapng")
	w, err := pcap.Create(path, size)
	if err != nil {
		t.Fatal(err)
	}
	s := w.Open(pcap.Terminal, terminal, port, "")
	for range 1000 {
		s.Data(pcap.Dialler, []byte("0800"))
	}
	if !w.Cut() || w.Err() != nil {
		t.Errorf("cut: %v, %v", w.Cut(), w.Err())
	}
	capture, err := os.ReadFile(path)
	if err != nil || len(capture) > size || len(capture) < size-2000 {
		t.Errorf("%d bytes, %v; at most %d", len(capture), err, size)
	}
	all := readBack(t, capture)
	if last := all[len(all)-1]; last.from != "note" || len(last.comments) != 1 || !strings.Contains(last.comments[0], "cut here") {
		t.Errorf("the last packet: %+v", last)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if _, err := pcap.New(io.Discard, 100); !errors.Is(err, pcap.ErrConfig) {
		t.Errorf("100 bytes: %v, want ErrConfig", err)
	}
}

// broken is a disk that is full after some writes.
type broken struct{ good int }

var errFull = errors.New("disk full")

func (b *broken) Write(p []byte) (int, error) {
	if b.good--; b.good < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestErrorsAreKept(t *testing.T) {
	w, err := pcap.New(&broken{good: 2}, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := w.Open(pcap.Terminal, terminal, port, "")
	s.Data(pcap.Dialler, []byte("0800"))
	if !errors.Is(w.Err(), errFull) || !errors.Is(w.Close(), errFull) {
		t.Errorf("got %v", w.Err())
	}
	if _, err := pcap.Create(filepath.Join(t.TempDir(), "no", "such"), 0); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such folder: %v", err)
	}
}

// Without a capture everything is a call of nothing.
func TestNil(t *testing.T) {
	var w *pcap.Writer
	s := w.Open(pcap.Terminal, terminal, port, "")
	s.Data(pcap.Dialler, []byte("0800"))
	w.Note("")
	s.Fin(pcap.Dialler)
	s.Reset(pcap.Dialler)
	if w.Cut() || w.Err() != nil || w.Close() != nil {
		t.Error("a nil capture says something")
	}
}

// What a message costs that is captured: one write of its packet.
func BenchmarkData(b *testing.B) {
	w, err := pcap.Create(filepath.Join(b.TempDir(), "run.pcapng"), 1<<40)
	if err != nil {
		b.Fatal(err)
	}
	s := w.Open(pcap.Terminal, terminal, port, "")
	message := make([]byte, 300)
	for b.Loop() {
		s.Data(pcap.Dialler, message)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}

// frame is a message behind its length in two bytes.
func frame(message string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...)
}
