package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strings"
	"time"
)

// Certificate makes a certificate, with its key, of a server that is reached as each of the hosts
// (DNS names, "*." in front allowed, or IP addresses), with one flaw or None. Errors: ErrHost,
// ErrFlaw.
func (a *Authority) Certificate(hosts []string, flaw Flaw, now time.Time) (tls.Certificate, error) {
	if len(hosts) == 0 || len(hosts) > MaxHosts {
		return tls.Certificate{}, fmt.Errorf("%w: %d hosts given, 1 to %d are possible", ErrHost, len(hosts), MaxHosts)
	}
	if flaw == WrongHost {
		hosts = []string{Elsewhere}
	}
	template, err := flawed(hosts[0], flaw, now)
	if err != nil {
		return tls.Certificate{}, err
	}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
			continue
		}
		if !isName(strings.TrimPrefix(host, "*.")) {
			return tls.Certificate{}, fmt.Errorf("%w: %q is neither a DNS name nor an IP address; a port does not belong to it", ErrHost, host)
		}
		template.DNSNames = append(template.DNSNames, host)
	}
	return a.issue(template, flaw, now)
}

// Client makes a certificate, with its key, that a client proves itself with (mutual TLS). A
// client has no host, so that WrongHost is ErrFlaw.
func (a *Authority) Client(name string, flaw Flaw, now time.Time) (tls.Certificate, error) {
	if flaw == WrongHost {
		return tls.Certificate{}, fmt.Errorf("%w: %s is not possible for a client, which has no host", ErrFlaw, flaw)
	}
	template, err := flawed(name, flaw, now)
	if err != nil {
		return tls.Certificate{}, err
	}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return a.issue(template, flaw, now)
}

// flawed is the template of a leaf with its validity.
func flawed(name string, flaw Flaw, now time.Time) (*x509.Certificate, error) {
	from := now.Add(-Backdate)
	switch flaw {
	case None, WrongHost, UnknownCA:
	case Expired:
		from = now.Add(-Margin - LeafLife)
	case NotYet:
		from = now.Add(Margin)
	default:
		return nil, fmt.Errorf("%w: unknown %q; there are %s", ErrFlaw, string(flaw), strings.Join(Flaws, ", "))
	}
	template, err := newTemplate(name, from, LeafLife)
	if err != nil {
		return nil, err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	return template, nil
}

// issue makes the key and signs; with UnknownCA somebody else does.
func (a *Authority) issue(template *x509.Certificate, flaw Flaw, now time.Time) (tls.Certificate, error) {
	signer := a
	if flaw == UnknownCA {
		stranger, err := NewAuthority("unknown to everybody", now)
		if err != nil {
			return tls.Certificate{}, err
		}
		signer = stranger
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certs: key: %w", err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.cert, key.Public(), signer.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certs: certificate of %q: %w", template.Subject.CommonName, err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certs: certificate of %q: %w", template.Subject.CommonName, err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// isName says whether s is a host name: letters, digits and inner hyphens in labels of at most 63
// characters, 253 in all (RFC 1123, 2.1).
func isName(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
				return false
			}
		}
	}
	return true
}
