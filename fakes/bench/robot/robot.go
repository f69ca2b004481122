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
	port io.ReadWriteCloser
	now  interface{ WriteNow(p []byte) (int, error) } // the port, where it takes what it can without waiting
	quit chan struct{}                                // closed by Close, and when the line or Run ends
	done chan struct{}                                // closed when Run has returned

	mu      sync.Mutex
	started bool
	closed  bool

	work    sync.Mutex // never held while waiting
	machine *machine
	clock   *time.Timer   // goes off when something happens by itself
	due     time.Time     // when it does; zero: it is stopped
	waits   bool          // WriteNow has been left bytes: from then on transmit is the writer
	more    chan struct{} // holds a token when transmit has something to write
	err     error         // why the line ended
	ended   sync.Once
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
	r := &Robot{
		port: port, machine: newMachine(cfg, contact), more: make(chan struct{}, 1),
		quit: make(chan struct{}), done: make(chan struct{}),
	}
	r.now, _ = port.(interface{ WriteNow(p []byte) (int, error) })
	return r
}

// Run powers the robot up and works until ctx ends, Close is called or the line ends; all three
// give nil. It closes the port and leaves no goroutine behind. It can be called once.
func (r *Robot) Run(ctx context.Context) error {
	if !r.begin() {
		return ErrClosed
	}
	defer close(r.done)
	r.clock = time.NewTimer(time.Hour)
	defer r.clock.Stop()
	r.do(func(now time.Time) { r.machine.powerUp(now) })
	var wg sync.WaitGroup
	wg.Go(func() { r.end(r.receive()) })
	wg.Go(func() { r.end(r.transmit()) })
	forget := context.AfterFunc(ctx, func() { r.end(nil) })
	r.live()
	forget()
	r.end(nil)
	closeErr := r.port.Close()
	wg.Wait()
	err := r.err
	if lineEnded(err) {
		err = nil
	}
	if err == nil && !lineEnded(closeErr) {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("robot: serial line: %w", err)
	}
	return nil
}

// end ends the robot's life; the first reason counts.
func (r *Robot) end(err error) {
	r.ended.Do(func() {
		r.err = err
		close(r.quit)
	})
}

// Close ends Run and waits for it. It may be called more than once, and before Run.
func (r *Robot) Close() error {
	r.mu.Lock()
	first, started := !r.closed, r.started
	r.closed = true
	r.mu.Unlock()
	r.end(nil)
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

// live lets happen what happens by itself, each at its instant, until the robot ends.
func (r *Robot) live() {
	for {
		select {
		case <-r.quit:
			return
		case <-r.clock.C:
			r.do(func(time.Time) { r.due = time.Time{} })
		}
	}
}

// do lets the machine come to the present and do something there, sends what it has to say, and winds the clock for what
// happens next.
func (r *Robot) do(something func(now time.Time)) {
	r.work.Lock()
	defer r.work.Unlock()
	now := time.Now()
	r.machine.advance(now)
	something(now)
	r.send()
	at, ok := r.machine.next()
	switch {
	case !ok && !r.due.IsZero():
		r.due = time.Time{}
		r.clock.Stop()
	case ok && !at.Equal(r.due):
		r.due = at
		r.clock.Reset(at.Sub(now))
	}
}

// send gives the port what the machine has to say, or has transmit do so: where the port may wait, and once it was full.
func (r *Robot) send() {
	m := r.machine
	if len(m.tx) == 0 {
		return
	}
	if r.now != nil && !r.waits {
		n, err := r.now.WriteNow(m.tx)
		if m.tx = append(m.tx[:0], m.tx[n:]...); err != nil {
			m.tx = nil // the line has ended, which receive tells
		}
		if len(m.tx) == 0 {
			return
		}
		r.waits = true
	}
	select {
	case r.more <- struct{}{}:
	default:
	}
}

// receive hears what the host sends until the port ends.
func (r *Robot) receive() error {
	buf := make([]byte, readChunk)
	for empty := 0; empty < maxEmpty; empty++ {
		n, err := r.port.Read(buf)
		if n > 0 {
			empty = 0
			r.do(func(now time.Time) { r.machine.feed(buf[:n], now) })
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// transmit writes where send may not.
func (r *Robot) transmit() error {
	for {
		select {
		case <-r.more:
		case <-r.quit:
			return nil
		}
		var out []byte
		r.do(func(now time.Time) {
			out, r.machine.tx = r.machine.tx, nil
			r.machine.advance(now) // there is room again
		})
		if _, err := r.port.Write(out); err != nil {
			return err
		}
	}
}

// lineEnded says whether err is the ordinary end of a line: the host hung up (EIO on a
// pseudo-terminal) or the port was closed.
func lineEnded(err error) bool {
	return err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) ||
		errors.Is(err, os.ErrClosed) || errors.Is(err, syscall.EIO)
}
