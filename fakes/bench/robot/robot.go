package robot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	readChunk = 256  // bytes taken from the port at once
	maxEmpty  = 1000 // reads in a row that may give nothing
)

// ErrClosed is returned by Run on a robot that was closed or has run already.
var ErrClosed = errors.New("robot: closed")

// Robot is one simulated machine on one serial line.
type Robot struct {
	port    io.ReadWriteCloser
	machine *machine
	waits   bool          // transmit has begun to write
	stop    chan struct{} // closed by Close
	done    chan struct{} // closed when Run has returned

	mu      sync.Mutex
	started bool
	closed  bool
}

// New makes a robot on port, which it owns from now on: Close of the port must end a blocked Read
// and Write. Nothing happens before Run. Contact may be nil.
func New(port io.ReadWriteCloser, cfg Config, contact func(key string, down bool, at time.Time)) *Robot {
	if cfg.Motion == (Motion{}) {
		cfg.Motion = Realistic()
	}
	if contact == nil {
		contact = func(string, bool, time.Time) {}
	}
	return &Robot{
		port: port, machine: newMachine(cfg, contact),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
}

// Run powers the robot up and works until ctx ends, Close is called or the line ends; all three
// give nil. It closes the port and leaves no goroutine behind. It can be called once.
func (r *Robot) Run(ctx context.Context) error {
	if !r.begin() {
		return ErrClosed
	}
	defer close(r.done)
	var (
		in    = make(chan []byte)
		out   = make(chan []byte)
		ended = make(chan error, 2)
		quit  = make(chan struct{})
		wg    sync.WaitGroup
	)
	wg.Go(func() { ended <- receive(r.port, in, quit) })
	wg.Go(func() { ended <- transmit(r.port, out, quit) })
	err := r.work(ctx, in, out, ended)
	close(quit)
	closeErr := r.port.Close()
	wg.Wait()
	if err == nil && !lineEnded(closeErr) {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("robot: serial line: %w", err)
	}
	return nil
}

// Close ends Run and waits for it. It may be called more than once, and before Run.
func (r *Robot) Close() error {
	r.mu.Lock()
	first, started := !r.closed, r.started
	r.closed = true
	r.mu.Unlock()
	if first {
		close(r.stop)
	}
	if started {
		<-r.done
		return nil
	}
	if !first {
		return nil
	}
	return r.port.Close()
}

func (r *Robot) begin() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.started {
		return false
	}
	r.started = true
	return true
}

// work is the machine's life: bytes in, bytes out, and the next instant at which something happens.
func (r *Robot) work(ctx context.Context, in <-chan []byte, out chan<- []byte, ended <-chan error) error {
	m := r.machine
	m.powerUp(time.Now())
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		m.advance(time.Now())
		r.writeNow()
		var due <-chan time.Time
		if at, ok := m.next(); ok {
			timer.Reset(time.Until(at))
			due = timer.C
		}
		ready := out
		if len(m.tx) == 0 {
			ready = nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.stop:
			return nil
		case err := <-ended:
			if lineEnded(err) {
				return nil
			}
			return err
		case p := <-in:
			m.feed(p, time.Now())
		case ready <- m.tx:
			m.tx, r.waits = nil, true
		case <-due:
		}
	}
}

// writeNow gives a port that takes what it can without waiting what the machine has to say. Once it was full, and of any other
// port, transmit is the writer.
func (r *Robot) writeNow() {
	m := r.machine
	w, ok := r.port.(interface{ WriteNow(p []byte) (int, error) })
	if !ok || r.waits || len(m.tx) == 0 {
		return
	}
	n, err := w.WriteNow(m.tx)
	if m.tx = m.tx[n:]; err != nil {
		m.tx = nil // the line has ended, which receive tells
	}
}

// receive hands on what the host sends until the port ends.
func receive(port io.Reader, in chan<- []byte, quit <-chan struct{}) error {
	buf := make([]byte, readChunk)
	for empty := 0; empty < maxEmpty; empty++ {
		n, err := port.Read(buf)
		if n > 0 {
			empty = 0
			select {
			case in <- append([]byte(nil), buf[:n]...):
			case <-quit:
				return nil
			}
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// transmit is the only writer to the port.
func transmit(port io.Writer, out <-chan []byte, quit <-chan struct{}) error {
	for {
		select {
		case p := <-out:
			if _, err := port.Write(p); err != nil {
				return err
			}
		case <-quit:
			return nil
		}
	}
}

// lineEnded says whether err is the ordinary end of a line: the host hung up (EIO on a
// pseudo-terminal) or the port was closed.
func lineEnded(err error) bool {
	return err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) ||
		errors.Is(err, os.ErrClosed) || errors.Is(err, syscall.EIO)
}
