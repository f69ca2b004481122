package network_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/network"
	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/protocol/memnet"
)

func TestHalfClosePassesOn(t *testing.T) {
	tests := map[string]func(terminal, host net.Conn) (first, second net.Conn){
		"terminal first": func(terminal, host net.Conn) (net.Conn, net.Conn) { return terminal, host },
		"host first":     func(terminal, host net.Conn) (net.Conn, net.Conn) { return host, terminal },
	}
	for name, order := range tests {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, w *world) {
				first, second := order(w.connect(t))
				send(t, first, "0200000001 last word")
				closeWrite(t, first)
				receive(t, second, "0200000001 last word")
				mustFail(t, "second", second, io.EOF)
				send(t, second, "0210000001 answer after that")
				receive(t, first, "0210000001 answer after that")
				closeWrite(t, second)
				mustFail(t, "first", first, io.EOF)
				w.events.wait(t, "closed 1 both sides closed")
			})
		})
	}
}

func closeWrite(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
}

func TestResetPassesOn(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		terminal, host := w.connect(t)
		send(t, host, "0210000001") // the connection stands on all sides
		receive(t, terminal, "0210000001")
		_ = host.(interface{ SetLinger(int) error }).SetLinger(0)
		_ = host.Close()
		mustFail(t, "terminal", terminal, syscall.ECONNRESET)
		w.events.wait(t, "closed 1 reset by host")
	})
}

func TestHostUnreachable(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		_ = w.host.Close()
		terminal := w.dialTerminal(t)
		_ = terminal.SetDeadline(time.Now().Add(patience))
		mustFail(t, "terminal", terminal, io.EOF)
		e := w.events.wait(t, "closed 1 host unreachable")
		if !strings.Contains(e.Fields["error"], "refused") {
			t.Errorf("error: %q", e.Fields["error"])
		}
	})
}

func TestDialLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory(), func(c *network.Config) {
			c.Uplinks[0].Dial = func(ctx context.Context) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
		})
		begin := time.Now()
		mustFail(t, "terminal", w.dialTerminal(t), io.EOF)
		if took := time.Since(begin); took != network.DialLimit {
			t.Errorf("closed after %v, want exactly %v", took, network.DialLimit)
		}
	})
}

func TestBytesThatAreNoMessages(t *testing.T) {
	tests := []struct {
		name, why string
		bytes     []byte
	}{
		{"frame not identified", "frame not identified", []byte("\x00\x03abc")},
		{"identity that is none", "frame not identified", []byte("\x00\x100200=41111111111")},
		{"length zero", "frame length not allowed", []byte("\x00\x00more\x00\x00")},
		{"length over the limit", "frame length not allowed", append([]byte("\xff\xff"), make([]byte, 100_000)...)},
		{"end inside a length", "stream ended inside a frame", []byte("\x00")},
		{"end inside a frame", "stream ended inside a frame", []byte("\x00\x10abc")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, w *world) {
				terminal, host := w.connect(t)
				w.arm(t, client.Fault{ID: "any", Kind: "drop", Message: client.Select{MTI: "4111"}})
				read := make(chan []byte, 1)
				go func() { all, _ := io.ReadAll(host); read <- all }()
				if _, err := terminal.Write(test.bytes); err != nil {
					t.Fatal(err)
				}
				closeWrite(t, terminal)
				if got := <-read; !bytes.Equal(got, test.bytes) {
					t.Errorf("got %d bytes, want the %d that were sent", len(got), len(test.bytes))
				}
				w.events.wait(t, "raw 1 terminal>host "+test.why)
				send(t, host, "0210000001") // the other direction still knows messages
				receive(t, terminal, "0210000001")
			})
		})
	}
}

func TestConnectionLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory(), nil)
		var last net.Conn
		for range network.MaxConnections {
			last, _ = w.connect(t)
		}
		mustFail(t, "one too many", w.dialTerminal(t), io.EOF)
		w.events.wait(t, fmt.Sprintf("closed %d too many connections", network.MaxConnections+1))
		_ = last.(*memnet.Conn).SetLinger(0)
		_ = last.Close()
		w.events.wait(t, fmt.Sprintf("closed %d", network.MaxConnections))
		synctest.Wait()
		w.connect(t)
	})
}

// Neither healing nor closing may wait for a peer that does not read.
func TestPeerThatDoesNotRead(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		terminal, host := w.connect(t)
		w.arm(t, late(time.Hour/10), down)
		sent := make(chan struct{})
		go func() { // until the wire is full, then until Close
			defer close(sent)
			for f := frame(t, "0800000001"+strings.Repeat("x", 900)); ; {
				if _, err := host.Write(f); err != nil {
					return
				}
			}
		}()
		w.events.wait(t, "delivered 1 host>terminal 0800 000001")
		begin := time.Now()
		w.heal(t)
		if took := time.Since(begin); took > time.Second {
			t.Errorf("Heal took %v", took)
		}
		_ = w.server.Close()
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("Close took %v", took)
		}
		<-sent
		_ = terminal.Close()
	})
}

func TestNothingIsLeftBehind(t *testing.T) {
	w := newWorld(t, loopback(), nil)
	w.arm(t, late(time.Hour/10), client.Fault{ID: "down", Kind: "refuse"})
	w.heal(t)
	for range 5 {
		terminal, host := w.connect(t)
		send(t, host, "0210000001")
		receive(t, terminal, "0210000001")
	}
	w.arm(t, late(time.Hour/10))
	_, host := w.connect(t)
	send(t, host, "0210000001")
	w.events.wait(t, "fired late 6")
	_ = w.server.Close()
	_ = w.ended() // it closes, too
	all := make([]byte, 1<<20)
	all = all[:runtime.Stack(all, true)]
	for stack := range bytes.SplitSeq(all, []byte("\n\n")) {
		if bytes.Contains(stack, []byte("ServeHTTP")) {
			continue // a control client, perhaps an earlier test's, is still reading the feed
		}
		for _, own := range []string{"network.(*connection)", "network.(*Server).accept", "network.(*refuse)"} {
			if bytes.Contains(stack, []byte(own)) {
				t.Errorf("%s still runs after Close:\n%s", own, stack)
			}
		}
	}
	if _, err := w.dial(t.Context(), w.server.Addr("").String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial after Close: %v", err)
	}
	if err := w.server.Heal(t.Context()); err != nil && !errors.Is(err, network.ErrClosed) {
		t.Errorf("Heal after Close: %v", err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	if _, err := network.New(network.Config{Framing: framing}); err == nil {
		t.Error("no functions: no error")
	}
	if _, err := network.New(network.Config{}); err == nil {
		t.Error("no framing: no error")
	}
}

// Without a fault whatever is written arrives, cut into whatever pieces.
func FuzzBytesPass(f *testing.F) {
	f.Add([]byte("\x00\x0e0200000001text\x00\x03abc"), 3)
	f.Add([]byte("\xff\xff"), 1)
	f.Add([]byte("\x00\x00\x00"), 2)
	f.Add([]byte("\x00\x0a0200\xff\xff\xff\xff\xff\xff"), 5)
	f.Fuzz(func(t *testing.T, data []byte, piece int) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, memory(), nil)
			terminal, host := w.connect(t)
			size := 1 + (piece&0xffff)%100
			go func() {
				for rest := data; len(rest) > 0; rest = rest[min(size, len(rest)):] {
					_, _ = terminal.Write(rest[:min(size, len(rest))])
				}
				_ = terminal.(*memnet.Conn).CloseWrite()
			}()
			if got, err := io.ReadAll(host); !bytes.Equal(got, data) || err != nil {
				t.Errorf("got %q, %v; want %q", got, err, data)
			}
		})
	})
}
