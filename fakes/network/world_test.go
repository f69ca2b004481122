package network_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/network"
	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/protocol/feed"
	"github.com/assay-hil/assay/protocol/iso8583"
	"github.com/assay-hil/assay/protocol/memnet"
)

// patience bounds each wait of a test that would otherwise hang.
const patience = 10 * time.Second

var framing = iso8583.Framing{LengthBytes: 2, MaxLength: 1000}

// simple knows the tests' messages: "0200" "000123" and anything, which is field 39.
type simple struct{}

func (simple) Identify(payload []byte) (network.Identity, bool) {
	if len(payload) < 10 {
		return network.Identity{}, false
	}
	return network.IdentityOf(payload[:4], payload[4:10])
}

func (simple) CheckPath(path string) error {
	if _, ok := spans[path]; !ok {
		return errors.New("no such path")
	}
	return nil
}

// spans are the places of the values that simple knows; 0 is the rest.
var spans = map[string][2]int{"mti": {0, 4}, "11": {4, 10}, "39": {10, 0}}

func (simple) Read(payload []byte, path string) (string, bool) {
	span, ok := spans[path]
	if span[1] == 0 {
		span[1] = len(payload)
	}
	return string(payload[span[0]:span[1]]), ok
}

func (simple) Rewrite(payload []byte, path, value string) ([]byte, error) {
	span := spans[path]
	if span[1] == 0 {
		span[1] = len(payload)
	}
	if span[1] < len(payload) && len(value) != span[1]-span[0] {
		return nil, errors.New("another length")
	}
	return slices.Concat(payload[:span[0]], []byte(value), payload[span[1]:]), nil
}

func (simple) Locate(payload []byte, field int) (start, value, end int, ok bool) {
	span, ok := spans[map[int]string{0: "mti", 11: "11", 39: "39"}[field]]
	if span[1] == 0 {
		span[1] = len(payload)
	}
	return span[0], span[0], span[1], ok
}

func (simple) Mask(payload []byte) []byte { return bytes.Repeat([]byte("*"), len(payload)) }

// frame is a message as it goes over the wire.
func frame(t testing.TB, payload string) []byte {
	t.Helper()
	b, err := framing.AppendFrame(nil, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// wires is a way to make connections: in memory, or loopback TCP.
type wires struct {
	name   string
	listen func(addr string) (net.Listener, error) // "" is a free address
	dial   func(ctx context.Context, addr string) (net.Conn, error)
}

func memory() wires {
	n := memnet.New()
	return wires{"memory", func(addr string) (net.Listener, error) {
		if addr == "" {
			addr = "net:0"
		}
		return n.Listen(addr)
	}, n.Dial}
}

func loopback() wires {
	return wires{"tcp", func(addr string) (net.Listener, error) {
		if addr == "" {
			addr = "127.0.0.1:0"
		}
		return net.Listen("tcp", addr)
	}, func(ctx context.Context, addr string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", addr)
	}}
}

// world is an injector between a terminal and a host that the test plays itself.
type world struct {
	wires
	server *network.Server
	ended  func() error // waits until the server does not run any more
	host   net.Listener
	events *watcher
}

// onBoth runs a test in memory with virtual time and over loopback TCP.
func onBoth(t *testing.T, f func(t *testing.T, w *world)) {
	t.Run("memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { f(t, newWorld(t, memory(), nil)) })
	})
	t.Run("tcp", func(t *testing.T) { f(t, newWorld(t, loopback(), nil)) })
}

// newWorld starts an injector; change may alter its configuration.
func newWorld(t testing.TB, via wires, change func(*network.Config)) *world {
	t.Helper()
	host, err := via.listen("")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{wires: via, host: host}
	config := network.Config{
		Framing:  framing,
		Messages: simple{},
		Uplinks:  []network.Uplink{w.uplink("primary", host)},
	}
	if change != nil {
		change(&config)
	}
	if w.server, err = network.New(config); err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	server := w.server // w may become another world
	go func() { ran <- server.Run(context.Background()) }()
	w.ended = sync.OnceValue(func() error { return <-ran })
	ended := w.ended
	w.events = watch(t, w)
	events := w.events
	t.Cleanup(func() {
		events.stop()
		_ = host.Close()
		_ = server.Close()
		if err := ended(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return w
}

// uplink leads to a host.
func (w *world) uplink(name string, host net.Listener) network.Uplink {
	addr := ""
	return network.Uplink{
		Name: name,
		Listen: func() (net.Listener, error) {
			l, err := w.listen(addr)
			if err == nil {
				addr = l.Addr().String()
			}
			return l, err
		},
		Dial:     func(ctx context.Context) (net.Conn, error) { return w.wires.dial(ctx, host.Addr().String()) },
		SelfDial: func(ctx context.Context) (net.Conn, error) { return w.wires.dial(ctx, w.server.Addr(name).String()) },
	}
}

// connect dials as a terminal and accepts as the host.
func (w *world) connect(t testing.TB) (terminal, host net.Conn) {
	t.Helper()
	terminal = w.dialTerminal(t)
	host, err := w.host.Accept()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{terminal, host} {
		_ = c.SetDeadline(time.Now().Add(patience))
		t.Cleanup(func() { _ = c.Close() })
	}
	return terminal, host
}

func (w *world) dialTerminal(t testing.TB) net.Conn {
	t.Helper()
	c, err := w.dial(t.Context(), w.server.Addr("").String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (w *world) arm(t testing.TB, faults ...client.Fault) {
	t.Helper()
	if err := w.server.Arm(t.Context(), client.Plan{Faults: faults}); err != nil {
		t.Fatal(err)
	}
}

func (w *world) heal(t testing.TB) {
	t.Helper()
	if err := w.server.Heal(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// fired tells how often a fault did.
func (w *world) fired(t testing.TB, id string) int {
	t.Helper()
	for _, s := range w.server.Status() {
		if s.ID == id {
			return s.Fired
		}
	}
	t.Fatalf("no fault %q", id)
	return 0
}

func send(t testing.TB, c net.Conn, payload string) {
	t.Helper()
	if _, err := c.Write(frame(t, payload)); err != nil {
		t.Fatal(err)
	}
}

func receive(t testing.TB, c net.Conn, want string) {
	t.Helper()
	got, err := framing.ReadFrame(c)
	if string(got) != want || err != nil {
		t.Fatalf("received %q, %v; want %q", got, err, want)
	}
}

// mustFail reads and wants this error.
func mustFail(t testing.TB, who string, c net.Conn, want error) {
	t.Helper()
	p := make([]byte, 100)
	if n, err := c.Read(p); !errors.Is(err, want) {
		t.Errorf("%s: read %q, %v; want %v", who, p[:n], err, want)
	}
}

// watcher reads the feed as a client does and keeps every event.
type watcher struct {
	stop context.CancelFunc
	mu   sync.Mutex
	all  []feed.Event
	more chan struct{}
}

func watch(t testing.TB, w *world) *watcher {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	h := serveControl(t, w.server)
	v := &watcher{stop: stop, more: make(chan struct{}, 1)}
	events := h.Events()
	go func() {
		for {
			batch, err := events.Next(ctx, time.Minute)
			if err != nil {
				return // stopped
			}
			v.mu.Lock()
			v.all = append(v.all, batch...)
			v.mu.Unlock()
			select {
			case v.more <- struct{}{}:
			default:
			}
		}
	}()
	return v
}

// wait returns the first event that reads so (see line), when it comes.
func (v *watcher) wait(t testing.TB, line string) feed.Event {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		v.mu.Lock()
		i := slices.IndexFunc(v.all, func(e feed.Event) bool { return strings.HasPrefix(read(e), line) })
		lines := make([]string, 0, len(v.all))
		for _, e := range v.all {
			lines = append(lines, read(e))
		}
		v.mu.Unlock()
		if i >= 0 {
			v.mu.Lock()
			defer v.mu.Unlock()
			return v.all[i]
		}
		select {
		case <-v.more:
		case <-limit.C:
			t.Fatalf("no event %q among:\n%s", line, strings.Join(lines, "\n"))
		}
	}
}

// lines are all events so far.
func (v *watcher) lines() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var lines []string
	for _, e := range v.all {
		lines = append(lines, read(e))
	}
	return lines
}

// read puts an event into a line: its kind, then the fields in a fixed order.
func read(e feed.Event) string {
	parts := []string{e.Kind}
	for _, name := range []string{"fault", "connection", "direction", "mti", "stan", "fate", "why"} {
		if value, ok := e.Fields[name]; ok {
			parts = append(parts, value)
		}
	}
	return strings.Join(parts, " ")
}

// serveControl serves the control API over a network of its own and returns its client.
func serveControl(t testing.TB, s *network.Server) *client.Client {
	t.Helper()
	n := memnet.New()
	l, err := n.Listen("control:80")
	if err != nil {
		t.Fatal(err)
	}
	return client.New(serve(t, s.Control(), l, n), "http://control/")
}
