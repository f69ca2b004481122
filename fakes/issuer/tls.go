package issuer

import (
	"crypto/tls"
	"fmt"
	"time"

	"github.com/assay-hil/assay/protocol/certs"
)

// Security is TLS on the terminals' side, right or wrong on purpose.
type Security struct {
	Authority *certs.Authority
	// Hosts are the names and addresses that terminals dial.
	Hosts []string
	// Flaw makes the issuer's certificate wrong; certs.None: it is right.
	Flaw certs.Flaw
	// Clients asks every terminal for a certificate of the same authority (mutual TLS).
	Clients bool
}

// NewTLS makes what Config.TLS needs. The certificate is good from now on, flaws apart.
func NewTLS(s Security, now time.Time) (*tls.Config, error) {
	own, err := s.Authority.Certificate(s.Hosts, s.Flaw, now)
	if err != nil {
		return nil, fmt.Errorf("issuer: certificate: %w", err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12, Time: time.Now}
	if s.Clients {
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, s.Authority.Pool()
	}
	return c, nil
}
