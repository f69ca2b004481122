package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/assay-hil/assay/fakes/issuer"
	"github.com/assay-hil/assay/protocol/certs"
)

// Words of --tls besides the flaws of certificates.
const (
	tlsNone = "none"
	tlsGood = "good"
)

// Files that --tls-client adds to the authority's folder.
const (
	clientCertFile = "client.pem"
	clientKeyFile  = "client-key.pem"
)

func tlsWords() []string { return append([]string{tlsNone, tlsGood}, certs.Flaws...) }

// serverTLS makes a host's side of TLS: its certificate, good or with a flaw, is of the authority
// kept in dir and for every name of address that a client could use. With clients, only those with
// a certificate of the same authority are let in; dir gets one for them.
func serverTLS(word, dir, address string, clients bool, now time.Time) (*tls.Config, error) {
	authority, err := certs.LoadOrCreate(dir, now)
	if err != nil {
		return nil, err
	}
	flaw := certs.Flaw(word)
	if word == tlsGood {
		flaw = certs.None
	}
	config, err := issuer.NewTLS(issuer.Security{Authority: authority, Hosts: namesOf(address), Flaw: flaw, Clients: clients}, now)
	if err != nil || !clients {
		return config, err
	}
	client, err := authority.Client("assay client", certs.None, now)
	if err != nil {
		return nil, err
	}
	return config, writePair(dir, client)
}

// namesOf are the names and addresses under which a listener can be reached: its own or, if it
// listens on all, those of this machine; and loopback's.
func namesOf(address string) []string {
	names := []string{"localhost", "127.0.0.1", "::1"}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return names
	}
	if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
		return appendNew(names, host)
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return names
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && len(names) < certs.MaxHosts {
			names = appendNew(names, n.IP.String())
		}
	}
	return names
}

func appendNew(names []string, name string) []string {
	for _, n := range names {
		if n == name {
			return names
		}
	}
	return append(names, name)
}

// writePair writes a certificate and its key, the key for its owner alone.
func writePair(dir string, pair tls.Certificate) error {
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		return err
	}
	var chain []byte
	for _, der := range pair.Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	for name, data := range map[string][]byte{
		clientCertFile: chain,
		clientKeyFile:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return fmt.Errorf("--tls-dir: %w", err)
		}
	}
	return nil
}
