package tlswire_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/network/tlswire"
	"github.com/assay-hil/assay/protocol/certs"
	"github.com/assay-hil/assay/protocol/memnet"
)

// patience bounds what a test waits for and must come.
const patience = 10 * time.Second

// world is an endpoint, who dials it, and what came of it.
type world struct {
	endpoint  *tlswire.Endpoint
	authority *certs.Authority
	dial      func() (net.Conn, error)
	accepted  chan net.Conn
	listener  net.Listener

	mu     sync.Mutex
	lines  []string
	change chan struct{}
}

// onBoth runs a test in memory under virtual time, and on loopback TCP.
func onBoth(t *testing.T, config tlswire.Config, test func(t *testing.T, w *world)) {
	t.Run("memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			test(t, memoryWorld(t, config))
		})
	})
	t.Run("tcp", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		dial := func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) }
		test(t, newWorld(t, config, l, err, dial))
	})
}

// memoryWorld is a world in memory.
func memoryWorld(t *testing.T, config tlswire.Config) *world {
	n := memnet.New()
	l, err := n.Listen("injector:8583")
	return newWorld(t, config, l, err, func() (net.Conn, error) { return n.Dial(context.Background(), "injector:8583") })
}

func newWorld(t *testing.T, config tlswire.Config, inner net.Listener, err error, dial func() (net.Conn, error)) *world {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{dial: dial, accepted: make(chan net.Conn), change: make(chan struct{})}
	if w.authority, err = certs.NewAuthority("test", time.Now()); err != nil {
		t.Fatal(err)
	}
	config.Authority, config.Hosts, config.Report = w.authority, []string{"host.test"}, w.report
	if w.endpoint, err = tlswire.New(config); err != nil {
		t.Fatal(err)
	}
	w.listener = w.listen(t, inner, "primary")
	return w
}

// listen accepts from inner, as an uplink, what the world opens next.
func (w *world) listen(t *testing.T, inner net.Listener, uplink string) net.Listener {
	l := w.endpoint.Listen(inner, uplink)
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.accepted <- c
		}
	})
	t.Cleanup(func() {
		w.endpoint.Heal()
		_ = l.Close()
		accepting.Wait()
	})
	return l
}

func (w *world) report(kind string, fields map[string]string) {
	words := []string{kind}
	for _, name := range []string{"fault", "outcome", "why"} {
		if fields[name] != "" {
			words = append(words, fields[name])
		}
	}
	if fields["uplink"] == "backup" { // the tests of one uplink alone are on the other
		words = append(words, "on backup")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, strings.Join(words, " "))
	close(w.change)
	w.change = make(chan struct{})
}

// wait waits for an event.
func (w *world) wait(t *testing.T, line string) {
	t.Helper()
	limit := time.After(patience)
	for {
		w.mu.Lock()
		change, found, lines := w.change, slices.Contains(w.lines, line), strings.Join(w.lines, "\n")
		w.mu.Unlock()
		if found {
			return
		}
		select {
		case <-change:
		case <-limit:
			t.Fatalf("no event %q in:\n%s", line, lines)
		}
	}
}

// open dials, and gives the terminal's raw end and the injector's end of TLS.
func (w *world) open(t *testing.T) (terminal, injector net.Conn) {
	t.Helper()
	terminal, err := w.dial()
	if err != nil {
		t.Fatal(err)
	}
	injector = <-w.accepted
	t.Cleanup(func() {
		_ = terminal.Close()
		_ = injector.Close()
	})
	_ = terminal.SetDeadline(time.Now().Add(patience))
	return terminal, injector
}

// terminal is what a good terminal does: it checks all.
func (w *world) terminal(raw net.Conn) *tls.Conn {
	return tls.Client(raw, &tls.Config{RootCAs: w.authority.Pool(), ServerName: "host.test"})
}

// echo answers what it reads on the injector's end, until the end; the error is why it ended.
func echo(c net.Conn) chan error {
	ended := make(chan error, 1)
	go func() {
		buf := make([]byte, 1<<10)
		for {
			n, err := c.Read(buf)
			if err == nil {
				_, err = c.Write(buf[:n])
			}
			if err != nil {
				ended <- err
				return
			}
		}
	}()
	return ended
}

// ping is one message there and back.
func ping(c net.Conn) error {
	if _, err := c.Write([]byte("0800")); err != nil {
		return err
	}
	buf := make([]byte, 16)
	n, err := c.Read(buf)
	if err == nil && string(buf[:n]) != "0800" {
		err = errors.New("another answer")
	}
	return err
}

// mustWork shows that a new connection is fine.
func (w *world) mustWork(t *testing.T) {
	t.Helper()
	raw, injector := w.open(t)
	ended := echo(injector)
	c := w.terminal(raw)
	if err := ping(c); err != nil {
		t.Errorf("without a fault: %v", err)
	}
	_ = c.Close()
	if err := <-ended; err == nil || err.Error() != "EOF" {
		t.Errorf("after close_notify: %v, want EOF", err)
	}
}
