package packet_test

import (
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/assay-hil/assay/fakes/network/packet"
)

// TestNothingArmed: a bench passes everything, both ways and half-closed.
func TestNothingArmed(t *testing.T) {
	t.Parallel()
	w := echoing(t)
	conn := w.connect()
	ping(t, conn, 100_000)
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("%d bytes, %v; want EOF", n, err)
	}
}

// TestSYNBlackhole: connect ends by its own deadline, connections that exist and other ports go on.
func TestSYNBlackhole(t *testing.T) {
	t.Parallel()
	w := echoing(t)
	old := w.connect()
	w.arm(packet.Spec{Kind: packet.SYNBlackhole, Port: port})
	begin := time.Now()
	if _, err := w.dial(silence); !errors.Is(err, os.ErrDeadlineExceeded) && !isTimeout(err) {
		t.Errorf("dial: %v, want a timeout", err)
	}
	if took := time.Since(begin); took < silence-10*time.Millisecond {
		t.Errorf("after %v, want %v", took, silence)
	}
	ping(t, old, 10)
	if _, err := w.Dial(t.Context(), packet.Terminal, w.Addr(packet.Host).String()+":1"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("other port: %v, want the host's own refusal", err)
	}
	w.healed()
	ping(t, w.connect(), 10)
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// TestConnectFails: what connect gives, and that it is counted once and passes after healing.
func TestConnectFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spec packet.Spec
		want error
	}{
		"refused":    {packet.Spec{Kind: packet.Refused, Port: port}, syscall.ECONNREFUSED},
		"host":       {packet.Spec{Kind: packet.ICMPUnreachable}, syscall.EHOSTUNREACH},
		"network":    {packet.Spec{Kind: packet.ICMPUnreachable, Answer: "network"}, syscall.ENETUNREACH},
		"port":       {packet.Spec{Kind: packet.ICMPUnreachable, Answer: "port"}, syscall.ECONNREFUSED},
		"prohibited": {packet.Spec{Kind: packet.ICMPUnreachable, Answer: "prohibited"}, syscall.EHOSTUNREACH},
	} {
		t.Run(name, func(t *testing.T) {
			w := echoing(t)
			w.arm(c.spec)
			if _, err := w.dial(patience); !errors.Is(err, c.want) {
				t.Errorf("dial: %v, want %v", err, c.want)
			}
			if got := w.healed(); got.Packets != 1 {
				t.Errorf("%d packets, want 1", got.Packets)
			}
			ping(t, w.connect(), 10)
		})
	}
}

// TestStallAfterHandshake: connect succeeds, then silence; the close is not seen either. After
// healing the kernel's own repeats arrive.
func TestStallAfterHandshake(t *testing.T) {
	t.Parallel()
	w := listening(t)
	w.arm(packet.Spec{Kind: packet.StallAfterHandshake})
	conn := w.connect()
	host := w.accepted()
	if err := send(conn, 200); err != nil {
		t.Fatal(err)
	}
	silent(t, host)
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	silent(t, host)
	w.healed()
	if err := expect(host, 200, patience); err != nil {
		t.Error(err)
	}
}

// TestStallHidesTheEnd: who closes or resets without having sent anything is not noticed.
func TestStallHidesTheEnd(t *testing.T) {
	t.Parallel()
	w := listening(t)
	w.arm(packet.Spec{Kind: packet.StallAfterHandshake})
	closed, closedHost := w.connect(), w.accepted()
	reset, resetHost := w.connect(), w.accepted()
	if err := errors.Join(closed.Close(), reset.(*net.TCPConn).SetLinger(0), reset.Close()); err != nil {
		t.Fatal(err)
	}
	silent(t, closedHost)
	silent(t, resetHost)
	w.healed()
}

// TestStallOneWay: the request arrives, the reply does not.
func TestStallOneWay(t *testing.T) {
	t.Parallel()
	w := listening(t)
	w.arm(packet.Spec{Kind: packet.StallAfterHandshake, Direction: packet.FromHost, Port: port})
	conn := w.connect()
	host := w.accepted()
	if err := send(conn, 200); err != nil {
		t.Fatal(err)
	}
	if err := expect(host, 200, patience); err != nil {
		t.Fatal(err)
	}
	if err := send(host, 100); err != nil {
		t.Fatal(err)
	}
	silent(t, conn)
	w.healed()
	if err := expect(conn, 100, patience); err != nil {
		t.Error(err)
	}
}

// TestResetOnFirstData: connect and write succeed, the read gives ECONNRESET; the host, which got
// nothing, knows of nothing.
func TestResetOnFirstData(t *testing.T) {
	t.Parallel()
	w := listening(t)
	w.arm(packet.Spec{Kind: packet.ResetOnFirstData, Port: port})
	conn := w.connect()
	host := w.accepted()
	if err := send(conn, 200); err != nil {
		t.Fatal(err)
	}
	if err := expect(conn, 1, patience); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read: %v, want ECONNRESET", err)
	}
	silent(t, host)
	if got := w.healed(); got.Packets != 1 {
		t.Errorf("%d packets, want 1", got.Packets)
	}
}

// TestNATIdleExpiry: who talks in time goes on, who was idle for too long is forgotten both ways.
func TestNATIdleExpiry(t *testing.T) {
	t.Parallel()
	const idle = time.Second
	w := listening(t)
	w.arm(packet.Spec{Kind: packet.NATIdleExpiry, Idle: idle})
	busy, busyHost := w.connect(), w.accepted()
	quiet, quietHost := w.connect(), w.accepted()
	if err := send(quiet, 10); err != nil {
		t.Fatal(err)
	}
	if err := expect(quietHost, 10, patience); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	for time.Since(begin) < idle+idle/2 {
		<-time.After(idle / 10)
		if err := errors.Join(send(busy, 10), expect(busyHost, 10, patience)); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.last(); got.Packets != 0 {
		t.Errorf("%d packets lost before anybody was late", got.Packets)
	}
	if err := errors.Join(send(quiet, 10), send(quietHost, 20)); err != nil {
		t.Fatal(err)
	}
	silent(t, quietHost)
	silent(t, quiet)
	if err := errors.Join(send(w.connect(), 10), expect(w.accepted(), 10, patience)); err != nil {
		t.Errorf("a new connection: %v", err)
	}
	w.healed()
	if err := errors.Join(expect(quietHost, 10, patience), expect(quiet, 20, patience)); err != nil {
		t.Error(err)
	}
}

// TestNATIdleExpiryOfAPort: a new connection between the ports of a forgotten one lives, in both
// directions.
func TestNATIdleExpiryOfAPort(t *testing.T) {
	t.Parallel()
	w := echoing(t)
	w.arm(packet.Spec{Kind: packet.NATIdleExpiry, Idle: silence})
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: w.Addr(packet.Terminal).AsSlice(), Port: 12345}, Timeout: patience}
	for range 2 {
		var conn net.Conn
		err := w.Inside(packet.Terminal, func() (err error) {
			conn, err = dialer.DialContext(t.Context(), "tcp4", net.JoinHostPort(w.Addr(packet.Host).String(), strconv.Itoa(port)))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		ping(t, conn, 10)
		if err := conn.(*net.TCPConn).SetLinger(0); err != nil { // the port is free at once
			t.Fatal(err)
		}
		conn.Close()
		<-time.After(2 * silence)
	}
	if got := w.last(); got.Packets != 0 {
		t.Errorf("%d packets lost", got.Packets)
	}
}

// TestNATIdleExpiryOfAnOldConnection: one that exists already has its time from its next packet.
func TestNATIdleExpiryOfAnOldConnection(t *testing.T) {
	t.Parallel()
	w := echoing(t)
	conn := w.connect()
	ping(t, conn, 10)
	w.arm(packet.Spec{Kind: packet.NATIdleExpiry, Idle: silence})
	ping(t, conn, 10)
	<-time.After(2 * silence)
	if err := send(conn, 10); err != nil {
		t.Fatal(err)
	}
	silent(t, conn)
	w.healed()
}

// TestMTUBlackhole: a short message passes, a long one hangs until it is healed.
func TestMTUBlackhole(t *testing.T) {
	t.Parallel()
	w := echoing(t)
	conn := w.connect()
	w.arm(packet.Spec{Kind: packet.MTUBlackhole, Size: 576})
	ping(t, conn, 200)
	ping(t, conn, 576-20-20-12) // the longest: IP and TCP headers with time stamps
	if got := w.last(); got.Packets != 0 {
		t.Errorf("%d short packets lost", got.Packets)
	}
	if err := send(conn, 4000); err != nil {
		t.Fatal(err)
	}
	silent(t, conn)
	w.healed()
	if err := expect(conn, 4000, patience); err != nil {
		t.Error(err)
	}
}

// TestRate: so many bytes need at least the time that the rate says, less the burst.
func TestRate(t *testing.T) {
	t.Parallel()
	const rate, size, burst = 256_000, 48_000, 2 * (packet.MTU + 14)
	w := listening(t)
	conn, host := w.connect(), w.accepted()
	w.arm(packet.Spec{Kind: packet.RateLimit, Rate: rate, Direction: packet.FromTerminal})
	begin := time.Now()
	if err := send(conn, size); err != nil {
		t.Fatal(err)
	}
	if err := expect(host, size, patience); err != nil {
		t.Fatal(err)
	}
	took := time.Since(begin)
	if least := time.Duration(size-burst) * 8 * time.Second / rate; took < least {
		t.Errorf("%d bytes took %v, want at least %v", size, took, least)
	}
	t.Logf("asked %d bit/s, got %.0f of data", rate, size*8/took.Seconds())
	w.healed()
}

// TestSlowLine: each packet takes its own time, in each direction by itself, and there is no burst.
func TestSlowLine(t *testing.T) {
	t.Parallel()
	const rate, size = 9600, 600
	w := listening(t)
	conn, host := w.connect(), w.accepted()
	w.arm(packet.Spec{Kind: packet.RateLimit, Rate: rate})
	begin := time.Now()
	if err := send(conn, size); err != nil {
		t.Fatal(err)
	}
	if err := expect(host, size, patience); err != nil {
		t.Fatal(err)
	}
	if took, least := time.Since(begin), time.Duration(size+40)*8*time.Second/rate; took < least || took > 2*least {
		t.Errorf("%d bytes took %v, want %v and not much more", size, took, least)
	}
	if s := w.Status(); s[0].Mechanism != packet.TUN || s[0].Packets == 0 {
		t.Errorf("%+v", s)
	}
	w.healed()
	begin = time.Now()
	if err := errors.Join(send(conn, size), expect(host, size, patience)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > 300*time.Millisecond {
		t.Errorf("healed, and %d bytes took %v", size, took)
	}
}

// TestLinkFlap: while the link is down connect fails at once; what was sent meanwhile arrives
// after it is up.
func TestLinkFlap(t *testing.T) {
	t.Parallel()
	w := listening(t)
	conn, host := w.connect(), w.accepted()
	w.arm(packet.Spec{Kind: packet.LinkFlap})
	if _, err := w.dial(patience); !errors.Is(err, syscall.ENETUNREACH) {
		t.Errorf("dial: %v, want ENETUNREACH", err)
	}
	if err := send(conn, 100); err != nil {
		t.Fatal(err)
	}
	silent(t, host)
	if got := w.healed(); got.Packets != 1 {
		t.Errorf("down %d times, want once", got.Packets)
	}
	if err := expect(host, 100, patience); err != nil {
		t.Error(err)
	}
	w.connect()
}

// TestLinkFlapsSoOften: it goes down so often and stays up.
func TestLinkFlapsSoOften(t *testing.T) {
	t.Parallel()
	w := listening(t)
	const pause = 50 * time.Millisecond
	begin := time.Now()
	w.arm(packet.Spec{Kind: packet.LinkFlap, Down: pause, Up: pause, Times: 3})
	for w.last().Packets < 3 {
		if time.Since(begin) > patience {
			t.Fatalf("%+v", w.last())
		}
		<-time.After(packet.WatchEvery)
	}
	if took := time.Since(begin); took < 4*pause {
		t.Errorf("third time down after %v, want %v", took, 4*pause)
	}
	for { // up again, by itself
		if _, err := w.dial(patience); err == nil {
			break
		} else if !errors.Is(err, syscall.ENETUNREACH) || time.Since(begin) > patience {
			t.Fatal(err)
		}
	}
	<-time.After(4 * pause) // long enough for a fourth time
	if got := w.healed(); got.Packets != 3 {
		t.Errorf("down %d times, want 3", got.Packets)
	}
	w.connect()
}
