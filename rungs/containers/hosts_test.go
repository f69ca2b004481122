package containers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/client"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	injector "github.com/assay-hil/assay/fakes/network/client"
)

// socket is where an engine listens unless DOCKER_HOST says otherwise. Where it is, a test that
// does not find an engine fails.
const socket = "/var/run/docker.sock"

// builds is the folder of what the tests build.
var builds string

func TestMain(m *testing.M) {
	var err error
	if builds, err = os.MkdirTemp("", "assay-containers-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(builds) // the tests have said what there is to say
	os.Exit(code)
}

// open gives an engine with this module's command, built as cgo says: "0" for a static one.
func open(t *testing.T, cgo string) *Engine {
	t.Helper()
	exe := filepath.Join(builds, "assay-"+cgo)
	if _, err := os.Stat(exe); err != nil {
		build := exec.CommandContext(t.Context(), "go", "build", "-o", exe, "github.com/assay-hil/assay/cmd/assay")
		build.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	e, err := Open(t.Context(), exe)
	if errors.Is(err, ErrEngine) {
		_, missing := os.Stat(socket)
		if os.Getenv("DOCKER_HOST") == "" && missing != nil {
			t.Skipf("this machine has no Docker: DOCKER_HOST is not set, and %v", missing)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// logs keeps what containers said.
type logs struct {
	mu   sync.Mutex
	text map[string]*bytes.Buffer
}

func (l *logs) open(name string) (io.WriteCloser, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text == nil {
		l.text = map[string]*bytes.Buffer{}
	}
	l.text[name] = &bytes.Buffer{}
	return closer{l.text[name]}, nil
}

type closer struct{ io.Writer }

func (closer) Close() error { return nil }

// left counts what an owner has: containers, networks and images.
func left(t *testing.T, e *Engine, path string) (n [3]int) {
	t.Helper()
	docker, filters := e.provider.Client(), make(client.Filters).Add("label", labelOwner+"="+path)
	containers, err := docker.ContainerList(t.Context(), client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		t.Fatal(err)
	}
	networks, err := docker.NetworkList(t.Context(), client.NetworkListOptions{Filters: filters})
	if err != nil {
		t.Fatal(err)
	}
	images, err := docker.ImageList(t.Context(), client.ImageListOptions{Filters: filters})
	if err != nil {
		t.Fatal(err)
	}
	return [3]int{len(containers.Items), len(networks.Items), len(images.Items)}
}

var uplinks = []Uplink{{Name: "primary"}, {Name: "backup"}}

// TestHostsAnswerRefuseAndAreRemoved is the life of a world's hosts.
func TestHostsAnswerRefuseAndAreRemoved(t *testing.T) {
	e := open(t, "0")
	var kept logs
	h, err := e.Start(t.Context(), Config{Dialect: "iso87-ascii", Uplinks: uplinks, Log: kept.open})
	if err != nil {
		t.Fatal(err)
	}
	path := e.owner.path
	if n := left(t, e, path); n != [3]int{2, 1, 1} {
		t.Errorf("containers, networks, images: %v", n)
	}
	plain := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if _, err := issuer.New(plain, "http://"+h.Issuer.Address, issuer.WithToken(h.Issuer.Token)).State(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := issuer.New(plain, "http://"+h.Issuer.Address, issuer.WithToken(h.Network.Token)).State(t.Context()); err == nil {
		t.Error("the issuer takes the injector's token")
	}
	refusal(t, h, injector.New(plain, "http://"+h.Network.Address, injector.WithToken(h.Network.Token)))
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	for name, said := range map[string]string{"issuer.log": `{"listen":`, "network.log": `{"uplinks":`} {
		if text := kept.text[name]; text == nil || !strings.Contains(text.String(), said) {
			t.Errorf("%s does not say %s: %v", name, said, text)
		}
		if text := kept.text[name]; text != nil && (strings.Contains(text.String(), h.Issuer.Token) || strings.Contains(text.String(), h.Network.Token)) {
			t.Errorf("%s tells a token", name)
		}
	}
	if n := left(t, e, path); n != [3]int{0, 0, 1} {
		t.Errorf("after the hosts' end: containers, networks, images: %v", n)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if n := left(t, e, path); n != [3]int{} {
		t.Errorf("after the end: containers, networks, images: %v", n)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the lock stayed")
	}
}

// refusal wants an uplink to take connections and, armed to, to refuse them.
func refusal(t *testing.T, h *Hosts, c *injector.Client) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", h.Uplinks["primary"], dialLimit)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Arm(t.Context(), injector.Plan{Faults: []injector.Fault{{ID: "refused", Kind: "refuse", Uplink: "primary"}}}); err != nil {
		t.Fatal(err)
	}
	if err := refuses(t.Context(), h.Uplinks["primary"]); err != nil {
		t.Error(err)
	}
	if err := refuses(t.Context(), h.Uplinks["backup"]); err == nil {
		t.Error("the backup refuses, too")
	}
	status, err := c.Status(t.Context())
	if err != nil || len(status) != 1 || status[0].Fired != 1 {
		t.Errorf("the injector in its container has not seen it: %+v, %v", status, err)
	}
}

// TestAPublishedUplinkRefuses at an address of this machine that is not loopback's, as a lab's
// terminal dials it.
func TestAPublishedUplinkRefuses(t *testing.T) {
	e := open(t, "0")
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	address := freeAddress(t)
	h, err := e.Start(t.Context(), Config{Dialect: "iso87-ascii", Uplinks: []Uplink{{"primary", address}, {"backup", ""}}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}()
	if h.Uplinks["primary"] != address {
		t.Errorf("the terminal is told to dial %s, not %s", h.Uplinks["primary"], address)
	}
	plain := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	refusal(t, h, injector.New(plain, "http://"+h.Network.Address, injector.WithToken(h.Network.Token)))
}

// freeAddress is one of a network card's, with a port that was free.
func freeAddress(t *testing.T) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		n, ok := a.(*net.IPNet)
		if !ok || n.IP.To4() == nil || !n.IP.IsGlobalUnicast() {
			continue
		}
		ln, err := net.Listen("tcp", net.JoinHostPort(n.IP.String(), "0"))
		if err != nil {
			t.Fatal(err)
		}
		if err := ln.Close(); err != nil {
			t.Fatal(err)
		}
		return ln.Addr().String()
	}
	t.Skip("this machine has no network card with an IPv4 address")
	return ""
}

// TestADynamicProgramRunsWithItsLibraries builds with cgo where that is possible.
func TestADynamicProgramRunsWithItsLibraries(t *testing.T) {
	e := open(t, "1")
	if len(e.program.libraries) == 0 {
		t.Skip("this machine has no C compiler: what it builds is static in any case")
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	h, err := e.Start(t.Context(), Config{Dialect: "iso87-ascii", Uplinks: uplinks})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}

// TestAnInterruptedStartLeavesNothing ends the start at several moments.
func TestAnInterruptedStartLeavesNothing(t *testing.T) {
	e := open(t, "0")
	h, err := e.Start(t.Context(), Config{Dialect: "iso87-ascii", Uplinks: uplinks}) // for the image
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	for _, after := range []time.Duration{0, 100 * time.Millisecond, 400 * time.Millisecond, 700 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(t.Context(), after)
		h, err := e.Start(ctx, Config{Dialect: "iso87-ascii", Uplinks: uplinks})
		cancel()
		if err == nil { // it was faster
			err = h.Close()
			if err != nil {
				t.Error(err)
			}
		}
		if n := left(t, e, e.owner.path); n != [3]int{0, 0, 1} {
			t.Errorf("ended after %v (%v): containers, networks, images: %v", after, err, n)
		}
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// TestWhatCannotStartSaysWhy: the log's end is in the error.
func TestWhatCannotStartSaysWhy(t *testing.T) {
	e := open(t, "0")
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for name, c := range map[string]struct {
		config Config
		is     error
		says   string
	}{
		"no such dialect":      {Config{Dialect: "iso87-asci", Uplinks: uplinks}, nil, `did you mean "iso87-ascii"`},
		"a taken address":      {Config{Dialect: "iso87-ascii", Uplinks: []Uplink{{"primary", taken.Addr().String()}}}, ErrPublish, "network"},
		"no address of ours":   {Config{Dialect: "iso87-ascii", Uplinks: []Uplink{{"primary", "192.0.2.77:8583"}}}, ErrPublish, "network"},
		"a name for publish":   {Config{Dialect: "iso87-ascii", Uplinks: []Uplink{{"primary", "lab7:8583"}}}, ErrPublish, "IP address"},
		"a loopback address":   {Config{Dialect: "iso87-ascii", Uplinks: []Uplink{{"primary", "127.0.0.1:0"}}}, ErrUnreachable, "network card"},
		"no port for publish ": {Config{Dialect: "iso87-ascii", Uplinks: []Uplink{{"primary", "127.0.0.1"}}}, ErrPublish, "missing port"},
	} {
		h, err := e.Start(t.Context(), c.config)
		if err == nil {
			_ = h.Close()
		}
		if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v and %q", name, err, c.is, c.says)
		}
		if n := left(t, e, e.owner.path); n != [3]int{0, 0, 1} {
			t.Errorf("%s: containers, networks, images: %v", name, n)
		}
	}
}
