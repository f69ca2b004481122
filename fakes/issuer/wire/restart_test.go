package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/protocol/memnet"
)

func TestRestartOfAListenerThatIsGiven(t *testing.T) {
	bubble(t, Limits{}, &host{}, func(t *testing.T, w *world) {
		conn := w.dial()
		send(t, conn, "x")
		receive(t, conn, "x")
		w.engine.Restart(10 * time.Second)
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("%v", err)
		}
		if _, err := w.dial().Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("while it is down: %v", err)
		}
		<-time.After(10 * time.Second)
		conn = w.dial()
		send(t, conn, "y")
		receive(t, conn, "y")
	})
}

func TestRestartListensAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, served := memnet.New(), make(chan error, 1)
		e := New(Config{Framing: testFraming, Handler: &host{}})
		listen := func() (net.Listener, error) { return network.Listen(address) }
		go func() { served <- e.ServeFrom(context.Background(), listen) }()
		for range 3 {
			synctest.Wait()
			conn, err := network.Dial(t.Context(), address)
			if err != nil {
				t.Fatal(err)
			}
			send(t, conn, "x")
			receive(t, conn, "x")
			e.Restart(5 * time.Second)
			synctest.Wait()
			if _, err := network.Dial(t.Context(), address); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("while it is down: %v", err)
			}
			<-time.After(5 * time.Second)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

func TestServeAfterCloseAndBrokenListeners(t *testing.T) {
	e := New(Config{Framing: testFraming, Handler: &host{}})
	ln, err := memnet.New().Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	if err := e.Serve(t.Context(), ln); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a closed listener: %v", err)
	}
	broken := errors.New("no port")
	if err := e.ServeFrom(t.Context(), func() (net.Listener, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("no listener: %v", err)
	}
	_ = e.Close()
	if err := e.Serve(t.Context(), ln); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
