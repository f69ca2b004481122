package tlswire_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fakes/network/tlswire"
	"github.com/assay-hil/assay/protocol/certs"
)

// seen says in words how a terminal saw TLS fail.
func seen(err error) string {
	var (
		invalid x509.CertificateInvalidError
		host    x509.HostnameError
		unknown x509.UnknownAuthorityError
		op      *net.OpError
	)
	switch {
	case err == nil:
		return "nothing"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		if strings.Contains(err.Error(), "is before") {
			return "not yet valid"
		}
		return "expired"
	case errors.As(err, &host):
		return "wrong host"
	case errors.As(err, &unknown):
		return "unknown authority"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "silence"
	case errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error"):
		return op.Op + ": " + op.Err.Error()
	}
	return err.Error()
}

// Each fault is armed, fires, is seen by the terminal as stated, and heals.
func TestEachFault(t *testing.T) {
	for _, test := range []struct {
		fault tlswire.Fault
		want  string   // seen by the terminal
		event []string // besides "fired"
	}{
		{tlswire.Fault{Kind: "expired"}, "expired", []string{"handshake f failed remote error: tls: bad certificate"}},
		{tlswire.Fault{Kind: "not-yet-valid"}, "not yet valid", []string{"handshake f failed remote error: tls: bad certificate"}},
		{tlswire.Fault{Kind: "wrong-host"}, "wrong host", []string{"handshake f failed remote error: tls: bad certificate"}},
		{tlswire.Fault{Kind: "unknown-ca"}, "unknown authority", []string{"handshake f failed remote error: tls: bad certificate"}},
		{tlswire.Fault{Kind: "alert"}, "remote error: tls: handshake failure", []string{"handshake f failed alert sent: handshake_failure"}},
		{tlswire.Fault{Kind: "alert", Alert: "access_denied"}, "remote error: tls: access denied", []string{"handshake f failed alert sent: access_denied"}},
		{tlswire.Fault{Kind: "version-refused"}, "remote error: tls: protocol version not supported", []string{"handshake f failed alert sent: protocol_version"}},
		{tlswire.Fault{Kind: "handshake-stall"}, "silence", []string{"handshake f failed the terminal left"}},
		{tlswire.Fault{Kind: "corrupted-record"}, "local error: tls: bad record MAC", []string{"handshake completed", "alert tls: bad record MAC"}},
	} {
		name := strings.TrimSuffix(test.fault.Kind+" "+test.fault.Alert, " ")
		for _, newest := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(fmt.Sprintf("%s %s", name, tls.VersionName(newest)), func(t *testing.T) {
				onBoth(t, tlswire.Config{MaxVersion: newest}, func(t *testing.T, w *world) {
					test.fault.ID = "f"
					if err := w.endpoint.Arm([]tlswire.Fault{test.fault}); err != nil {
						t.Fatal(err)
					}
					raw, injector := w.open(t)
					ended := echo(injector)
					if test.want == "silence" {
						_ = raw.SetDeadline(time.Now().Add(50 * time.Millisecond))
					}
					c := w.terminal(raw)
					if got := seen(ping(c)); got != test.want {
						t.Errorf("the terminal saw: %s\nwant: %s", got, test.want)
					}
					_ = raw.Close()
					if err := <-ended; err == nil {
						t.Error("the injector's end saw nothing")
					}
					for _, line := range append(test.event, "armed f", "fired f") {
						w.wait(t, line)
					}
					if s := w.endpoint.Status(); len(s) != 1 || s[0].Fired != 1 || s[0].Healed {
						t.Errorf("status %+v", s)
					}
					w.endpoint.Heal()
					if s := w.endpoint.Status(); !s[0].Healed {
						t.Errorf("status after healing %+v", s)
					}
					w.wait(t, "healed f")
					w.mustWork(t)
				})
			})
		}
	}
}

// The table covers the vocabulary, and what the vocabulary says of certificates is package certs'.
func TestVocabulary(t *testing.T) {
	kinds := map[string]bool{}
	if !slices.IsSortedFunc(tlswire.Vocabulary, func(a, b client.Kind) int { return strings.Compare(a.Kind, b.Kind) }) {
		t.Error("not sorted")
	}
	rows := map[int]bool{}
	for _, e := range tlswire.Vocabulary {
		kinds[e.Kind] = true
		for _, row := range e.Rows {
			rows[row] = true
		}
		if e.Help == "" || len(e.Params) == 0 || len(e.On) != 1 {
			t.Errorf("%s: nothing said about it", e.Kind)
		}
	}
	for _, flaw := range certs.Flaws {
		if !kinds[flaw] {
			t.Errorf("flaw %s is no kind of fault", flaw)
		}
	}
	for _, row := range []int{35, 36, 37, 38} {
		if !rows[row] {
			t.Errorf("row %d of the catalogue is nobody's", row)
		}
	}
}

// A terminal that accepts everything is found out.
func TestAcceptedBadCertificateIsReported(t *testing.T) {
	onBoth(t, tlswire.Config{}, func(t *testing.T, w *world) {
		if err := w.endpoint.Arm([]tlswire.Fault{{ID: "bad", Kind: "expired"}}); err != nil {
			t.Fatal(err)
		}
		raw, injector := w.open(t)
		ended := echo(injector)
		c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true})
		if err := ping(c); err != nil {
			t.Error(err)
		}
		w.wait(t, "handshake bad completed")
		_ = c.Close()
		<-ended
	})
}

func TestNthHandshakeAndNthRecord(t *testing.T) {
	onBoth(t, tlswire.Config{}, func(t *testing.T, w *world) {
		w.mustWork(t) // before arming: not counted
		if err := w.endpoint.Arm([]tlswire.Fault{{ID: "second", Kind: "alert", Nth: 2}, {ID: "third", Kind: "corrupted-record", Nth: 3}}); err != nil {
			t.Fatal(err)
		}
		w.mustWork(t) // handshake 1, record 1
		raw, injector := w.open(t)
		ended := echo(injector)
		if got := seen(w.terminal(raw).Handshake()); !strings.HasPrefix(got, "remote error") {
			t.Errorf("the second handshake: %s", got)
		}
		<-ended
		raw, injector = w.open(t)
		ended = echo(injector)
		c := w.terminal(raw)
		for i, want := range []string{"nothing", "local error: tls: bad record MAC"} {
			if got := seen(ping(c)); got != want {
				t.Errorf("record %d: %s, want %s", i+2, got, want)
			}
		}
		_ = raw.Close()
		<-ended
		want := []client.Status{{ID: "second", Kind: "alert", Fired: 1}, {ID: "third", Kind: "corrupted-record", Fired: 1}}
		if got := w.endpoint.Status(); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
			t.Errorf("status %+v, want %+v", got, want)
		}
	})
}

func TestHealingLetsAStalledHandshakeGoOn(t *testing.T) {
	stalledUntil(t, func(e *tlswire.Endpoint) error { e.Heal(); return nil })
}

// Arming heals what was armed before.
func TestArmingLetsAStalledHandshakeGoOn(t *testing.T) {
	stalledUntil(t, func(e *tlswire.Endpoint) error { return e.Arm(nil) })
}

func stalledUntil(t *testing.T, healed func(*tlswire.Endpoint) error) {
	onBoth(t, tlswire.Config{}, func(t *testing.T, w *world) {
		if err := w.endpoint.Arm([]tlswire.Fault{{ID: "f", Kind: "handshake-stall"}}); err != nil {
			t.Fatal(err)
		}
		raw, injector := w.open(t)
		ended := echo(injector)
		c := w.terminal(raw)
		pinged := make(chan error, 1)
		go func() { pinged <- ping(c) }()
		w.wait(t, "fired f")
		select {
		case err := <-pinged:
			t.Fatalf("not stalled: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
		if err := healed(w.endpoint); err != nil {
			t.Fatal(err)
		}
		w.wait(t, "healed f")
		if err := <-pinged; err != nil {
			t.Errorf("after healing: %v", err)
		}
		_ = c.Close()
		<-ended
	})
}

func TestMutual(t *testing.T) {
	onBoth(t, tlswire.Config{Mutual: true}, func(t *testing.T, w *world) {
		own, err := w.authority.Client("terminal", certs.None, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct {
			chain []tls.Certificate
			want  string
		}{{[]tls.Certificate{own}, "nothing"}, {nil, "remote error: tls: certificate required"}} {
			raw, injector := w.open(t)
			ended := echo(injector)
			c := tls.Client(raw, &tls.Config{RootCAs: w.authority.Pool(), ServerName: "host.test", Certificates: test.chain})
			if got := seen(ping(c)); got != test.want {
				t.Errorf("the terminal saw: %s, want %s", got, test.want)
			}
			_ = raw.Close()
			<-ended
		}
	})
}

// A reset stays one: close_notify before it would look like an orderly end.
func TestResetAndHalfClose(t *testing.T) {
	onBoth(t, tlswire.Config{}, func(t *testing.T, w *world) {
		raw, injector := w.open(t)
		c := w.terminal(raw)
		go func() { _ = c.Handshake() }()
		if _, err := injector.Write([]byte("bye")); err != nil {
			t.Fatal(err)
		}
		if err := injector.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 8)
		if n, err := c.Read(buf); string(buf[:n]) != "bye" || err != nil {
			t.Errorf("read %q, %v", buf[:n], err)
		}
		if _, err := c.Read(buf); err == nil || err.Error() != "EOF" {
			t.Errorf("after the half-close: %v, want EOF", err)
		}
		if _, err := c.Write([]byte("still")); err != nil {
			t.Error(err)
		}
		if n, err := injector.Read(buf); string(buf[:n]) != "still" || err != nil {
			t.Errorf("the other direction: %q, %v", buf[:n], err)
		}

		raw, injector = w.open(t)
		c = w.terminal(raw)
		go func() { _ = c.Handshake() }()
		if _, err := injector.Write([]byte("!")); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(buf); err != nil {
			t.Fatal(err)
		}
		if err := injector.(interface{ SetLinger(int) error }).SetLinger(0); err != nil {
			t.Fatal(err)
		}
		_ = injector.Close()
		if _, err := c.Read(buf); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("after the reset: %v, want ECONNRESET", err)
		}
	})
}
