package wire

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/rules"
)

func TestLimitsEndAConnection(t *testing.T) {
	tests := []struct {
		name  string
		bytes []byte
		after time.Duration
		why   string
	}{
		{"idle", nil, IdleLimit, "idle"},
		{"idle after a message", frame("x"), IdleLimit, "idle"},
		{"half a length", []byte{0}, FrameLimit, "frame not whole in time"},
		{"half a frame", frame("message")[:5], FrameLimit, "frame not whole in time"},
		{"half a long frame", frame(strings.Repeat("x", 5000))[:3000], FrameLimit, "frame not whole in time"},
		{"a frame and a half", append(frame("x"), 0, 9, 1), FrameLimit, "frame not whole in time"},
		{"too long", []byte{0xff, 0xff, 1}, 0, "bad frame"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, Limits{}, &host{}, func(t *testing.T, w *world) {
				conn, begin := w.dial(), time.Now()
				if _, err := conn.Write(tt.bytes); err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, conn)
				if took := time.Since(begin); took != tt.after || !strings.HasSuffix(w.told(), "; 1 "+tt.why) {
					t.Errorf("after %v, told %q", took, w.told())
				}
			})
		})
	}
}

func (w *world) told() string {
	synctest.Wait()
	return w.host.all()
}

// A slow-loris peer sends a byte now and then: that does not lengthen a frame's time.
func TestSlowBytesDoNotHelp(t *testing.T) {
	bubble(t, Limits{}, &host{}, func(t *testing.T, w *world) {
		conn, begin := w.dial(), time.Now()
		for _, b := range frame(strings.Repeat("x", 2000)) {
			if _, err := conn.Write([]byte{b}); err != nil {
				break
			}
			<-time.After(time.Second)
		}
		if took := time.Since(begin); took > FrameLimit+2*time.Second {
			t.Errorf("it lived %v", took)
		}
	})
}

func TestPeerThatDoesNotRead(t *testing.T) {
	big := frame(strings.Repeat("x", 60000))
	h := &host{answer: func(*Conn, []byte) Answer { return Answer{Acts: []rules.Act{{Bytes: big}, {Bytes: big}}} }}
	bubble(t, Limits{}, h, func(t *testing.T, w *world) {
		deaf, other := w.dial(), w.dial()
		send(t, deaf, "x")
		synctest.Wait()
		send(t, other, "x") // is served meanwhile
		receive(t, other, string(big[2:]), string(big[2:]))
		<-time.After(WriteLimit)
		if !strings.Contains(w.told(), "1 idle") {
			t.Errorf("told %q", w.told())
		}
	})
}

func TestRoomIsMadeForNewConnections(t *testing.T) {
	const room = 10
	bubble(t, Limits{MaxConnections: room}, &host{}, func(t *testing.T, w *world) {
		var conns []net.Conn
		for range room {
			conns = append(conns, w.dial())
			<-time.After(time.Millisecond)
		}
		send(t, conns[0], "x")
		receive(t, conns[0], "x")
		refused := func() {
			t.Helper()
			if _, err := w.dial().Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("one too many: %v", err)
			}
		}
		refused()
		refused()
		if n := strings.Count(w.told(), "refused"); n != 1 {
			t.Errorf("told %d times", n)
		}
		<-time.After(EvictSilent)
		// Those that have never spoken go first, the oldest of them before the others.
		for n := range room - 1 {
			conn := w.dial()
			send(t, conn, "y")
			receive(t, conn, "y")
			_ = conns[n+1].SetReadDeadline(time.Now().Add(time.Second))
			if _, err := conns[n+1].Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("connection %d: %v", n+2, err)
			}
		}
		refused() // all have spoken
		<-time.After(EvictIdle - EvictSilent)
		send(t, w.dial(), "z")
		if _, err := conns[0].Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the idlest: %v", err)
		}
		if n := w.engine.Len(); n != room {
			t.Errorf("%d connections", n)
		}
	})
}

func TestUnfinishedFramesAreBounded(t *testing.T) {
	bubble(t, Limits{MaxBuffered: 8192}, &host{}, func(t *testing.T, w *world) {
		var conns []net.Conn
		for range 4 { // announcing costs nothing, bytes do
			conn := w.dial()
			if _, err := conn.Write(frame(strings.Repeat("x", 60000))[:1500]); err != nil {
				t.Fatal(err)
			}
			conns = append(conns, conn)
		}
		synctest.Wait()
		if _, err := conns[0].Write(make([]byte, 3000)); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(w.told(), "1 too many bytes of unfinished frames") {
			t.Errorf("told %q", w.told())
		}
	})
}
