package serial_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/serial"
)

// stuck is a stream whose Read and Write wait forever, also after Close, as the library's can.
type stuck struct{ forever chan struct{} }

func (s stuck) Read([]byte) (int, error)    { <-s.forever; return 0, io.EOF }
func (s stuck) Write(p []byte) (int, error) { <-s.forever; return len(p), nil }
func (s stuck) Close() error                { return nil }

// idle returns no bytes and no error, as the library's Read does at a timeout.
type idle struct{}

func (idle) Read([]byte) (int, error)  { return 0, nil }
func (idle) Write([]byte) (int, error) { return 0, nil }
func (idle) Close() error              { return nil }

func piped(opts ...serial.Option) (*serial.Line, net.Conn) {
	near, far := net.Pipe()
	return serial.New("pipe", near, opts...), far
}

func TestChunksCarryArrivalAndBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line, far := piped()
		defer line.Close()
		start := time.Now()
		go func() {
			for i := range 3 {
				<-time.After(time.Second)
				fmt.Fprintf(far, "row %d", i)
			}
		}()
		for i := range 3 {
			c := <-line.Chunks()
			if got, want := c.At.Sub(start), time.Duration(i+1)*time.Second; got != want {
				t.Errorf("chunk %d arrived after %v, want %v", i, got, want)
			}
			if want := fmt.Sprintf("row %d", i); string(c.Data) != want {
				t.Errorf("chunk %d = %q, want %q", i, c.Data, want)
			}
		}
		if line.Name() != "pipe" || line.Err() != nil {
			t.Errorf("Name %q, Err %v", line.Name(), line.Err())
		}
	})
}

func TestSlowConsumerLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line, far := piped()
		defer line.Close()
		const sent = 4 * serial.ChunkBuffer
		written := make(chan int, sent)
		go func() {
			for i := range sent {
				if _, err := far.Write([]byte{byte(i)}); err != nil {
					return
				}
				written <- i
			}
		}()
		synctest.Wait()
		if len(written) >= sent {
			t.Fatalf("all %d writes went through with nobody reading: the buffer has no bound", sent)
		}
		for i := range sent {
			if c := <-line.Chunks(); len(c.Data) != 1 || c.Data[0] != byte(i) {
				t.Fatalf("chunk %d = %v", i, c.Data)
			}
		}
	})
}

func TestCloseAndLossAreToldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, far := piped()
		defer far.Close()
		select {
		case <-ours.Ended():
			t.Error("an open line has ended")
		default:
		}
		if err := ours.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
		<-ours.Ended()
		if _, open := <-ours.Chunks(); open {
			t.Error("Chunks still open after Close")
		}
		if err := ours.Err(); !errors.Is(err, rigs.ErrClosed) || errors.Is(err, rigs.ErrLost) {
			t.Errorf("after our Close: %v", err)
		}

		lost, gone := piped()
		fmt.Fprint(gone, "last words")
		gone.Close()
		<-lost.Ended() // nobody has read or written yet
		if c := <-lost.Chunks(); string(c.Data) != "last words" {
			t.Errorf("bytes before the loss: %q", c.Data)
		}
		if _, open := <-lost.Chunks(); open {
			t.Error("Chunks still open after the loss")
		}
		if err := lost.Write(t.Context(), []byte("x")); !errors.Is(err, rigs.ErrLost) {
			t.Errorf("Write on a lost line: %v", err)
		}
		lost.Close()
		if err := lost.Err(); !errors.Is(err, rigs.ErrLost) || errors.Is(err, rigs.ErrClosed) {
			t.Errorf("after the loss: %v", err)
		}
	})
}

func TestWriteAfterCloseNeverReachesTheStream(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	count := &counting{ReadWriteCloser: near}
	line := serial.New("pipe", count)
	line.Close()
	if err := line.Write(t.Context(), []byte("x")); !errors.Is(err, rigs.ErrClosed) {
		t.Errorf("Write after Close: %v", err)
	}
	if count.writes != 0 {
		t.Errorf("the stream saw %d writes", count.writes)
	}
}

type counting struct {
	io.ReadWriteCloser
	writes int
}

func (c *counting) Write(p []byte) (int, error) { c.writes++; return c.ReadWriteCloser.Write(p) }

func TestWriteIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line, far := piped() // nobody reads far
		defer far.Close()
		defer line.Close()
		start := time.Now()
		err := line.Write(t.Context(), []byte("x"))
		if !errors.Is(err, rigs.ErrNoAnswer) || time.Since(start) != serial.WriteLimit {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		// The first write still holds the stream; the next is bounded by its context.
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		start = time.Now()
		err = line.Write(ctx, []byte("y"))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 300*time.Millisecond {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

func TestAbandonedWriteSendsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line, far := piped()
		defer line.Close()
		if err := line.Write(t.Context(), bytes.Repeat([]byte("A"), 1000)); err == nil {
			t.Fatal("a write that nobody reads succeeded")
		}
		go io.ReadFull(far, make([]byte, 256)) // only the piece that was held up
		synctest.Wait()
		got := make(chan []byte)
		go func() {
			p := make([]byte, 16)
			n, _ := far.Read(p)
			got <- p[:n]
		}()
		if err := line.Write(t.Context(), []byte("B")); err != nil {
			t.Fatal(err)
		}
		if p := <-got; string(p) != "B" {
			t.Errorf("after the abandoned write came %q, want B", p)
		}
	})
}

func TestWritesDoNotMix(t *testing.T) {
	line, far := piped()
	defer line.Close()
	const writers, size = 8, 700 // several pieces each
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			if err := line.Write(t.Context(), bytes.Repeat([]byte{byte('a' + i)}, size)); err != nil {
				t.Error(err)
			}
		})
	}
	got := make([]byte, writers*size)
	if _, err := io.ReadFull(far, got); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	for i := 0; i < len(got); i += size {
		if want := bytes.Repeat(got[i:i+1], size); !bytes.Equal(got[i:i+size], want) {
			t.Fatalf("writes are mixed in bytes %d to %d", i, i+size)
		}
	}
}

func TestCloseIsBoundedWhenTheStreamIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stuck{make(chan struct{})}
		line := serial.New("stuck", s)
		wrote := make(chan error, 1)
		go func() { wrote <- line.Write(t.Context(), []byte("x")) }()
		synctest.Wait()
		start := time.Now()
		err := line.Close()
		if !errors.Is(err, rigs.ErrNoAnswer) || time.Since(start) > serial.CloseLimit {
			t.Errorf("Close after %v: %v", time.Since(start), err)
		}
		if err := <-wrote; !errors.Is(err, rigs.ErrClosed) {
			t.Errorf("the write that was under way: %v", err)
		}
		if _, open := <-line.Chunks(); open {
			t.Error("Chunks still open")
		}
		if again := line.Close(); again == nil || again.Error() != err.Error() {
			t.Errorf("second Close: %v, first: %v", again, err)
		}
		close(s.forever) // lets the goroutines end; synctest fails if one stays
	})
}

func TestStreamWithoutProgressIsLost(t *testing.T) {
	line := serial.New("idle", idle{})
	defer line.Close()
	for range line.Chunks() {
		t.Error("a chunk out of nothing")
	}
	if err := line.Err(); !errors.Is(err, rigs.ErrLost) || !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("Err = %v", err)
	}
}

func TestTraceSeesBothDirections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := make(chan string, 2)
		line, far := piped(serial.WithTrace(func(at time.Time, out bool, p []byte) {
			seen <- fmt.Sprintf("%t %t %s", at.Equal(time.Now()), out, p)
		}))
		defer line.Close()
		go io.ReadFull(far, make([]byte, 4))
		if err := line.Write(t.Context(), []byte("ping")); err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(far, "pong")
		<-line.Chunks()
		for _, want := range []string{"true true ping", "true false pong"} {
			if got := <-seen; got != want {
				t.Errorf("trace %q, want %q", got, want)
			}
		}
	})
}
