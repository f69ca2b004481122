package certs_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/assay-hil/assay/protocol/certs"
)

// now is a fixed moment: nothing in the package may look at the clock.
var now = time.Date(2031, time.May, 17, 23, 59, 59, 0, time.UTC)

func newAuthority(t testing.TB) *certs.Authority {
	t.Helper()
	a, err := certs.NewAuthority("test authority", now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func leafOf(t testing.TB, c tls.Certificate, err error) *x509.Certificate {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

// verdict says how crypto/x509 judges a leaf, in words.
func verdict(leaf *x509.Certificate, options x509.VerifyOptions) string {
	_, err := leaf.Verify(options)
	var (
		invalid x509.CertificateInvalidError
		host    x509.HostnameError
		unknown x509.UnknownAuthorityError
	)
	switch {
	case err == nil:
		return "good"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "expired or not yet valid"
	case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		return "wrong usage"
	case errors.As(err, &host):
		return "host"
	case errors.As(err, &unknown):
		return "authority"
	}
	return err.Error()
}

func TestEachFlawIsTheOnlyOne(t *testing.T) {
	a := newAuthority(t)
	const margin = certs.Margin
	for _, test := range []struct {
		flaw    certs.Flaw
		want    string        // how it is judged now
		offset  time.Duration // with a clock that is off by this much …
		host    string        // … and this host …
		repairs bool          // … it is good: nothing else is wrong with it
	}{
		{certs.None, "good", 0, "host.test", true},
		{certs.Expired, "expired or not yet valid", -margin - time.Second, "host.test", true},
		{certs.NotYet, "expired or not yet valid", margin + time.Second, "host.test", true},
		{certs.WrongHost, "host", 0, certs.Elsewhere, true},
		{certs.UnknownCA, "authority", 0, "host.test", false},
	} {
		t.Run(string("flaw "+test.flaw), func(t *testing.T) {
			c, err := a.Certificate([]string{"host.test", "127.0.0.1"}, test.flaw, now)
			leaf := leafOf(t, c, err)
			options := x509.VerifyOptions{Roots: a.Pool(), DNSName: "host.test", CurrentTime: now}
			if got := verdict(leaf, options); got != test.want {
				t.Errorf("judged %q, want %q", got, test.want)
			}
			options.CurrentTime, options.DNSName = now.Add(test.offset), test.host
			if got := verdict(leaf, options); (got == "good") != test.repairs {
				t.Errorf("without the flaw judged %q", got)
			}
		})
	}
}

// An unknown authority is the only thing wrong: who trusts the signer accepts the certificate.
// The signer's certificate is not at hand, so the rest is checked by hand.
func TestUnknownCADiffersInItsIssuerOnly(t *testing.T) {
	a := newAuthority(t)
	good, err := a.Certificate([]string{"host.test"}, certs.None, now)
	want := leafOf(t, good, err)
	strange, err := a.Certificate([]string{"host.test"}, certs.UnknownCA, now)
	got := leafOf(t, strange, err)
	if !got.NotBefore.Equal(want.NotBefore) || !got.NotAfter.Equal(want.NotAfter) || got.VerifyHostname("host.test") != nil {
		t.Errorf("valid %v to %v for %v", got.NotBefore, got.NotAfter, got.DNSNames)
	}
	if got.Issuer.CommonName == want.Issuer.CommonName {
		t.Errorf("issued by %v, which is known", got.Issuer)
	}
}

func TestHosts(t *testing.T) {
	a := newAuthority(t)
	c, err := a.Certificate([]string{"host.test", "*.wild.test", "::1", "10.1.2.3"}, certs.None, now)
	leaf := leafOf(t, c, err)
	for _, host := range []string{"host.test", "HOST.test", "a.wild.test", "::1", "10.1.2.3"} {
		if err := leaf.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	for _, host := range []string{"host2.test", "wild.test", "a.b.wild.test", "10.1.2.4"} {
		if leaf.VerifyHostname(host) == nil {
			t.Errorf("%s: accepted", host)
		}
	}
	for _, hosts := range [][]string{nil, {""}, {"host.test:8583"}, {"a..b"}, {"-a"}, {"a b"}, {"*"}, {"x.*.y"}, make([]string, certs.MaxHosts+1)} {
		if _, err := a.Certificate(hosts, certs.None, now); !errors.Is(err, certs.ErrHost) {
			t.Errorf("%.60q: %v, want ErrHost", hosts, err)
		}
	}
}

func TestUnknownFlaw(t *testing.T) {
	a := newAuthority(t)
	if _, err := a.Certificate([]string{"host.test"}, "expierd", now); !errors.Is(err, certs.ErrFlaw) {
		t.Errorf("%v, want ErrFlaw", err)
	}
	for _, flaw := range []certs.Flaw{"none", certs.WrongHost} {
		if _, err := a.Client("terminal", flaw, now); !errors.Is(err, certs.ErrFlaw) {
			t.Errorf("client %s: %v, want ErrFlaw", flaw, err)
		}
	}
	for _, flaw := range certs.Flaws {
		if _, err := a.Certificate([]string{"host.test"}, certs.Flaw(flaw), now); err != nil {
			t.Error(err)
		}
	}
}

func TestClientIsNoServerAndTheOtherWayRound(t *testing.T) {
	a := newAuthority(t)
	c, err := a.Client("terminal 12345678", certs.None, now)
	client := leafOf(t, c, err)
	c, err = a.Certificate([]string{"host.test"}, certs.None, now)
	server := leafOf(t, c, err)
	for _, test := range []struct {
		name  string
		leaf  *x509.Certificate
		usage x509.ExtKeyUsage
		want  string
	}{
		{"client as client", client, x509.ExtKeyUsageClientAuth, "good"},
		{"client as server", client, x509.ExtKeyUsageServerAuth, "wrong usage"},
		{"server as server", server, x509.ExtKeyUsageServerAuth, "good"},
		{"server as client", server, x509.ExtKeyUsageClientAuth, "wrong usage"},
	} {
		options := x509.VerifyOptions{Roots: a.Pool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{test.usage}}
		if got := verdict(test.leaf, options); got != test.want {
			t.Errorf("%s: judged %q, want %q", test.name, got, test.want)
		}
	}
}

// A whole handshake with both sides proving themselves, in a clock of our choice.
func TestMutualTLS(t *testing.T) {
	a := newAuthority(t)
	server, err := a.Certificate([]string{"host.test"}, certs.None, now)
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return now }
	for _, test := range []struct {
		flaw certs.Flaw
		good bool
	}{{certs.None, true}, {certs.Expired, false}, {certs.NotYet, false}, {certs.UnknownCA, false}} {
		client, err := a.Client("terminal", test.flaw, now)
		if err != nil {
			t.Fatal(err)
		}
		near, far := net.Pipe()
		ended := make(chan error, 1)
		go func() {
			c := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{server}, ClientCAs: a.Pool(), ClientAuth: tls.RequireAndVerifyClientCert, Time: clock})
			ended <- c.Handshake()
			_ = far.Close()
		}()
		c := tls.Client(near, &tls.Config{RootCAs: a.Pool(), ServerName: "host.test", Certificates: []tls.Certificate{client}, Time: clock})
		if err := c.Handshake(); err != nil {
			t.Errorf("%q: the client's side: %v", test.flaw, err)
		}
		_, _ = c.Read(make([]byte, 1)) // the server's alert, which it waits to be rid of
		if err := <-ended; (err == nil) != test.good {
			t.Errorf("%q: the server's side: %v", test.flaw, err)
		}
		_ = near.Close()
	}
}
