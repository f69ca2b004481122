package terminal

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
)

// promptCertificate tells that the host's certificate was refused; models with TLS have it.
const promptCertificate = "certificate-refused"

// errCertificate is the end of a dial whose host could not prove who it is. Nothing was sent.
var errCertificate = ending{promptCertificate}

// secure does the TLS handshake (1.2 or later) within ctx. The host's certificate must lead to an authority
// that was burnt in, be valid now and name the host that was meant (RFC 5280, 6.1; RFC 9525).
func (a *app) secure(ctx context.Context, raw net.Conn, uplink string) (net.Conn, error) {
	conn := tls.Client(raw, a.tlsConfig(a.profile.Uplinks.Hosts[uplink]))
	err := conn.HandshakeContext(ctx)
	if err == nil {
		return conn, nil
	}
	_ = raw.Close() // the handshake failed, and nobody waits for a goodbye
	if errors.As(err, new(*tls.CertificateVerificationError)) {
		return nil, errCertificate
	}
	return nil, err
}

func (a *app) tlsConfig(host string) *tls.Config {
	config := &tls.Config{RootCAs: a.trust, ServerName: host, Time: now, MinVersion: tls.VersionTLS12}
	switch {
	case a.defects.has(defectCertificateUnchecked):
		config.InsecureSkipVerify = true
	case a.defects.has(defectHostUnchecked):
		config.InsecureSkipVerify = true // in favour of the check below
		config.VerifyConnection = a.chainOnly
	}
	return config
}

// chainOnly checks a certificate without asking whose it is: the defect certificate-of-anybody.
func (a *app) chainOnly(state tls.ConnectionState) error {
	between := x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		between.AddCert(c)
	}
	_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: a.trust, Intermediates: between, CurrentTime: now()})
	if err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
	}
	return nil
}
