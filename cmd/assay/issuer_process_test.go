//go:build unix

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/protocol/certs"
)

// callLimit bounds one call in these tests.
const callLimit = 30 * time.Second

// serving is `assay issuer serve` in a process of its own.
type serving struct {
	*process
	ready
}

func serve(t *testing.T, args ...string) *serving {
	t.Helper()
	p := start(t, append([]string{"issuer", "serve", "--dialect", "iso87-ascii", "--listen", "127.0.0.1:0"}, args...)...)
	s := &serving{process: p}
	if line := p.line(t); json.Unmarshal([]byte(line), &s.ready) != nil {
		t.Fatalf("the ready line is %q", line)
	}
	return s
}

// stop sends a signal and expects an orderly end; it gives the log.
func (s *serving) stop(t *testing.T, signal os.Signal) string {
	t.Helper()
	if err := s.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	code, out := s.ended(t)
	if code != exitPass {
		t.Fatalf("exit %d\n%s", code, out)
	}
	return out
}

func (s *serving) client(t *testing.T) *client.Client {
	t.Helper()
	token, err := readToken(s.TokenFile)
	if err != nil {
		t.Fatal(err)
	}
	return client.New(&http.Client{Timeout: callLimit}, "http://"+s.Control, client.WithToken(token))
}

// send sends a message with the command and gives the answer.
func send(t *testing.T, to, message string, args ...string) string {
	t.Helper()
	args = append([]string{"issuer", "send", "--dialect", "iso87-ascii", "--to", to}, args...)
	code, stdout, stderr := assay(t, append(args, message)...)
	if code != exitPass {
		t.Fatalf("send: exit %d\n%s", code, stderr)
	}
	return stdout
}

func TestIssuerServe(t *testing.T) {
	s := serve(t, "--verbose")
	if s.PID != s.Process.Pid || s.Dialect != "iso87-ascii" || !strings.HasPrefix(s.Listen, "127.0.0.1:") || !strings.HasPrefix(s.Control, "127.0.0.1:") {
		t.Errorf("ready: %+v", s.ready)
	}
	ctx, cancel := context.WithTimeout(t.Context(), callLimit)
	defer cancel()
	if _, err := s.client(t).State(ctx); err != nil {
		t.Errorf("with the token: %v", err)
	}
	var refused *client.StatusError
	if _, err := client.New(&http.Client{Timeout: callLimit}, "http://"+s.Control).State(ctx); !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized {
		t.Errorf("without the token: %v", err)
	}
	if answer := send(t, s.Listen, written(t, "echo.yaml", echoFile)); !strings.Contains(answer, `mti: "0810"`) || !strings.Contains(answer, `39: "00"`) {
		t.Errorf("echo: %s", answer)
	}
	log := s.stop(t, os.Interrupt)
	if !strings.Contains(log, `"msg":"ready"`) || !strings.Contains(log, `"msg":"connected"`) || !strings.Contains(log, `"msg":"stopping"`) {
		t.Errorf("log:\n%s", log)
	}
	if _, err := os.Stat(filepath.Dir(s.TokenFile)); !os.IsNotExist(err) {
		t.Errorf("the folder of the token is left: %v", err)
	}
}

func TestIssuerServeEndsOnSIGTERMWithConnectionsOpen(t *testing.T) {
	s := serve(t)
	conn, err := net.Dial("tcp", s.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s.stop(t, syscall.SIGTERM)
}

func TestIssuerServeRules(t *testing.T) {
	rules := written(t, "rules.yaml", "dialect: iso87-ascii\nrules:\n  - {name: echo, match: {operation: echo}, answer: {code: \"91\"}}\n")
	token := filepath.Join(t.TempDir(), "token")
	s := serve(t, "--rules", rules, "--token-file", token, "--cards", "chip,stripe")
	if answer := send(t, s.Listen, written(t, "echo.yaml", echoFile)); !strings.Contains(answer, `39: "91"`) {
		t.Errorf("echo: %s", answer)
	}
	s.stop(t, os.Interrupt)
	if info, err := os.Stat(token); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the named token file: %v, %v", info, err)
	}
}

// A TLS client that trusts the authority sees exactly the flaw that was asked for.
func TestIssuerServeTLSFlaws(t *testing.T) {
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	var unknown x509.UnknownAuthorityError
	for word, saw := range map[string]func(error) bool{
		tlsGood:                 func(err error) bool { return err == nil },
		string(certs.Expired):   func(err error) bool { return errors.As(err, &invalid) && invalid.Reason == x509.Expired },
		string(certs.NotYet):    func(err error) bool { return errors.As(err, &invalid) && invalid.Reason == x509.Expired },
		string(certs.WrongHost): func(err error) bool { return errors.As(err, &host) },
		string(certs.UnknownCA): func(err error) bool { return errors.As(err, &unknown) },
	} {
		t.Run(word, func(t *testing.T) {
			s := serve(t, "--tls", word)
			pool, err := readPool(s.CA)
			if err != nil {
				t.Fatal(err)
			}
			dialer := &net.Dialer{Timeout: callLimit}
			conn, err := tls.DialWithDialer(dialer, "tcp", s.Listen, &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12})
			if !saw(err) {
				t.Errorf("the client says: %v", err)
			}
			if err == nil {
				_ = conn.Close()
			}
			s.stop(t, os.Interrupt)
		})
	}
}

func TestIssuerServeMutualTLS(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "certs")
	s := serve(t, "--tls", "good", "--tls-dir", dir, "--tls-client")
	message := written(t, "echo.yaml", echoFile)
	authority := []string{"--tls", "--ca", filepath.Join(dir, certs.CertFile)}
	own := []string{"--cert", filepath.Join(dir, clientCertFile), "--key", filepath.Join(dir, clientKeyFile)}
	if answer := send(t, s.Listen, message, append(authority, own...)...); !strings.Contains(answer, `mti: "0810"`) {
		t.Errorf("with a certificate: %s", answer)
	}
	args := append([]string{"issuer", "send", "--dialect", "iso87-ascii", "--to", s.Listen}, append(authority, message)...)
	if code, stdout, _ := assay(t, args...); code != exitInconclusive {
		t.Errorf("without a certificate: exit %d, %s", code, stdout)
	}
	if info, err := os.Stat(filepath.Join(dir, clientKeyFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the client's key: %v, %v", info, err)
	}
	s.stop(t, os.Interrupt)
}

// saleFile is a sale of 12.50 with the stripe card.
const saleFile = `mti: "0200"
fields:
  {2: "5413330089020011", 3: "000000", 4: "000000001250", 7: "1122120000", 11: "000007", 12: "120000", 13: "1122", 14: "3012",
   22: "022", 25: "00", 35: "5413330089020011=301210198765815100", 41: "ASSAY001", 42: "MERCHANT0000001", 49: "156"}
`

// The books survive a bank that is killed; the terminal's answer and the log show no card data.
func TestIssuerServeKeepsItsBooks(t *testing.T) {
	books := filepath.Join(t.TempDir(), "books.log")
	s := serve(t, "--ledger", books)
	if answer := send(t, s.Listen, written(t, "sale.yaml", saleFile)); !strings.Contains(answer, `39: "00"`) || strings.Contains(answer, "5413330089020011") {
		t.Fatalf("sale: %s", answer)
	}
	if err := s.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, log := s.ended(t); strings.Contains(log, "5413330089020011") {
		t.Errorf("a card number in the log:\n%s", log)
	}
	again := serve(t, "--ledger", books)
	ctx, cancel := context.WithTimeout(t.Context(), callLimit)
	defer cancel()
	state, err := again.client(t).State(ctx)
	if err != nil || len(state.Charges) != 1 || state.Charges[0].STAN != "000007" || state.Charges[0].Amount != 1250 {
		t.Errorf("charges: %+v, %v", state.Charges, err)
	}
	again.stop(t, os.Interrupt)
	if data, err := os.ReadFile(books); err != nil || strings.Contains(string(data), "5413330089020011") {
		t.Errorf("a card number in the books, %v", err)
	}
}

// A folder and files that cannot be used end the command before it is ready.
func TestIssuerServeSaysWhatIsInItsWay(t *testing.T) {
	s := serve(t)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"address in use":         {[]string{"--listen", s.Listen}, "--listen"},
		"control address in use": {[]string{"--listen", "127.0.0.1:0", "--control", s.Control}, "--control"},
		"books in no folder":     {[]string{"--listen", "127.0.0.1:0", "--ledger", filepath.Join(t.TempDir(), "no", "books")}, "no such file"},
		"proxy address in use":   {[]string{"--listen", s.Listen, "--proxy", "127.0.0.1:1", "--record", filepath.Join(t.TempDir(), "r")}, "--listen"},
	} {
		code, stdout, stderr := assay(t, append([]string{"issuer", "serve", "--dialect", "iso87-ascii"}, c.args...)...)
		if code != exitUsage || !strings.Contains(stderr, c.want) || stdout != "" {
			t.Errorf("%s: exit %d, %q %q; want exit 2 and %q", name, code, stdout, stderr, c.want)
		}
	}
	s.stop(t, os.Interrupt)
}

// What a proxy records is a rule file that lint takes and that plays the same answer.
func TestIssuerProxyRecordAndReplay(t *testing.T) {
	message := written(t, "echo.yaml", echoFile)
	recording := filepath.Join(t.TempDir(), "recording.yaml")
	bank := serve(t, "--rules", written(t, "rules.yaml", "dialect: iso87-ascii\nrules:\n  - {name: echo, match: {operation: echo}, answer: {code: \"91\"}}\n"))
	proxy := serve(t, "--proxy", bank.Listen, "--record", recording)
	if answer := send(t, proxy.Listen, message); !strings.Contains(answer, `39: "91"`) {
		t.Fatalf("through the proxy: %s", answer)
	}
	proxy.stop(t, os.Interrupt)
	bank.stop(t, os.Interrupt)
	if code, stdout, stderr := assay(t, "issuer", "lint", recording); code != exitPass || !strings.Contains(stdout, "ok, 1 rule") {
		t.Fatalf("lint: exit %d, %s%s", code, stdout, stderr)
	}
	replay := serve(t, "--replay", recording)
	if answer := send(t, replay.Listen, message); !strings.Contains(answer, `39: "91"`) {
		t.Errorf("replayed: %s", answer)
	}
	replay.stop(t, os.Interrupt)
}
