package certs

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Files of a kept authority, in its folder.
const (
	CertFile = "ca.pem"     // the certificate, for everybody
	KeyFile  = "ca-key.pem" // the key, for its owner alone (mode 0600)
)

// keptName is the common name of an authority that LoadOrCreate makes.
const keptName = "assay test authority"

// LoadOrCreate gives the authority that dir holds. A dir without one gets one, so that a terminal
// has to be told only once whom to trust. ErrFiles says which file is wrong and what to do: one of
// the two is missing, is no certificate or key, does not belong to the other, or the authority is
// not valid now.
func LoadOrCreate(dir string, now time.Time) (*Authority, error) {
	certFile, keyFile := filepath.Join(dir, CertFile), filepath.Join(dir, KeyFile)
	cert, certErr := os.ReadFile(certFile)
	key, keyErr := os.ReadFile(keyFile)
	noCert, noKey := errors.Is(certErr, fs.ErrNotExist), errors.Is(keyErr, fs.ErrNotExist)
	switch {
	case noCert && noKey:
		return create(dir, now)
	case noCert:
		return nil, fmt.Errorf("%w: %s is missing beside %s; put it back, or remove the key for a new authority", ErrFiles, certFile, KeyFile)
	case noKey:
		return nil, fmt.Errorf("%w: %s is missing beside %s; put it back, or remove the certificate for a new authority", ErrFiles, keyFile, CertFile)
	case certErr != nil || keyErr != nil:
		return nil, fmt.Errorf("%w: %w", ErrFiles, errors.Join(certErr, keyErr))
	}
	return load(certFile, cert, key, now)
}

func load(certFile string, cert, key []byte, now time.Time) (*Authority, error) {
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil { // its text names what kind of thing is wrong, never the key
		return nil, fmt.Errorf("%w: %s and %s: %w; remove both for a new authority", ErrFiles, certFile, KeyFile, err)
	}
	signer, ok := pair.PrivateKey.(crypto.Signer)
	switch {
	case !ok || !pair.Leaf.IsCA:
		return nil, fmt.Errorf("%w: %s is not the certificate of an authority", ErrFiles, certFile)
	case now.Before(pair.Leaf.NotBefore) || now.After(pair.Leaf.NotAfter):
		return nil, fmt.Errorf("%w: %s is valid from %s to %s, and now it is %s; remove it and %s for a new authority", ErrFiles, certFile,
			pair.Leaf.NotBefore.Format(time.RFC3339), pair.Leaf.NotAfter.Format(time.RFC3339), now.Format(time.RFC3339), KeyFile)
	}
	return &Authority{cert: pair.Leaf, key: signer}, nil
}

// create makes an authority and keeps it. The key is written first and only if there is none, so
// that of two that create at once one fails.
func create(dir string, now time.Time) (*Authority, error) {
	a, err := NewAuthority(keptName, now)
	if err != nil {
		return nil, err
	}
	key, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return nil, fmt.Errorf("certs: key of the authority: %w", err)
	}
	err = os.MkdirAll(dir, 0o755)
	if err == nil {
		err = writeNew(filepath.Join(dir, KeyFile), 0o600, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	}
	if err == nil {
		err = writeNew(filepath.Join(dir, CertFile), 0o644, a.PEM())
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFiles, err)
	}
	return a, nil
}

// writeNew writes a file that must not exist yet.
func writeNew(name string, mode fs.FileMode, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
