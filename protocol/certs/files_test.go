package certs_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-hil/assay/protocol/certs"
)

func TestLoadOrCreate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	first, err := certs.LoadOrCreate(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, certs.KeyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", info.Mode(), err)
	}
	written, err := os.ReadFile(filepath.Join(dir, certs.CertFile))
	if err != nil || !bytes.Equal(written, first.PEM()) {
		t.Errorf("the certificate's file: %v\n%s", err, written)
	}

	again, err := certs.LoadOrCreate(dir, now.Add(365*24*time.Hour))
	if err != nil || !bytes.Equal(again.PEM(), first.PEM()) {
		t.Fatalf("loaded another: %v", err)
	}
	c, err := again.Certificate([]string{"host.test"}, certs.None, now)
	leaf := leafOf(t, c, err)
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: first.Pool(), CurrentTime: now}); err != nil {
		t.Errorf("signed by the loaded one: %v", err)
	}
}

func TestFilesThatAreWrong(t *testing.T) {
	other := t.TempDir()
	if _, err := certs.LoadOrCreate(other, now); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		spoil func(dir string) error
		at    time.Duration
		want  string
	}{
		{"no certificate", func(dir string) error { return os.Remove(filepath.Join(dir, certs.CertFile)) }, 0, "ca.pem is missing"},
		{"no key", func(dir string) error { return os.Remove(filepath.Join(dir, certs.KeyFile)) }, 0, "ca-key.pem is missing"},
		{"another's key", func(dir string) error {
			return os.Rename(filepath.Join(other, certs.KeyFile), filepath.Join(dir, certs.KeyFile))
		}, 0, "does not match"},
		{"no PEM", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, certs.KeyFile), []byte("zzz"), 0o600)
		}, 0, "failed to find any PEM data"},
		{"a folder", func(dir string) error {
			name := filepath.Join(dir, certs.CertFile)
			return errors.Join(os.Remove(name), os.Mkdir(name, 0o755))
		}, 0, "is a directory"},
		{"too late", nil, certs.AuthorityLife, "remove it and ca-key.pem"},
		{"too early", nil, -2 * certs.LeafLife, "remove it and ca-key.pem"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if _, err := certs.LoadOrCreate(dir, now); err != nil {
				t.Fatal(err)
			}
			if test.spoil != nil {
				if err := test.spoil(dir); err != nil {
					t.Fatal(err)
				}
			}
			_, err := certs.LoadOrCreate(dir, now.Add(test.at))
			if !errors.Is(err, certs.ErrFiles) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("got %v\nwant ErrFiles with %q and the place", err, test.want)
			}
		})
	}
}

func TestLeafIsNoAuthority(t *testing.T) {
	dir, from := t.TempDir(), newAuthority(t)
	c, err := from.Certificate([]string{"host.test"}, certs.None, now)
	if err != nil {
		t.Fatal(err)
	}
	writePair(t, dir, c)
	if _, err := certs.LoadOrCreate(dir, now); !errors.Is(err, certs.ErrFiles) || !strings.Contains(err.Error(), "not the certificate of an authority") {
		t.Errorf("%v, want ErrFiles", err)
	}
}

func writePair(t *testing.T, dir string, c tls.Certificate) {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		certs.CertFile: {Type: "CERTIFICATE", Bytes: c.Certificate[0]},
		certs.KeyFile:  {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
