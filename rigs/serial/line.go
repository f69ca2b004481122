package serial

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assay-hil/assay/rigs"
)

const (
	// ChunkBuffer is how many chunks wait for a slow consumer. When it is full the reader
	// stops reading; nothing is dropped.
	ChunkBuffer = 64
	// WriteLimit bounds one Write, the wait for an earlier one included.
	WriteLimit = 2 * time.Second
	// CloseLimit bounds Close when the operating system does not let go of the device.
	CloseLimit = time.Second

	readSize   = 4096 // bytes asked of the stream in one read
	writePiece = 256  // bytes given to the stream in one write: an abandoned Write sends at most this much late
	emptyLimit = 100  // reads or writes in a row that move nothing before the stream counts as lost
)

// Chunk is what one read gave: at least one byte, in the order of arrival.
type Chunk struct {
	At   time.Time // arrival of the first byte: when the read returned
	Data []byte    // the consumer's own copy
}

// Trace is told every chunk that comes in, and every write (out) before it goes out, with the
// time. It is called from two goroutines, must not block and must not keep p. What passes a
// line can be card data or show which keys are pressed: masking it is the hook's duty.
type Trace func(at time.Time, out bool, p []byte)

// Option changes a Line as it is made.
type Option func(*Line)

// WithTrace records the wire.
func WithTrace(t Trace) Option { return func(l *Line) { l.trace = t } }

// Line is one serial line. Its methods may be called by several goroutines.
type Line struct {
	name   string
	stream io.ReadWriteCloser
	trace  Trace

	chunks  chan Chunk    // reader → consumer
	turn    chan struct{} // holds one token while a write is under way; Close keeps it
	jobs    chan *job     // Write → writer
	spare   *job          // for the next Write; belongs to the holder of the turn
	closing chan struct{} // closed when Close begins
	read    chan struct{} // closed when the reader has ended
	closed  chan struct{} // closed when Close has finished
	ended   chan struct{} // closed when err is set
	begun   atomic.Bool   // Close has begun

	giving sync.Mutex // held while a chunk is given; who waits for it waits no longer than for closing
	done   bool       // chunks is closed

	mu       sync.Mutex
	err      error // why the line ended, first cause
	closeErr error
}

// New makes a Line of a stream and takes it over: nobody else may read, write or close it.
// The stream's Close must unblock its Read and Write, and its Write must be safe after Close.
func New(name string, stream io.ReadWriteCloser, opts ...Option) *Line {
	l := &Line{
		name: name, stream: stream,
		chunks: make(chan Chunk, ChunkBuffer),
		turn:   make(chan struct{}, 1), jobs: make(chan *job), closing: make(chan struct{}),
		read: make(chan struct{}), closed: make(chan struct{}), ended: make(chan struct{}),
	}
	for _, opt := range opts {
		opt(l)
	}
	go l.reader()
	go l.writer()
	return l
}

// Name is the path, or the name given to New.
func (l *Line) Name() string { return l.name }

// Chunks gives what comes in, in order and without loss, until the line ends; it is then
// closed, and Err says why. There is one stream: two consumers would share it.
func (l *Line) Chunks() <-chan Chunk { return l.chunks }

// Err is nil while the line is open, rigs.ErrClosed after our own Close, and wraps
// rigs.ErrLost when the device went away. The first cause stays.
func (l *Line) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Ended is closed when the line has ended: lost, which shows as soon as a read fails and so also while nobody
// speaks to the device, or closed by us. Err then says why.
func (l *Line) Ended() <-chan struct{} { return l.ended }

// end records why the line ended; the first cause wins.
func (l *Line) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
		close(l.ended)
	}
}

func (l *Line) lost(err error) error {
	return fmt.Errorf("serial %s: %w: %w", l.name, rigs.ErrLost, err)
}

// reader moves bytes from the stream to the consumer. It alone reads.
func (l *Line) reader() {
	defer close(l.read)
	defer l.endChunks()
	buf := make([]byte, readSize)
	for empty := 0; empty < emptyLimit; {
		n, err := l.stream.Read(buf)
		at := time.Now()
		if n > 0 {
			empty = 0
			if !l.give(Chunk{At: at, Data: bytes.Clone(buf[:n])}) {
				return
			}
		}
		if err != nil {
			l.end(l.lost(err)) // without effect after our own Close, which looks the same from here
			return
		}
		if n == 0 {
			empty++
		}
	}
	l.end(l.lost(io.ErrNoProgress))
}

// give hands a chunk to the consumer; false when the line is closing.
func (l *Line) give(c Chunk) bool {
	if l.trace != nil {
		l.trace(c.At, false, c.Data)
	}
	l.giving.Lock()
	defer l.giving.Unlock()
	if l.done {
		return false
	}
	select {
	case l.chunks <- c: // as almost always, without waiting
		return true
	default:
	}
	select {
	case l.chunks <- c:
		return true
	case <-l.closing:
		return false
	}
}

// endChunks closes Chunks. Close does so, too, for the reader may be held up inside the library.
func (l *Line) endChunks() {
	l.giving.Lock()
	defer l.giving.Unlock()
	if !l.done {
		l.done = true
		close(l.chunks)
	}
}

// Write sends the whole of p, or returns an error: rigs.ErrClosed after Close, one that wraps
// rigs.ErrLost when the device is gone, rigs.ErrNoAnswer when it took no bytes for WriteLimit,
// the context's error when that came first. Writes are carried out one after the other. After
// an error a part of p may have gone out, and up to 256 bytes that are held up in the
// operating system may still go out later.
func (l *Line) Write(ctx context.Context, p []byte) error {
	if l.begun.Load() {
		return l.writeError(rigs.ErrClosed)
	}
	if err := l.Err(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return l.writeError(context.Cause(ctx))
	}
	if err := l.takeTurn(ctx); err != nil {
		return err
	}
	if w, ok := l.stream.(interface{ WriteNow(p []byte) (int, error) }); ok {
		if l.trace != nil {
			l.trace(time.Now(), true, p)
		}
		n, err := w.WriteNow(p)
		if err != nil || n == len(p) {
			<-l.turn
			return l.pushError(err)
		}
		return l.writeBy(ctx, p[n:], true)
	}
	return l.writeBy(ctx, p, false)
}

// writeBy lets the writer write, for who has the turn. traced: the trace has been told.
func (l *Line) writeBy(ctx context.Context, p []byte, traced bool) error {
	j := l.spare
	if l.spare = nil; j == nil {
		j = &job{result: make(chan error, 1), limit: time.NewTimer(WriteLimit)}
	}
	j.p, j.traced = append(j.p[:0], p...), traced
	j.limit.Reset(WriteLimit)
	select {
	case l.jobs <- j:
	case <-l.closing: // the writer may have ended
		j.limit.Stop()
		<-l.turn
		return l.writeError(rigs.ErrClosed)
	}
	var late error
	select {
	case err := <-j.result:
		return l.wrote(j, err)
	case <-l.closing:
		late = rigs.ErrClosed
	case <-ctx.Done():
		late = context.Cause(ctx)
	case <-j.limit.C:
		late = fmt.Errorf("%w: the device took no bytes for %v", rigs.ErrNoAnswer, WriteLimit)
	}
	j.limit.Stop()
	if !j.over.CompareAndSwap(false, true) {
		return l.wrote(j, <-j.result) // in the same moment it came to its end
	}
	return l.writeError(late)
}

// takeTurn waits for an earlier write to end.
func (l *Line) takeTurn(ctx context.Context) error {
	select {
	case l.turn <- struct{}{}:
		return nil
	default:
	}
	limit := time.NewTimer(WriteLimit)
	defer limit.Stop()
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-l.closing:
		return l.writeError(rigs.ErrClosed)
	case <-ctx.Done():
		return l.writeError(context.Cause(ctx))
	case <-limit.C:
		return l.writeError(fmt.Errorf("%w: an earlier write is still held up after %v", rigs.ErrNoAnswer, WriteLimit))
	}
}

// wrote gives the turn back after a write that came to its end.
func (l *Line) wrote(j *job, err error) error {
	j.limit.Stop()
	j.over.Store(false)
	l.spare = j
	<-l.turn
	return err
}

// job is one Write.
type job struct {
	p      []byte
	traced bool
	result chan error
	limit  *time.Timer
	// over is set by who is done with it first: the writer, who then gives the result, or a Write that doesn't wait any more,
	// and leaves the turn to the writer.
	over atomic.Bool
}

// writer carries out one job at a time. It alone writes.
func (l *Line) writer() {
	for {
		select {
		case j := <-l.jobs:
			err := l.push(j)
			if j.over.CompareAndSwap(false, true) {
				j.result <- err
				continue
			}
			<-l.turn
		case <-l.closing:
			return
		}
	}
}

func (l *Line) writeError(err error) error {
	return fmt.Errorf("serial %s: write: %w", l.name, err)
}

// push writes a job piece by piece, and stops between two pieces when nobody waits for it any more.
func (l *Line) push(j *job) error {
	p := j.p
	if l.trace != nil && !j.traced {
		l.trace(time.Now(), true, p)
	}
	for empty := 0; len(p) > 0; {
		select {
		case <-l.closing:
			return l.writeError(rigs.ErrClosed)
		default:
		}
		if j.over.Load() {
			return nil // nobody hears it
		}
		n, err := l.stream.Write(p[:min(len(p), writePiece)])
		if err == nil && n == 0 {
			empty++
			if empty == emptyLimit {
				err = io.ErrShortWrite
			}
		}
		if err != nil {
			return l.pushError(err)
		}
		p = p[n:]
	}
	return nil
}

func (l *Line) pushError(err error) error {
	if err == nil {
		return nil
	}
	if l.begun.Load() || errors.Is(err, rigs.ErrClosed) {
		return l.writeError(rigs.ErrClosed)
	}
	return l.lost(err)
}

// Close ends the line and releases the device. It may be called more than once. When a write
// is held up in the operating system, Close returns after CloseLimit with an error that wraps
// rigs.ErrNoAnswer; descriptor and goroutines are then freed as soon as the device lets go.
func (l *Line) Close() error {
	if !l.begun.CompareAndSwap(false, true) {
		<-l.closed
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.closeErr
	}
	l.end(rigs.ErrClosed)
	close(l.closing)
	err := l.release()
	l.mu.Lock()
	l.closeErr = err
	l.mu.Unlock()
	close(l.closed)
	return err
}

// release closes the stream and waits for every goroutine of the line, both within CloseLimit.
func (l *Line) release() error {
	limit := time.NewTimer(CloseLimit)
	defer limit.Stop()
	l.endChunks() // prompt: who gives a chunk waits no longer than for closing
	result := make(chan error, 1)
	go func() { result <- l.stream.Close() }()
	var failed error
	select {
	case failed = <-result:
	case <-limit.C:
		return l.stuck()
	}
	select {
	case <-l.read:
	case <-limit.C:
		return l.stuck()
	}
	select {
	case l.turn <- struct{}{}: // kept: nothing is written from now on
	case <-limit.C:
		return l.stuck()
	}
	if failed != nil {
		return fmt.Errorf("serial %s: close: %w", l.name, failed)
	}
	return nil
}

func (l *Line) stuck() error {
	return fmt.Errorf("serial %s: close: %w: the device does not let go after %v", l.name, rigs.ErrNoAnswer, CloseLimit)
}
