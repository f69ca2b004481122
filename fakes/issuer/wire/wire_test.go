package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/rules"
	"github.com/assay-hil/assay/protocol/iso8583"
	"github.com/assay-hil/assay/protocol/memnet"
)

var testFraming = iso8583.Framing{LengthBytes: 2, MaxLength: 60000, Polls: true}

// host answers every message with itself, unless told otherwise, and writes down what it is told.
type host struct {
	answer func(c *Conn, payload []byte) Answer

	mu   sync.Mutex
	told []string
}

func (h *host) tell(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, fmt.Sprintf(format, args...))
}

func (h *host) all() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.told, "; ")
}

func (h *host) Connected(c *Conn)                { h.tell("%s connected", c.ID()) }
func (h *host) BadFrame(c *Conn, _ error)        { h.tell("%s bad frame", c.ID()) }
func (h *host) Disconnected(c *Conn, why string) { h.tell("%s %s", c.ID(), why) }
func (h *host) Refused()                         { h.tell("refused") }

func (h *host) Message(c *Conn, payload []byte) Answer {
	if h.answer != nil {
		return h.answer(c, payload)
	}
	return Answer{Acts: []rules.Act{{Bytes: frame(string(payload))}}}
}

func frame(payload string) []byte {
	b, err := testFraming.AppendFrame(nil, []byte(payload))
	if err != nil {
		panic(err)
	}
	return b
}

// script answers each message with the acts written for it.
func script(acts map[string][]rules.Act) func(*Conn, []byte) Answer {
	return func(_ *Conn, payload []byte) Answer { return Answer{Acts: acts[string(payload)]} }
}

// world is an engine on a network in memory.
type world struct {
	t      *testing.T
	net    *memnet.Network
	engine *Engine
	host   *host
	served chan error
}

const address = "host:1"

func newWorld(t *testing.T, h *host, limits Limits) *world {
	w := &world{t: t, net: memnet.New(), host: h, served: make(chan error, 1),
		engine: New(Config{Framing: testFraming, Handler: h, Limits: limits})}
	ln, err := w.net.Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	go func() { w.served <- w.engine.Serve(context.Background(), ln) }()
	return w
}

func (w *world) close() {
	w.t.Helper()
	if err := w.engine.Close(); err != nil {
		w.t.Error(err)
	}
	if err := <-w.served; err != nil {
		w.t.Errorf("Serve: %v", err)
	}
	if n := w.engine.Len(); n != 0 {
		w.t.Errorf("%d connections after Close", n)
	}
	if used := w.engine.budget.used.Load(); used != 0 {
		w.t.Errorf("%d bytes of frames after Close", used)
	}
}

func (w *world) dial() net.Conn {
	w.t.Helper()
	conn, err := w.net.Dial(w.t.Context(), address)
	if err != nil {
		w.t.Fatal(err)
	}
	return conn
}

func send(t *testing.T, conn net.Conn, payloads ...string) {
	t.Helper()
	var all []byte
	for _, p := range payloads {
		all = append(all, frame(p)...)
	}
	if _, err := conn.Write(all); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, conn net.Conn, want ...string) {
	t.Helper()
	for _, w := range want {
		got, err := testFraming.ReadFrame(conn)
		if err != nil || string(got) != w {
			t.Fatalf("got %.40q, %v; want %.40q", got, err, w)
		}
	}
}

// silent says that nothing comes for a time.
func silent(t *testing.T, conn net.Conn, d time.Duration) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(d))
	n, err := conn.Read(make([]byte, 1))
	var late net.Error
	if n != 0 || !errors.As(err, &late) || !late.Timeout() {
		t.Fatalf("read %d bytes, %v; want silence", n, err)
	}
	_ = conn.SetReadDeadline(time.Time{})
}

func bubble(t *testing.T, limits Limits, h *host, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, h, limits)
		defer w.close()
		f(t, w)
	})
}

func TestMessagesAreAnsweredInOrder(t *testing.T) {
	bubble(t, Limits{}, &host{}, func(t *testing.T, w *world) {
		conn := w.dial()
		var all []string
		for n := range 100 {
			all = append(all, strings.Repeat(string(rune('a'+n%26)), 1+n*37%5000))
		}
		sent := make(chan error, 1)
		go func() {
			for _, p := range all {
				if err := testFraming.WriteFrame(conn, []byte(p)); err != nil {
					sent <- err
				}
			}
			close(sent)
		}()
		receive(t, conn, all...)
		if err := <-sent; err != nil {
			t.Error(err)
		}
	})
}

func TestFramesCutAnywhere(t *testing.T) {
	bubble(t, Limits{}, &host{}, func(t *testing.T, w *world) {
		conn := w.dial()
		for _, size := range []int{1, bufferSize - 2, bufferSize - 1, bufferSize, 3*bufferSize + 1, testFraming.MaxLength} {
			whole := frame(strings.Repeat("x", size))
			for _, cut := range []int{1, 2, 3, len(whole) / 2, len(whole) - 1} {
				if cut >= len(whole) {
					continue
				}
				for _, part := range [][]byte{whole[:cut], whole[cut:]} {
					if _, err := conn.Write(part); err != nil {
						t.Fatal(err)
					}
					synctest.Wait()
				}
				receive(t, conn, strings.Repeat("x", size))
			}
		}
	})
}

func TestPollIsAnswered(t *testing.T) {
	bubble(t, Limits{}, &host{}, func(t *testing.T, w *world) {
		conn := w.dial()
		if _, err := conn.Write(append([]byte{0, 0}, frame("x")...)); err != nil {
			t.Fatal(err)
		}
		head := make([]byte, 2)
		if _, err := io.ReadFull(conn, head); err != nil || head[0] != 0 || head[1] != 0 {
			t.Errorf("% x, %v", head, err)
		}
		receive(t, conn, "x")
	})
}

func TestLateAnswersStopNobody(t *testing.T) {
	acts := map[string][]rules.Act{
		"late":   {{Wait: 20 * time.Second, Bytes: frame("late")}},
		"twice":  {{Bytes: frame("one")}, {Wait: 5 * time.Second, Bytes: frame("two")}},
		"prompt": {{Bytes: frame("prompt")}},
	}
	bubble(t, Limits{}, &host{answer: script(acts)}, func(t *testing.T, w *world) {
		conn, begin := w.dial(), time.Now()
		send(t, conn, "late", "twice", "prompt")
		got := map[string]time.Duration{}
		for range 4 {
			b, err := testFraming.ReadFrame(conn)
			if err != nil {
				t.Fatal(err)
			}
			got[string(b)] = time.Since(begin)
		}
		if got["late"] != 20*time.Second || got["one"] != 0 || got["two"] != 5*time.Second || got["prompt"] != 0 {
			t.Error(got)
		}
	})
}

func TestDribbleHoldsTheLineOnly(t *testing.T) {
	seen := make(chan string, 10)
	answer := script(map[string][]rules.Act{
		"slow":  {{Bytes: frame("slowly"), Chunk: 1, Gap: time.Second}},
		"after": {{Bytes: frame("after")}},
	})
	h := &host{answer: func(c *Conn, b []byte) Answer { seen <- string(b); return answer(c, b) }}
	bubble(t, Limits{}, h, func(t *testing.T, w *world) {
		conn, begin := w.dial(), time.Now()
		send(t, conn, "slow", "after", "nothing")
		synctest.Wait()
		if len(seen) != 3 || time.Since(begin) != 0 {
			t.Errorf("%d messages read while an answer is dribbled", len(seen))
		}
		receive(t, conn, "slowly", "after")
		if took := time.Since(begin); took != 7*time.Second { // 8 bytes
			t.Errorf("it took %v", took)
		}
		for range 3 {
			<-seen
		}
	})
}

func TestEnds(t *testing.T) {
	acts := map[string][]rules.Act{
		"close": {{Bytes: frame("bye"), End: rules.Close}},
		"reset": {{End: rules.Reset}},
		"stall": {{Bytes: frame("half")[:4], End: rules.Stall}},
		"more":  {{Bytes: frame("more")}},
	}
	bubble(t, Limits{}, &host{answer: script(acts)}, func(t *testing.T, w *world) {
		conn := w.dial()
		send(t, conn, "close")
		receive(t, conn, "bye")
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("after close: %v", err)
		}
		conn = w.dial()
		send(t, conn, "reset")
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("after reset: %v", err)
		}
		conn = w.dial()
		send(t, conn, "stall", "more", "more")
		if _, err := io.ReadFull(conn, make([]byte, 4)); err != nil {
			t.Error(err)
		}
		silent(t, conn, time.Minute)
		_ = conn.Close()
		synctest.Wait()
		want := "1 connected; 1 closed by a rule; 2 connected; 2 reset by a rule; 3 connected; 3 closed by the terminal"
		if got := w.host.all(); got != want {
			t.Errorf("told %q", got)
		}
	})
}
