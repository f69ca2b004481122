package injector_test

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/rungs/injector"
)

func good() injector.Options {
	return injector.Options{Uplinks: []string{"primary=127.0.0.1:0,127.0.0.1:1"}, Dialect: "iso87-ascii", Control: "127.0.0.1:0"}
}

// All that is wrong is said at once, and nothing is left open or written.
func TestEverythingWrongAtOnce(t *testing.T) {
	dir := t.TempDir()
	o := injector.Options{Uplinks: []string{"x"}, Dialect: "iso87", Control: "here", TLS: "god", DNSNames: []string{"a=b"}, TLSDir: dir, Capture: filepath.Join(dir, "c")}
	_, err := injector.Start(t.Context(), o)
	if !errors.Is(err, injector.ErrOptions) {
		t.Fatalf("got %v, want ErrOptions", err)
	}
	for _, want := range []string{"--uplink", "--dialect", "--control", "--tls", "--dns-name"} {
		if !strings.Contains(err.Error(), want+": ") {
			t.Errorf("%s is not named in:\n%v", want, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestTLSNeedsAName(t *testing.T) {
	o := good()
	o.Uplinks, o.TLS, o.TLSDir = []string{"primary=:0,127.0.0.1:1"}, injector.GoodTLS, t.TempDir()
	if _, err := injector.Start(t.Context(), o); !errors.Is(err, injector.ErrOptions) || !strings.Contains(err.Error(), "--tls-host") {
		t.Errorf("got %v", err)
	}
}

func TestToken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	made, err := injector.Token(path)
	if err != nil || len(made) < injector.MinToken {
		t.Fatalf("%d characters, %v", len(made), err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if again, err := injector.Token(path); err != nil || again != made {
		t.Errorf("another one: %v", err)
	}
	for _, text := range []string{"", "short", "two lines of it\nand more of them", strings.Repeat("x", injector.MaxToken+1)} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := injector.Token(path); err == nil || !strings.Contains(err.Error(), path) || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	if _, err := injector.Token(filepath.Join(path, "below")); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("below a file: %v", err)
	}
}

// Every route of every layer asks for the token; only what says that the injector lives does not.
func TestTokenGuardsEveryRoute(t *testing.T) {
	o := good()
	o.Token, o.TLS, o.TLSDir, o.DNS = "a token of some length", injector.GoodTLS, t.TempDir(), "127.0.0.1:0"
	base, stop := serve(t, o)
	defer stop()
	for _, route := range []string{"POST /plan", "POST /heal", "GET /status", "GET /events?after=0&wait=0s", "GET /vocabulary", "POST /tls/plan", "GET /tls/status",
		"GET /tls/events?after=0&wait=0s", "POST /dns/plan", "GET /dns/status", "GET /dns/events?after=0&wait=0s"} {
		method, path, _ := strings.Cut(route, " ")
		body := `{"faults":[]}`
		for token, refused := range map[string]bool{"": true, "Bearer wrong": true, o.Token: strings.HasPrefix(path, "/tls") || strings.HasPrefix(path, "/dns"), "Bearer " + o.Token: false} {
			r, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", token)
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if got := resp.StatusCode == http.StatusUnauthorized; got != refused && token != o.Token || !refused && resp.StatusCode >= 300 && token != o.Token {
				t.Errorf("%s with %q: %d", route, token, resp.StatusCode)
			}
		}
	}
	if err := network.New(http.DefaultClient, base).Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
}

func TestFaultsAreAllThere(t *testing.T) {
	rows := map[int]bool{}
	seen := map[string]bool{}
	for _, f := range injector.Faults() {
		if key := f.Level + " " + f.Kind; f.Help == "" || f.On == "" || len(f.Rows) == 0 || seen[key] {
			t.Errorf("%+v: incomplete, or there twice", f)
		} else {
			seen[key] = true
		}
		for _, row := range f.Rows {
			rows[row] = true
		}
	}
	for _, row := range network.Catalogue {
		ours := !slices.Contains([]string{network.OwnerIssuer, network.OwnerBench}, row.Owner)
		if ours && !rows[row.Number] {
			t.Errorf("row %d (%s) is to be provoked by %s, and no kind of fault says so", row.Number, row.Fault, row.Owner)
		}
	}
}
