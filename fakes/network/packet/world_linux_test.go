package packet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/assay-hil/assay/fakes/network/packet"
)

const (
	// patience bounds each wait that would otherwise hang.
	patience = 20 * time.Second
	// silence is how long nothing must come for it to count as nothing.
	silence = 300 * time.Millisecond
	port    = 8583
)

// world is a bench with an echoing host.
type world struct {
	*packet.Bench
	t        *testing.T
	host     net.Listener
	received chan net.Conn // the host's ends, when it does not echo
}

// bench makes a bench, or skips the test with the exact reason.
func bench(t *testing.T) *packet.Bench {
	t.Helper()
	b, err := packet.New(t.Context())
	packet.Excused(t, err)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// echoing is a world whose host sends back what it gets.
func echoing(t *testing.T) *world {
	t.Helper()
	w := listening(t)
	go func() {
		for conn := range w.received {
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn) // ends as the test wants
			}()
		}
	}()
	return w
}

// listening is a world whose host hands its connections to the test.
func listening(t *testing.T) *world {
	t.Helper()
	w := &world{Bench: bench(t), t: t, received: make(chan net.Conn, 16)}
	var err error
	if w.host, err = w.Listen(t.Context(), packet.Host, ":"+strconv.Itoa(port)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.host.Close() })
	go func() {
		defer close(w.received)
		for {
			conn, err := w.host.Accept()
			if err != nil {
				return
			}
			w.received <- conn
		}
	}()
	return w
}

// arm arms a fault or skips the test with the exact reason.
func (w *world) arm(s packet.Spec) {
	w.t.Helper()
	packet.ExcusedFault(w.t, w.Arm(s), s)
	if got := w.last(); got.Armed.IsZero() || !got.Fired.IsZero() && got.Kind != packet.LinkFlap || !got.Healed.IsZero() || got.Mechanism == "" {
		w.t.Fatalf("after arming: %+v", got)
	}
}

// last is the status of the fault armed last.
func (w *world) last() packet.Status {
	w.t.Helper()
	all := w.Status()
	return all[len(all)-1]
}

// healed heals everything and tells what the fault armed last did; it must have fired.
func (w *world) healed() packet.Status {
	w.t.Helper()
	begin := time.Now()
	if err := w.Heal(); err != nil {
		w.t.Fatal(err)
	}
	if took := time.Since(begin); took > 5*time.Second {
		w.t.Errorf("healing took %v", took)
	}
	got := w.last()
	if got.Packets == 0 || got.Fired.Before(got.Armed) || got.Healed.Before(got.Fired) || got.Error != "" {
		w.t.Errorf("after healing: %+v", got)
	}
	return got
}

// dial connects the terminal within a time.
func (w *world) dial(within time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), within)
	defer cancel()
	conn, err := w.Dial(ctx, packet.Terminal, net.JoinHostPort(w.Addr(packet.Host).String(), strconv.Itoa(port)))
	if err == nil {
		w.t.Cleanup(func() { conn.Close() })
	}
	return conn, err
}

// connect dials and must succeed.
func (w *world) connect() net.Conn {
	w.t.Helper()
	conn, err := w.dial(patience)
	if err != nil {
		w.t.Fatal(err)
	}
	return conn
}

// accepted is the host's end of the next connection.
func (w *world) accepted() net.Conn {
	w.t.Helper()
	select {
	case conn := <-w.received:
		w.t.Cleanup(func() { conn.Close() })
		return conn
	case <-time.After(patience):
		w.t.Fatal("nobody connected")
	}
	return nil
}

// ping sends and expects it back, and tells how long it took.
func ping(t *testing.T, conn net.Conn, size int) time.Duration {
	t.Helper()
	begin := time.Now()
	if err := send(conn, size); err != nil {
		t.Fatal(err)
	}
	if err := expect(conn, size, patience); err != nil {
		t.Fatal(err)
	}
	return time.Since(begin)
}

// pattern is what is sent.
func pattern(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i % 251)
	}
	return b
}

func send(conn net.Conn, size int) error {
	_, err := conn.Write(pattern(size))
	return err
}

// expect reads exactly what send sends.
func expect(conn net.Conn, size int, within time.Duration) error {
	if err := conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	got := make([]byte, size)
	if n, err := io.ReadFull(conn, got); err != nil {
		return fmt.Errorf("after %d of %d bytes: %w", n, size, err)
	}
	if !bytes.Equal(got, pattern(size)) {
		return errors.New("other bytes than were sent")
	}
	return nil
}

// silent reads and must get nothing.
func silent(t *testing.T, conn net.Conn) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(silence)); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %d bytes, %v; want silence", n, err)
	}
}

// counter reads one of the TCP counters of a side's kernel (/proc/net/netstat).
func (w *world) counter(side, name string) int {
	w.t.Helper()
	value := -1
	err := w.Inside(side, func() error {
		text, err := os.ReadFile("/proc/thread-self/net/netstat")
		if err != nil {
			return err
		}
		lines := strings.Split(string(text), "\n")
		for i := 0; i+1 < len(lines); i += 2 {
			names, values := strings.Fields(lines[i]), strings.Fields(lines[i+1])
			for j := range names {
				if names[0] == "TcpExt:" && names[j] == name {
					value, err = strconv.Atoi(values[j])
				}
			}
		}
		return err
	})
	if err != nil || value < 0 {
		w.t.Fatalf("counter %s: %d, %v", name, value, err)
	}
	return value
}
