package wire

import (
	"context"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assay-hil/assay/protocol/iso8583"
)

// listening is an engine on a TCP port of this machine.
func listening(t *testing.T, limits Limits) (e *Engine, addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e = New(Config{Framing: testFraming, Handler: &quiet{}, Limits: limits})
	served := make(chan error, 1)
	go func() { served <- e.Serve(context.Background(), ln) }()
	t.Cleanup(func() {
		_ = e.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return e, ln.Addr().String()
}

// quiet answers every message with itself and writes nothing down.
type quiet struct{ host }

func (*quiet) Connected(*Conn)            {}
func (*quiet) Disconnected(*Conn, string) {}

// terminal is a well-behaved client.
func terminal(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// exchanges proves that a terminal is served, each time within a bound that only a host that is stopped exceeds.
func exchanges(t *testing.T, conn net.Conn, times int) {
	t.Helper()
	for range times {
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		send(t, conn, "a message of some length")
		receive(t, conn, "a message of some length")
	}
}

// memory is what the process holds after a collection.
func memory() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// descriptors skips a test that needs more than the system allows.
func descriptors(t *testing.T, need uint64) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err == nil && limit.Cur < need {
		t.Skipf("needs %d open files, the system allows %d (ulimit -n)", need, limit.Cur)
	}
}

// 5,000 connections of all sorts cost one goroutine and a few kilobytes each, and stop nobody.
func TestThousandsOfConnections(t *testing.T) {
	const (
		many = 5000
		each = 12 << 10 // bytes, both ends: they live in this process
	)
	descriptors(t, 2*many+200)
	e, addr := listening(t, Limits{MaxConnections: many + 10})
	good := terminal(t, addr)
	exchanges(t, good, 1)
	goroutines, before := runtime.NumGoroutine(), memory()
	for n := range many {
		conn := terminal(t, addr)
		switch n % 4 {
		case 0: // half open: says nothing
		case 1: // slow: begins a frame
			_, _ = conn.Write([]byte{0})
		case 2: // greedy: announces a great one
			_, _ = conn.Write([]byte{0xea, 0x60, 'x'})
		case 3: // right, and does not read the answer
			send(t, conn, "a message of some length")
		}
		if n%500 == 0 {
			exchanges(t, good, 10)
		}
	}
	exchanges(t, good, 100)
	for tries := 0; e.Len() != many+1; tries++ { // the kernel connects before the listener accepts
		if tries == 10_000 {
			t.Fatalf("%d connections", e.Len())
		}
		exchanges(t, good, 1)
	}
	more, used := runtime.NumGoroutine()-goroutines, memory()-before
	t.Logf("%d connections: %d goroutines, %d bytes each, both ends", many, more, used/many)
	if more > many+10 {
		t.Errorf("%d goroutines more for %d connections", more, many)
	}
	if used > many*each {
		t.Errorf("%d bytes a connection, at most %d", used/many, each)
	}
}

// A flood of connections is held off: those that work go on, and when the flood's are old enough
// they make room.
func TestFloodOfConnections(t *testing.T) {
	e, addr := listening(t, Limits{MaxConnections: 50, EvictSilent: 100 * time.Millisecond})
	good := terminal(t, addr)
	exchanges(t, good, 1)
	for range 2000 {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			continue // a refusal may come that early
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	exchanges(t, good, 100)
	if n := e.Len(); n > 50 {
		t.Errorf("%d connections, at most 50", n)
	}
	for tries := 0; ; tries++ { // a new terminal gets its turn
		if served(addr) {
			break
		}
		if tries == 100_000 {
			t.Fatal("no room for a new terminal")
		}
	}
}

// served says whether a new terminal gets an answer.
func served(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	_ = testFraming.WriteFrame(conn, []byte("x"))
	_, err = testFraming.ReadFrame(conn)
	return err == nil
}

func TestGarbageStopsNobody(t *testing.T) {
	e, addr := listening(t, Limits{FrameLimit: time.Second}) // some of it announces a frame
	good := terminal(t, addr)
	exchanges(t, good, 1)
	before := memory()
	garbage := []byte(strings.Repeat("\xff\xff GET / HTTP/1.1\r\n\r\n", 1000))
	for n := range 300 {
		conn := terminal(t, addr)
		_, _ = conn.Write(garbage[n:]) // may be refused in the middle
		if n%30 == 0 {
			exchanges(t, good, 5)
		}
	}
	for e.Len() > 1 {
		runtime.Gosched()
	}
	exchanges(t, good, 5)
	if used := int64(memory()) - int64(before); used > 8<<20 {
		t.Errorf("%d bytes are left of it", used)
	}
}

// pieces is a connection that gives data in pieces of these sizes, round and round.
type pieces struct {
	net.Conn
	data  []byte
	sizes []byte
	next  int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.data) == 0 {
		return 0, os.ErrClosed
	}
	n := 1
	if len(p.sizes) > 0 {
		n = 1 + int(p.sizes[p.next%len(p.sizes)])*8
		p.next++
	}
	n = copy(b[:min(n, len(b))], p.data)
	p.data = p.data[n:]
	return n, nil
}

func (*pieces) SetReadDeadline(time.Time) error { return nil }

// FuzzReader holds the reader against iso8583.Framing.ReadFrame on the same bytes, however they are cut.
func FuzzReader(f *testing.F) {
	f.Add([]byte("\x00\x03abc\x00\x00\x00\x01x"), []byte{1}, byte(0))
	f.Add(append([]byte("\x08\x00"), make([]byte, 2100)...), []byte{200, 3}, byte(1))
	f.Add([]byte("0005hello"), []byte{}, byte(2))
	f.Add([]byte("\xff\xff\xff\xff"), []byte{}, byte(3))
	framings := []iso8583.Framing{
		testFraming, {LengthBytes: 2, MaxLength: 9000, LittleEndian: true, Inclusive: true},
		{LengthBytes: 4, MaxLength: 9999, Encoding: "ascii"}, {LengthBytes: 4, MaxLength: 100000},
		{LengthBytes: 2, MaxLength: 9999, Encoding: "bcd", Polls: true},
	}
	f.Fuzz(func(t *testing.T, data, sizes []byte, which byte) {
		framing := framings[int(which)%len(framings)]
		budget := &budget{limit: MaxBuffered}
		r := newReader(&pieces{data: data, sizes: sizes}, framing, budget, FrameLimit)
		plain := &pieces{data: data}
		for {
			want, wrong := framing.ReadFrame(plain)
			got, err := r.next()
			if string(got) != string(want) || sameEnd(err) != sameEnd(wrong) {
				t.Fatalf("got %q, %v; want %q, %v", got, err, want, wrong)
			}
			if err != nil && sameEnd(err) != "poll" {
				break
			}
		}
		if r.release(); budget.used.Load() != 0 {
			t.Fatalf("%d bytes are not given back", budget.used.Load())
		}
	})
}

// sameEnd makes comparable how a stream ended.
func sameEnd(err error) string {
	switch err {
	case nil:
		return ""
	case iso8583.ErrPoll:
		return "poll"
	}
	return "ended"
}
