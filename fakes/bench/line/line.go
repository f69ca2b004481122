// Package line is a simulated device's end of a serial line. A device must live on when nobody
// listens to it, so what it sends goes through a bounded queue and what it hears comes from a
// goroutine that ends with the port.
//
//	l := line.Open(port)
//	l.Send([]byte("ready\r\n"))
//	chunk, ok := <-l.Received()   // !ok: the line has ended
//	err := l.Close()
package line

import (
	"io"
	"sync"
	"sync/atomic"
)

const (
	// QueueLimit is how many writes wait for a line that nobody reads; more are lost, as on a
	// UART without flow control.
	QueueLimit = 256
	// chunkLimit is how many bytes are taken from the port in one read.
	chunkLimit = 1024
)

// Line owns a port: one goroutine reads it, one writes it. Its methods may be called from any
// goroutine; only the device's own may take from Received.
type Line struct {
	port     io.ReadWriteCloser
	out      chan []byte
	in       chan []byte
	closing  chan struct{}
	close    sync.Once
	closeErr error
	running  sync.WaitGroup

	sending sync.Mutex // never held while waiting
	// queued counts what was sent and is not written.
	queued atomic.Int64
}

// Open starts to read and write the port, which belongs to the Line from then on. The port's
// Close must end a Read and a Write in progress.
func Open(port io.ReadWriteCloser) *Line {
	l := &Line{
		port:    port,
		out:     make(chan []byte, QueueLimit),
		in:      make(chan []byte),
		closing: make(chan struct{}),
	}
	l.running.Go(l.read)
	l.running.Go(l.write)
	return l
}

// Received delivers what comes in, in pieces of any size; it is closed when the line has ended.
// A piece belongs to its receiver.
func (l *Line) Received() <-chan []byte { return l.in }

// Send queues bytes, which it keeps, and never waits. It returns false when they are lost: the
// queue is full or the line has ended.
func (l *Line) Send(p []byte) bool {
	select {
	case <-l.closing:
		return false
	default:
	}
	l.sending.Lock()
	defer l.sending.Unlock()
	if w, ok := l.port.(interface{ WriteNow(p []byte) (int, error) }); ok && l.queued.Load() == 0 {
		n, err := w.WriteNow(p)
		if err != nil || n == len(p) {
			return true // a device does not notice that its cable was pulled
		}
		p = p[n:]
	}
	l.queued.Add(1)
	select {
	case l.out <- p:
		return true
	default:
		l.queued.Add(-1)
		return false
	}
}

// Discard forgets what is queued and not yet on its way: the device lost its supply.
func (l *Line) Discard() {
	for {
		select {
		case <-l.out:
			l.queued.Add(-1)
		default:
			return
		}
	}
}

// Close closes the port and waits for both goroutines. Further calls return the same error.
func (l *Line) Close() error {
	l.close.Do(func() {
		close(l.closing)
		l.closeErr = l.port.Close()
	})
	l.running.Wait()
	return l.closeErr
}

func (l *Line) read() {
	defer close(l.in)
	buf := make([]byte, chunkLimit)
	for {
		n, err := l.port.Read(buf)
		if n > 0 {
			select {
			case l.in <- append([]byte(nil), buf[:n]...):
			case <-l.closing:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// write ends with the line. After a failed write the rest is swallowed: a device does not
// notice that its cable was pulled.
func (l *Line) write() {
	broken := false
	for {
		select {
		case p := <-l.out:
			if !broken {
				_, err := l.port.Write(p)
				broken = err != nil
			}
			l.queued.Add(-1)
		case <-l.closing:
			return
		}
	}
}
