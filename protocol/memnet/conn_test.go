package memnet_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/protocol/memnet"
)

func TestBytesArriveInOrderBothWays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		data := make([]byte, 5*memnet.Capacity+17)
		for i := range data {
			data[i] = byte(rand.Uint32())
		}
		var wg sync.WaitGroup
		for _, end := range []*memnet.Conn{a, b} {
			wg.Go(func() {
				if n, err := end.Write(data); n != len(data) || err != nil {
					t.Errorf("Write: %d, %v", n, err)
				}
				_ = end.CloseWrite()
			})
			wg.Go(func() {
				got, err := io.ReadAll(end)
				if err != nil || !bytes.Equal(got, data) {
					t.Errorf("read %d bytes, %v; want %d equal bytes", len(got), err, len(data))
				}
			})
		}
		wg.Wait()
	})
}

func TestConcurrentWritesDoNotMix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		const size = memnet.Capacity + 1000
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				if _, err := a.Write(bytes.Repeat([]byte{byte(w)}, size)); err != nil {
					t.Error(err)
				}
			})
		}
		got := make([]byte, size)
		for range 4 {
			if _, err := io.ReadFull(b, got); err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(got, got[:1]); n != size {
				t.Fatalf("a write was split after %d of %d bytes", n, size)
			}
		}
		wg.Wait()
	})
}

func TestWriteBlocksWhenFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		if _, err := a.Write(make([]byte, memnet.Capacity)); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { _, err := a.Write([]byte{1}); done <- err }()
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("Write to a full wire returned %v", err)
		default:
		}
		if _, err := b.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

func TestHalfClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		mustWrite(t, a, "request")
		if err := a.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(b); string(got) != "request" || err != nil {
			t.Fatalf("read %q, %v", got, err)
		}
		if _, err := a.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("Write after CloseWrite: %v, want EPIPE", err)
		}
		mustWrite(t, b, "response")
		_ = b.Close()
		if got, err := io.ReadAll(a); string(got) != "response" || err != nil {
			t.Errorf("the other direction: read %q, %v", got, err)
		}
		if err := b.CloseWrite(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("CloseWrite after Close: %v", err)
		}
	})
}

func TestClose(t *testing.T) {
	tests := []struct {
		name       string
		linger     bool
		rest       string
		read, writ error
	}{
		{"plain", false, "rest", io.EOF, syscall.EPIPE},
		{"abort", true, "rest", syscall.ECONNRESET, syscall.ECONNRESET},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a, b := memnet.Pipe()
			mustWrite(t, a, test.rest)
			if test.linger {
				_ = a.SetLinger(0)
			}
			_ = a.Close()
			p := make([]byte, 100)
			if n, err := b.Read(p); string(p[:n]) != test.rest || err != nil {
				t.Errorf("what had arrived: %q, %v", p[:n], err)
			}
			for range 2 { // it stays so
				if n, err := b.Read(p); n != 0 || !errors.Is(err, test.read) {
					t.Errorf("Read: %d, %v; want %v", n, err, test.read)
				}
				if n, err := b.Write(p); n != 0 || !errors.Is(err, test.writ) {
					t.Errorf("Write: %d, %v; want %v", n, err, test.writ)
				}
			}
			if _, err := a.Read(p); !errors.Is(err, net.ErrClosed) {
				t.Errorf("own Read: %v", err)
			}
			if _, err := a.Write(p); !errors.Is(err, net.ErrClosed) {
				t.Errorf("own Write: %v", err)
			}
			for what, err := range map[string]error{"Close": a.Close(), "SetDeadline": a.SetDeadline(time.Time{}), "SetLinger": a.SetLinger(0)} {
				if !errors.Is(err, net.ErrClosed) {
					t.Errorf("second %s: %v", what, err)
				}
			}
		})
	}
}

func TestWhoWaitsIsWoken(t *testing.T) {
	read := func(c *memnet.Conn) error { _, err := c.Read(make([]byte, 1)); return err }
	write := func(c *memnet.Conn) error { _, err := c.Write(make([]byte, memnet.Capacity+1)); return err }
	tests := []struct {
		name string
		wait func(*memnet.Conn) error
		wake func(own, peer *memnet.Conn)
		want error
	}{
		{"read, own close", read, func(own, _ *memnet.Conn) { _ = own.Close() }, net.ErrClosed},
		{"read, peer close", read, func(_, peer *memnet.Conn) { _ = peer.Close() }, io.EOF},
		{"read, peer abort", read, func(_, peer *memnet.Conn) { _ = peer.SetLinger(0); _ = peer.Close() }, syscall.ECONNRESET},
		{"read, deadline", read, func(own, _ *memnet.Conn) { _ = own.SetReadDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
		{"write, own close", write, func(own, _ *memnet.Conn) { _ = own.Close() }, net.ErrClosed},
		{"write, own half-close", write, func(own, _ *memnet.Conn) { _ = own.CloseWrite() }, syscall.EPIPE},
		{"write, peer close", write, func(_, peer *memnet.Conn) { _ = peer.Close() }, syscall.EPIPE},
		{"write, peer abort", write, func(_, peer *memnet.Conn) { _ = peer.SetLinger(0); _ = peer.Close() }, syscall.ECONNRESET},
		{"write, deadline", write, func(own, _ *memnet.Conn) { _ = own.SetWriteDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				own, peer := memnet.Pipe()
				done := make(chan error, 2)
				for range 2 {
					go func() { done <- test.wait(own) }()
				}
				synctest.Wait()
				test.wake(own, peer)
				for range 2 {
					if err := <-done; !errors.Is(err, test.want) {
						t.Errorf("got %v, want %v", err, test.want)
					}
				}
			})
		})
	}
}

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memnet.Pipe()
		p := make([]byte, 10)
		begin := time.Now()
		_ = a.SetDeadline(begin.Add(time.Second))
		_ = a.SetReadDeadline(begin.Add(3 * time.Second)) // a newer one replaces the older
		_, err := a.Read(p)
		var timeout net.Error
		if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Fatalf("Read: %v", err)
		}
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("Read waited %v, want exactly 3s", took)
		}
		if _, err := a.Write(p); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write after its deadline: %v", err)
		}
		mustWrite(t, b, "late")
		if _, err := a.Read(p); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read after its deadline, data there: %v", err)
		}
		_ = a.SetDeadline(time.Time{})
		if n, err := a.Read(p); string(p[:n]) != "late" || err != nil {
			t.Errorf("without a deadline: %q, %v", p[:n], err)
		}
		if n, err := a.Read(nil); n != 0 || err != nil {
			t.Errorf("empty Read: %d, %v", n, err)
		}
		_ = a.SetReadDeadline(time.Now().Add(time.Hour)) // a closed conn's timer must not fire or hold the bubble
		_ = a.Close()
	})
}

func mustWrite(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if n, err := c.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("Write: %d, %v", n, err)
	}
}

func BenchmarkPing200(b *testing.B) {
	near, far := memnet.Pipe()
	go func() {
		p := make([]byte, 200)
		for {
			if _, err := io.ReadFull(far, p); err != nil {
				return
			}
			if _, err := far.Write(p); err != nil {
				return
			}
		}
	}()
	p := make([]byte, 200)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = near.Write(p)
		_, _ = io.ReadFull(near, p)
	}
	_ = near.Close()
}
