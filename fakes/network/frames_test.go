package network

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// tape is a connection that brings the same bytes so many times and takes everything.
type tape struct {
	net.Conn
	frame []byte
	left  int
}

func (t *tape) Read(p []byte) (int, error) {
	if t.left == 0 {
		return 0, io.EOF
	}
	t.left--
	return copy(p, t.frame), nil
}

func (*tape) Write(p []byte) (int, error) { return len(p), nil }
func (*tape) Close() error                { return nil }
func (*tape) CloseWrite() error           { return nil }
func (*tape) LocalAddr() net.Addr         { return &net.TCPAddr{} }
func (*tape) RemoteAddr() net.Addr        { return &net.TCPAddr{} }

// BenchmarkFrame is what the injector itself does with a message that passes, reading and writing apart: it is
// what it costs more than a proxy that copies.
func BenchmarkFrame(b *testing.B) {
	host, err := hosts.Load("iso87-ascii")
	if err != nil {
		b.Fatal(err)
	}
	codec, err := iso8583.NewCodec(host.Dialect)
	if err != nil {
		b.Fatal(err)
	}
	payload, err := codec.Pack(iso8583.Message{MTI: "0200", Fields: map[int]string{
		2: "5413330089020011", 3: "000000", 4: "000000001250", 7: "1122101112", 11: "000123", 12: "101112", 13: "1122", 49: "156",
	}})
	if err != nil {
		b.Fatal(err)
	}
	frame, err := host.Dialect.Framing.AppendFrame(nil, payload)
	if err != nil {
		b.Fatal(err)
	}
	listener := func() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }
	server, err := New(Config{Framing: host.Dialect.Framing, Messages: ISO8583(codec), Uplinks: []Uplink{{
		Name: "primary", Listen: listener, Dial: func(context.Context) (net.Conn, error) { return nil, io.EOF },
		SelfDial: func(context.Context) (net.Conn, error) { return nil, io.EOF },
	}}})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = server.Close() }()
	c := &connection{server: server, uplink: server.uplinks[0], number: 1, id: "1"}
	c.ctx, c.cancel = context.WithTimeout(context.Background(), time.Hour)
	defer c.cancel()
	source := &tape{frame: frame, left: b.N}
	from, to := c.newSide(client.Terminal, source), c.newSide(client.Host, &tape{})
	c.terminal, c.host = from, to
	f := newFlow(c, client.FromTerminal, from, to)
	b.ReportAllocs()
	b.ResetTimer()
	f.run()
}
