package injector_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/rungs/injector"
)

// patience bounds what must come.
const patience = 20 * time.Second

// serve runs an injector, and gives its control API and what ends it.
func serve(t *testing.T, o injector.Options) (control string, stop func()) {
	t.Helper()
	i, err := injector.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- i.Run(ctx) }()
	return i.Ready().Control, sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(patience):
			t.Error("it does not end")
		}
	})
}

// A silent host, a client that holds a long poll, and terminals that neither read nor leave do not
// hold up the end; after it every port is free again.
func TestEndWaitsForNobody(t *testing.T) {
	host, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = host.Close() }()
	o := good()
	o.Uplinks, o.DNS, o.TLS, o.TLSDir = []string{"primary=127.0.0.1:0," + host.Addr().String()}, "127.0.0.1:0", injector.GoodTLS, t.TempDir()
	o.Capture = filepath.Join(t.TempDir(), "run.pcapng")
	i, err := injector.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ready := i.Ready()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- i.Run(ctx) }()
	for range 3 {
		c, err := net.Dial("tcp", ready.Uplinks["primary"])
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
	}
	polled := make(chan struct{})
	go func() {
		defer close(polled)
		if resp, err := http.Get(ready.Control + "/dns/events?after=0&wait=30s"); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}()
	if err := network.New(http.DefaultClient, ready.Control).Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
	<-polled
	for _, addr := range []string{ready.Uplinks["primary"], ready.DNS, strings.TrimPrefix(ready.Control, "http://")} {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Errorf("%s is not free again: %v", addr, err)
			continue
		}
		_ = l.Close()
	}
}

// lines is a log that can be read while it is written.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// What happened before the end is told, also the last of it, in the log and in the capture.
func TestEverythingIsTold(t *testing.T) {
	var log lines
	o := good()
	o.Log = slog.New(slog.NewJSONHandler(&log, nil))
	o.Capture = filepath.Join(t.TempDir(), "run.pcapng")
	control, stop := serve(t, o)
	c := network.New(http.DefaultClient, control)
	if err := c.Arm(t.Context(), network.Plan{Faults: []network.Fault{{ID: "shut", Kind: "refuse"}}}); err != nil {
		t.Fatal(err)
	}
	stop()
	for _, want := range []string{`"msg":"armed"`, `"msg":"fired"`, `"fault":"shut"`} {
		if text := log.text.String(); !strings.Contains(text, want) {
			t.Errorf("not in the log: %s\n%s", want, text)
		}
	}
	if capture, err := os.ReadFile(o.Capture); err != nil || !strings.Contains(string(capture), "fired fault fault=shut kind=refuse") {
		t.Errorf("the capture of %d bytes does not tell: %v", len(capture), err)
	}
}

// A plan that can't be armed leaves nothing open.
func TestPlanThatCannotBeArmed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan.yaml")
	if err := os.WriteFile(path, []byte("faults:\n  - {id: a, kind: refuse, uplink: primry}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	_ = free.Close()
	o := good()
	o.Plan, o.Uplinks = path, []string{"primary=" + addr + ",127.0.0.1:1"}
	if _, err := injector.Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), `"primary"`) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v\nwant the place and the nearest uplink", err)
	}
	again, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatalf("the port is not free again: %v", err)
	}
	_ = again.Close()
}
