package tlswire_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/network/tlswire"
	"github.com/assay-hil/assay/protocol/certs"
	"github.com/assay-hil/assay/protocol/memnet"
)

// What never begins its handshake, or talks no TLS, is not kept for ever.
func TestHandshakeIsBounded(t *testing.T) {
	onBoth(t, tlswire.Config{}, func(t *testing.T, w *world) {
		raw, injector := w.open(t)
		ended := echo(injector)
		if _, err := raw.Write([]byte("\x00\x040800\x00")); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !errors.Is(err, tlswire.ErrHandshake) {
			t.Errorf("plain bytes: %v, want ErrHandshake", err)
		}
		raw, injector = w.open(t)
		ended = echo(injector)
		_ = raw.Close()
		if err := <-ended; !errors.Is(err, tlswire.ErrHandshake) || errors.Is(err, net.ErrClosed) {
			t.Errorf("left before the handshake: %v, want ErrHandshake", err)
		}
		w.wait(t, "handshake failed the terminal left")
	})
	t.Run("silent", func(t *testing.T) {
		inMemory(t, func(t *testing.T, w *world) {
			begin := time.Now()
			_, injector := w.open(t)
			err := <-echo(injector)
			if took := time.Since(begin); took != tlswire.HandshakeLimit || !errors.Is(err, tlswire.ErrHandshake) {
				t.Errorf("ended after %v: %v", took, err)
			}
		})
	})
}

// inMemory is for what takes minutes, or is the same on every wire.
func inMemory(t *testing.T, test func(t *testing.T, w *world)) {
	synctest.Test(t, func(t *testing.T) { test(t, memoryWorld(t, tlswire.Config{})) })
}

func TestStallIsBounded(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		if err := w.endpoint.Arm([]tlswire.Fault{{ID: "f", Kind: "handshake-stall"}}); err != nil {
			t.Fatal(err)
		}
		raw, injector := w.open(t)
		ended := echo(injector)
		_ = raw.SetDeadline(time.Time{})
		begin := time.Now()
		c := w.terminal(raw)
		if err := ping(c); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took != tlswire.MaxStall {
			t.Errorf("stalled for %v", took)
		}
		_ = c.Close()
		<-ended
	})
}

// Closing waits for no terminal: not for one in a stalled handshake, not for one that doesn't read.
func TestCloseDoesNotHang(t *testing.T) {
	onBoth(t, tlswire.Config{}, func(t *testing.T, w *world) {
		if err := w.endpoint.Arm([]tlswire.Fault{{ID: "f", Kind: "handshake-stall", Nth: 1}}); err != nil {
			t.Fatal(err)
		}
		raw, injector := w.open(t)
		ended := echo(injector)
		shaken := make(chan error, 1)
		go func() { shaken <- w.terminal(raw).Handshake() }()
		w.wait(t, "fired f")
		_ = injector.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed in the stall: %v", err)
		}
		if err := <-shaken; err == nil {
			t.Error("the terminal got through")
		}

		raw, injector = w.open(t)
		go func() { shaken <- w.terminal(raw).Handshake() }()
		filled := make(chan error, 1)
		go func() {
			for block := make([]byte, 1<<20); ; {
				if _, err := injector.Write(block); err != nil {
					filled <- err
					return
				}
			}
		}()
		if err := <-shaken; err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-filled:
			t.Fatalf("not blocked: %v", err)
		case <-time.After(100 * time.Millisecond):
		}
		begin := time.Now()
		_ = injector.Close()
		<-filled
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("closing took %v", took)
		}
	})
}

// pipes is a listener on wires that hold nothing: who writes waits for the reader.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return memnet.Addr("pipes") }

// The goodbye to a terminal that does not read is short.
func TestGoodbyeIsShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := make(pipes)
		w := newWorld(t, tlswire.Config{}, l, nil, func() (net.Conn, error) {
			near, far := net.Pipe()
			l <- far
			return near, nil
		})
		raw, injector := w.open(t)
		shaken := make(chan error, 1)
		go func() { shaken <- w.terminal(raw).Handshake() }()
		go func() { _, _ = injector.Read(make([]byte, 1)) }()
		if err := <-shaken; err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		begin := time.Now()
		_ = injector.Close()
		if took := time.Since(begin); took > time.Second {
			t.Errorf("closing took %v", took)
		}
	})
}

// counted counts what is read.
type counted struct {
	net.Conn
	read int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read += n
	return n, err
}

// After the alert that was asked for comes nothing more: not the alert of package tls, too.
func TestOneAlertOnly(t *testing.T) {
	onBoth(t, tlswire.Config{}, func(t *testing.T, w *world) {
		if err := w.endpoint.Arm([]tlswire.Fault{{ID: "f", Kind: "alert"}}); err != nil {
			t.Fatal(err)
		}
		raw, injector := w.open(t)
		ended := echo(injector)
		terminal := &counted{Conn: raw}
		if err := w.terminal(terminal).Handshake(); err == nil {
			t.Error("no alert")
		}
		<-ended
		_ = injector.Close()
		if _, err := io.Copy(io.Discard, terminal); err != nil || terminal.read != 7 {
			t.Errorf("%d bytes came, %v; an alert has 7", terminal.read, err)
		}
	})
}

// tickets counts the sessions that a terminal is given to resume.
type tickets struct{ given int }

func (c *tickets) Get(string) (*tls.ClientSessionState, bool) { return nil, false }
func (c *tickets) Put(_ string, session *tls.ClientSessionState) {
	if session != nil {
		c.given++
	}
}

// A terminal that keeps sessions is given none: it is shown the certificate every time.
func TestNoSessionCanBeResumed(t *testing.T) {
	for _, newest := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		onBoth(t, tlswire.Config{MaxVersion: newest}, func(t *testing.T, w *world) {
			var cache tickets
			raw, injector := w.open(t)
			ended := echo(injector)
			c := tls.Client(raw, &tls.Config{RootCAs: w.authority.Pool(), ServerName: "host.test", ClientSessionCache: &cache})
			if err := ping(c); err != nil || cache.given != 0 {
				t.Errorf("%v, %d tickets", err, cache.given)
			}
			_ = c.Close()
			<-ended
		})
	}
}

// What a terminal says while it is kept waiting is not lost: here an alert that ends the handshake.
func TestWhatIsSaidInTheStallIsKept(t *testing.T) {
	onBoth(t, tlswire.Config{}, func(t *testing.T, w *world) {
		if err := w.endpoint.Arm([]tlswire.Fault{{ID: "f", Kind: "handshake-stall"}}); err != nil {
			t.Fatal(err)
		}
		raw, injector := w.open(t)
		ended := echo(injector)
		shaken := make(chan error, 1)
		go func() { shaken <- w.terminal(raw).Handshake() }()
		w.wait(t, "fired f")
		if _, err := raw.Write([]byte{21, 3, 3, 0, 2, 2, 90}); err != nil { // fatal, user_canceled
			t.Fatal(err)
		}
		w.endpoint.Heal()
		if err := <-ended; !errors.Is(err, tlswire.ErrHandshake) {
			t.Errorf("got %v, want ErrHandshake", err)
		}
		_ = raw.Close()
		<-shaken
	})
}

// Ending one direction before the handshake is done waits for nobody either.
func TestCloseWriteBeforeTheHandshake(t *testing.T) {
	onBoth(t, tlswire.Config{}, func(t *testing.T, w *world) {
		raw, injector := w.open(t)
		ended := echo(injector)
		begin := time.Now()
		if err := injector.(interface{ CloseWrite() error }).CloseWrite(); err != nil || time.Since(begin) > 2*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		if n, err := raw.Read(make([]byte, 1)); n != 0 || err == nil || err.Error() != "EOF" {
			t.Errorf("the terminal reads %d, %v; want EOF", n, err)
		}
		_ = raw.Close()
		<-ended
	})
}

func TestFaultsThatMakeNoSense(t *testing.T) {
	inMemory(t, func(t *testing.T, w *world) {
		if err := w.endpoint.Arm([]tlswire.Fault{{ID: "kept", Kind: "alert"}}); err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct {
			faults []tlswire.Fault
			want   string
		}{
			{[]tlswire.Fault{{ID: "a", Kind: "expird"}}, `unknown kind "expird"; did you mean "expired"?`},
			{[]tlswire.Fault{{Kind: "alert"}}, "id: 1 to 64"},
			{[]tlswire.Fault{{ID: "a", Kind: "alert", Alert: "acces_denied"}}, `did you mean "access_denied"?`},
			{[]tlswire.Fault{{ID: "a", Kind: "expired", Alert: "access_denied"}}, "only the kind alert has it"},
			{[]tlswire.Fault{{ID: "a", Kind: "alert", Nth: -1}}, "nth: 1 or more"},
			{[]tlswire.Fault{{ID: "a", Kind: "alert"}, {ID: "a", Kind: "expired"}}, "used twice"},
			{[]tlswire.Fault{{ID: "a", Kind: "alert", Uplink: "primry"}}, `unknown uplink "primry"; did you mean "primary"?`},
			{[]tlswire.Fault{{ID: "a", Kind: "alert", Uplink: "backup"}}, `unknown uplink "backup"`}, // nobody listens for it
			{make([]tlswire.Fault, tlswire.MaxFaults+1), "65 faults, at most 64"},
		} {
			if err := w.endpoint.Arm(test.faults); !errors.Is(err, tlswire.ErrFault) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%.80v: %v\nwant ErrFault with %q", test.faults, err, test.want)
			}
		}
		if s := w.endpoint.Status(); len(s) != 1 || s[0].ID != "kept" || s[0].Healed {
			t.Errorf("those before: %+v", s)
		}
	})
}

func TestConfigsThatMakeNoSense(t *testing.T) {
	authority, err := certs.NewAuthority("test", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, config := range []tlswire.Config{
		{Hosts: []string{"host.test"}},
		{Authority: authority},
		{Authority: authority, Hosts: []string{"host.test:1"}},
		{Authority: authority, Hosts: []string{"host.test"}, MaxVersion: tls.VersionTLS11},
	} {
		if _, err := tlswire.New(config); !errors.Is(err, tlswire.ErrConfig) {
			t.Errorf("%+v: %v, want ErrConfig", config, err)
		}
	}
}

// Whatever a terminal says in its handshake, it ends, and nothing panics.
func FuzzHandshake(f *testing.F) {
	f.Add([]byte("\x16\x03\x01\x00\x02\x01\x00"), false)
	f.Add([]byte("\x15\x03\x03\x00\x02\x02\x28"), true)
	f.Add([]byte("\x16\x03\x01\xff\xff"), true)
	f.Fuzz(func(t *testing.T, said []byte, stalled bool) {
		synctest.Test(t, func(t *testing.T) {
			w := memoryWorld(t, tlswire.Config{})
			if stalled {
				if err := w.endpoint.Arm([]tlswire.Fault{{ID: "f", Kind: "handshake-stall"}}); err != nil {
					t.Fatal(err)
				}
			}
			raw, injector := w.open(t)
			ended := echo(injector)
			go func() { _, _ = raw.Write(said) }()
			if err := <-ended; !errors.Is(err, tlswire.ErrHandshake) {
				t.Errorf("%v, want ErrHandshake", err)
			}
		})
	})
}
