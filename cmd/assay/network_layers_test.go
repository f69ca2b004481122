//go:build unix

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	network "github.com/assay-hil/assay/fakes/network/client"
)

// A plan from a file acts from the first connection on, on every level.
func TestNetworkServeWithTLSAndDNS(t *testing.T) {
	dir := t.TempDir()
	plan := written(t, "plan.yaml", `seed: 7
faults:
  - {id: second, kind: drop, message: {mti: "0210", nth: 99}}
tls:
  - {id: first handshake, kind: alert, nth: 1}
dns:
  - {id: old, kind: stale, name: pos.test, address: 127.0.0.9, nth: 1}
`)
	s := serveInjector(t, "--plan", plan, "--tls", "good", "--tls-dir", filepath.Join(dir, "certs"), "--tls-host", "pos.test",
		"--dns", "127.0.0.1:0", "--dns-name", "pos.test=127.0.0.1")
	authority, err := os.ReadFile(s.ready.CA)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		t.Fatal("no authority")
	}
	names := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, s.ready.DNS)
	}}
	for _, want := range []string{"127.0.0.9", "127.0.0.1"} {
		if addrs, err := names.LookupNetIP(t.Context(), "ip4", "pos.test."); err != nil || len(addrs) != 1 || addrs[0].Unmap().String() != want {
			t.Errorf("resolved %v, %v; want %s", addrs, err, want)
		}
	}
	dial := func() (net.Conn, error) {
		return tls.Dial("tcp", s.ready.Uplinks["primary"], &tls.Config{RootCAs: pool, ServerName: "pos.test"})
	}
	if _, err := payThrough(dial()); err == nil || !strings.Contains(err.Error(), "handshake failure") {
		t.Errorf("the first handshake: %v", err)
	}
	if answer, err := payThrough(dial()); err != nil || answer != saleAnswer {
		t.Errorf("the second: %q, %v", answer, err)
	}

	postJSON(t, s.ready.Control+"/tls/plan", `{"faults":[{"id":"late","kind":"expired"}]}`, http.StatusNoContent)
	postJSON(t, s.ready.Control+"/tls/plan", `{"faults":[{"id":"late","kind":"expird"}]}`, http.StatusBadRequest)
	postJSON(t, s.ready.Control+"/dns/plan", `{"faults":[{"id":"x","kind":"timeout","b":1}]}`, http.StatusBadRequest)
	if _, err := payThrough(dial()); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("an expired certificate: %v", err)
	}
	var status []network.Status
	getJSON(t, s.ready.Control+"/tls/status", &status)
	if len(status) != 1 || status[0].ID != "late" || status[0].Fired != 1 || status[0].Healed {
		t.Errorf("status %+v", status)
	}
	if err := s.control.Heal(t.Context()); err != nil {
		t.Error(err)
	}
	getJSON(t, s.ready.Control+"/tls/status", &status)
	if !status[0].Healed {
		t.Error("healing did not reach TLS")
	}
	if answer, err := payThrough(dial()); err != nil || answer != saleAnswer {
		t.Errorf("after healing: %q, %v", answer, err)
	}
	s.interrupted(t)
}

func postJSON(t *testing.T, url, body string, want int) {
	t.Helper()
	resp, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != want {
		t.Errorf("%s: %d %s, want %d", url, resp.StatusCode, text, want)
	}
}

func getJSON(t *testing.T, url string, out any) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		t.Errorf("%s: %v", url, err)
	}
}
