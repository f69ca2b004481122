package memnet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/protocol/memnet"
)

const issuer = "issuer:8583"

func TestDialAndAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		l := listen(t, n, issuer)
		near := dial(t, n, issuer)
		far, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if near.RemoteAddr().String() != issuer || far.LocalAddr().String() != issuer || near.LocalAddr() != far.RemoteAddr() {
			t.Errorf("addresses: %v→%v, %v←%v", near.LocalAddr(), near.RemoteAddr(), far.LocalAddr(), far.RemoteAddr())
		}
		mustWrite(t, near, "hello")
		_ = near.Close()
		if got, err := io.ReadAll(far); string(got) != "hello" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
	})
}

func TestAddresses(t *testing.T) {
	n := memnet.New()
	l := listen(t, n, issuer)
	if _, err := n.Listen(issuer); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("second Listen: %v, want EADDRINUSE", err)
	}
	if _, err := n.Listen("no port"); err == nil {
		t.Error("Listen without a port: no error")
	}
	if _, err := memnet.New().Listen(issuer); err != nil {
		t.Errorf("another network: %v", err)
	}
	one, two := listen(t, n, "host:0"), listen(t, n, "host:0")
	if one.Addr().String() == two.Addr().String() {
		t.Errorf("port 0 gave %v twice", one.Addr())
	}
	dial(t, n, two.Addr().String())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
	listen(t, n, issuer) // free again
}

func TestRefused(t *testing.T) {
	n := memnet.New()
	_, err := n.Dial(t.Context(), issuer)
	var op *net.OpError
	if !errors.As(err, &op) || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("nobody listens: %v", err)
	}
	_ = listen(t, n, issuer).Close()
	if _, err := n.Dial(t.Context(), issuer); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("closed: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.Dial(ended, issuer); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
}

func TestListenerClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		l := listen(t, n, issuer)
		queued := dial(t, n, issuer)
		for range memnet.Backlog - 1 {
			dial(t, n, issuer)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := n.Dial(ctx, issuer); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("full backlog: %v", err)
		}
		waiting := make(chan error, 1)
		go func() { _, err := n.Dial(t.Context(), issuer); waiting <- err }()
		synctest.Wait()
		_ = l.Close()
		// Whichever comes first, the queue emptied or the listener seen closed: no connection is left half made.
		if err := <-waiting; err != nil && !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("waiting dial: %v", err)
		}
		if _, err := queued.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("queued connection: %v, want ECONNRESET", err)
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept after Close: %v", err)
		}

		l = listen(t, n, issuer)
		done := make(chan error, 1)
		go func() { _, err := l.Accept(); done <- err }()
		synctest.Wait()
		_ = l.Close()
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("waiting Accept: %v", err)
		}
	})
}

func TestHTTP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := memnet.New()
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/wait" {
				<-r.Context().Done() // proves that the server sees its client go
				return
			}
			body, _ := io.ReadAll(r.Body) // HTTP/1: read the request before answering
			_, _ = w.Write(body)
		})}
		l := listen(t, n, "control:80")
		served := make(chan error, 1)
		go func() { served <- server.Serve(l) }()
		transport := &http.Transport{DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) { return n.Dial(ctx, addr) }}
		client := &http.Client{Transport: transport, Timeout: time.Minute}
		for range 3 {
			resp, err := client.Post("http://control/echo", "text/plain", io.LimitReader(zeros{}, 3*memnet.Capacity))
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if len(got) != 3*memnet.Capacity || err != nil {
				t.Fatalf("echoed %d bytes, %v", len(got), err)
			}
		}
		begin := time.Now()
		if _, err := client.Get("http://control/wait"); err == nil || time.Since(begin) != time.Minute {
			t.Errorf("timeout: %v after %v", err, time.Since(begin))
		}
		transport.CloseIdleConnections()
		if err := server.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func listen(t *testing.T, n *memnet.Network, addr string) net.Listener {
	t.Helper()
	l, err := n.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func dial(t *testing.T, n *memnet.Network, addr string) net.Conn {
	t.Helper()
	c, err := n.Dial(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
