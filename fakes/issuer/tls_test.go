package issuer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/protocol/certs"
)

// secured runs a test against an issuer with TLS, in virtual time; dial is a terminal's.
func secured(t *testing.T, flaw certs.Flaw, clients bool, f func(t *testing.T, s *Server, a *certs.Authority, dial func(*tls.Config) (*tls.Conn, error))) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		authority, err := certs.NewAuthority("test", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		config, err := NewTLS(Security{Authority: authority, Hosts: []string{"bank.test"}, Flaw: flaw, Clients: clients}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		s, err := New(Config{Host: testHost(t), Cards: testCards(), TLS: config})
		if err != nil {
			t.Fatal(err)
		}
		p := newPipes()
		end := serve(s, p)
		f(t, s, authority, func(c *tls.Config) (*tls.Conn, error) {
			c.ServerName, c.RootCAs, c.Time = "bank.test", authority.Pool(), time.Now
			conn := tls.Client(p.dial(), c)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			return conn, conn.HandshakeContext(ctx)
		})
		if err := end(); err != nil {
			t.Error(err)
		}
		_ = s.Close()
	})
}

func TestTLS(t *testing.T) {
	secured(t, certs.None, false, func(t *testing.T, s *Server, _ *certs.Authority, dial func(*tls.Config) (*tls.Conn, error)) {
		conn, err := dial(&tls.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if got := exchangeOn(t, s, conn, swipe(t, 1, 100)); got.Fields[39] != "00" {
			t.Errorf("%v", got)
		}
		program(t, s, client.Answer{Never: true, End: client.EndReset})
		writeSale(t, s, conn)
		if _, end := all(t, conn); end != "reset" {
			t.Errorf("a reset under TLS: %s", end)
		}
	})
}

func TestTLSWrongOnPurpose(t *testing.T) {
	for flaw, want := range map[certs.Flaw]string{
		certs.Expired: "expired", certs.NotYet: "not yet valid", certs.WrongHost: "not bank.test", certs.UnknownCA: "unknown authority",
	} {
		t.Run(string(flaw), func(t *testing.T) {
			secured(t, flaw, false, func(t *testing.T, s *Server, _ *certs.Authority, dial func(*tls.Config) (*tls.Conn, error)) {
				conn, err := dial(&tls.Config{})
				var invalid *tls.CertificateVerificationError
				if !errors.As(err, &invalid) || !strings.Contains(err.Error(), want) {
					t.Errorf("%v, want %q", err, want)
				}
				_ = conn.Close()
				synctest.Wait()
				events, _, _ := s.events.After(0)
				if why := events[len(events)-1].Fields["why"]; !strings.HasPrefix(why, "no TLS: remote error") {
					t.Errorf("the issuer says %q", why)
				}
			})
		})
	}
}

func TestMutualTLS(t *testing.T) {
	secured(t, certs.None, true, func(t *testing.T, s *Server, a *certs.Authority, dial func(*tls.Config) (*tls.Conn, error)) {
		own, err := a.Client("terminal", certs.None, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		conn, err := dial(&tls.Config{Certificates: []tls.Certificate{own}})
		if err != nil {
			t.Fatal(err)
		}
		exchangeOn(t, s, conn, echo(1))
		_ = conn.Close()
		for _, c := range []*tls.Config{{}, {Certificates: []tls.Certificate{foreign(t)}}} {
			conn, err := dial(c)
			if err == nil { // TLS 1.3 tells a client with the first read
				_, err = conn.Read(make([]byte, 1))
			}
			if err == nil || !strings.Contains(err.Error(), "certificate") {
				t.Errorf("a terminal without a good certificate: %v", err)
			}
			_ = conn.Close()
		}
	})
}

// foreign is a client certificate of another authority.
func foreign(t *testing.T) tls.Certificate {
	t.Helper()
	other, err := certs.NewAuthority("other", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := other.Client("terminal", certs.None, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x509.ParseCertificate(c.Certificate[0]); err != nil {
		t.Fatal(err)
	}
	return c
}

// A terminal that begins no handshake, or speaks in clear, holds nobody up and is let go in time.
func TestTLSHandshakeIsBounded(t *testing.T) {
	secured(t, certs.None, false, func(t *testing.T, s *Server, _ *certs.Authority, dial func(*tls.Config) (*tls.Conn, error)) {
		p := newPipes()
		end := serve(s, p)
		silent, plain := p.dial(), p.dial()
		if _, err := plain.Write([]byte("0800 in clear, as if there were no TLS")); err != nil {
			t.Fatal(err)
		}
		for _, conn := range []net.Conn{plain, silent} {
			if _, how := all(t, conn); how != "closed" {
				t.Errorf("it is %s", how)
			}
		}
		conn, err := dial(&tls.Config{})
		if err != nil {
			t.Fatal(err)
		}
		exchangeOn(t, s, conn, echo(1))
		_ = conn.Close()
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}
