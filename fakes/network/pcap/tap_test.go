package pcap_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assay-hil/assay/fakes/network"
	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fakes/network/pcap"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/iso8583"
)

const pan = "4761739001010010"

// injector runs one with a capture, on loopback TCP.
func injector(t *testing.T, w *pcap.Writer) (server *network.Server, host net.Listener) {
	t.Helper()
	known, err := hosts.Load("iso87-ascii")
	if err != nil {
		t.Fatal(err)
	}
	codec, err := iso8583.NewCodec(known.Dialect)
	if err != nil {
		t.Fatal(err)
	}
	if host, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	var dialer net.Dialer
	server, err = network.New(network.Config{
		Framing: known.Dialect.Framing, Messages: network.ISO8583(codec), Tap: w.Tap(),
		Uplinks: []network.Uplink{{
			Name:   "primary",
			Listen: func() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") },
			Dial: func(ctx context.Context) (net.Conn, error) {
				return dialer.DialContext(ctx, "tcp", host.Addr().String())
			},
			SelfDial: func(ctx context.Context) (net.Conn, error) {
				return dialer.DialContext(ctx, "tcp", server.Addr("").String())
			},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Run(context.Background()) }()
	t.Cleanup(func() {
		_ = server.Close()
		_ = host.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return server, host
}

func receive(t *testing.T, c net.Conn, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("got %q, %v; want %q", got, err, want)
	}
}

// What passes an injector is in the capture on its own ports: the message that was dropped on one
// side only, the reset as one, no card number anywhere.
func TestInjectorsConnections(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.pcapng")
	w, err := pcap.Create(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	server, host := injector(t, w)
	if err := server.Arm(t.Context(), client.Plan{Faults: []client.Fault{
		{ID: "lost", Kind: "drop", Message: client.Select{MTI: "0810"}},
		{ID: "cut", Kind: "reset", Message: client.Select{MTI: "0210"}},
	}}); err != nil {
		t.Fatal(err)
	}
	terminal, err := net.Dial("tcp", server.Addr("").String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = terminal.Close() }()
	upstream, err := host.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = upstream.Close() }()
	for _, c := range []net.Conn{terminal, upstream} {
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	}
	request := frame("0200" + "4020000000000000" + "16" + pan + "000002")
	for _, m := range [][]byte{frame(signOn), request} {
		if _, err := terminal.Write(m); err != nil {
			t.Fatal(err)
		}
		receive(t, upstream, m)
	}
	for _, m := range [][]byte{frame(answer), bytes.Replace(request, []byte("0200"), []byte("0210"), 1)} {
		if _, err := upstream.Write(m); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := terminal.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the terminal reads %v, want ECONNRESET", err)
	}
	_ = server.Close()
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	capture, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(capture, []byte(pan)) || bytes.Contains(capture, []byte(pan[6:12])) {
		t.Error("a card number is in clear")
	}
	seen := map[int][]string{} // by side, without what is made up
	for _, p := range readBack(t, capture) {
		switch {
		case len(p.tcp.Payload) >= 6:
			seen[p.side] = append(seen[p.side], string(p.tcp.Payload[2:6]))
			from := terminal.LocalAddr()
			switch answer := p.tcp.Payload[4] == '1'; {
			case p.side == 1 && answer:
				from = host.Addr()
			case p.side == 1:
				from = upstream.RemoteAddr()
			case answer:
				from = server.Addr("")
			}
			if int(p.tcp.SrcPort) != addressPort(from) {
				t.Errorf("%s on side %d is from port %d, want %v", p.tcp.Payload[2:6], p.side, p.tcp.SrcPort, from)
			}
		case p.tcp.RST:
			seen[p.side] = append(seen[p.side], "RST")
		}
		if port := int(p.tcp.SrcPort); port != addressPort(server.Addr("")) && port != addressPort(host.Addr()) && port != addressPort(terminal.LocalAddr()) && port != addressPort(upstream.RemoteAddr()) {
			t.Errorf("port %d is nobody's", port)
		}
	}
	if got := strings.Join(seen[0], " "); got != "0800 0200 RST" {
		t.Errorf("the terminal's side: %s", got)
	}
	if got := strings.Join(seen[1], " "); got != "0800 0200 0810 0210 RST" {
		t.Errorf("the host's side: %s", got)
	}
	if found := tshark(t, path, "-Y", "iso8583.mti == 0210", "-T", "fields", "-e", "iso8583.bit11", "-d", "tcp.port=="+portOf(host.Addr())+",iso8583", "-o", "iso8583.len_endian:Big endian"); found != "000002\n" {
		t.Errorf("tshark reads %q", found)
	}
}

func addressPort(a net.Addr) int { return a.(*net.TCPAddr).Port }

func portOf(a net.Addr) string {
	_, port, _ := net.SplitHostPort(a.String())
	return port
}
