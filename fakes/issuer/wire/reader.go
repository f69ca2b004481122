package wire

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/assay-hil/assay/protocol/iso8583"
)

// budget counts the bytes of unfinished frames that all connections of an engine hold.
type budget struct {
	used  atomic.Int64
	limit int64
}

func (b *budget) take(n int) bool {
	if b.used.Add(int64(n)) > b.limit {
		b.used.Add(-int64(n))
		return false
	}
	return true
}

func (b *budget) give(n int) { b.used.Add(-int64(n)) }

// reader cuts one connection's stream into frames. Frames that fit into its own buffer cost nothing;
// a longer one is given memory as its bytes arrive, not when its length is announced.
type reader struct {
	conn    net.Conn
	framing iso8583.Framing
	budget  *budget
	limit   time.Duration // of one frame

	own        []byte
	start, end int    // what of own is read and not used yet
	large      []byte // the frame that was read last, when it did not fit
}

func newReader(conn net.Conn, framing iso8583.Framing, b *budget, limit time.Duration) *reader {
	return &reader{conn: conn, framing: framing, budget: b, limit: limit, own: make([]byte, bufferSize)}
}

// next gives the next message, or iso8583.ErrPoll. The bytes are good until the next call. The
// caller has set the deadline by which a frame must have begun.
func (r *reader) next() ([]byte, error) {
	r.release()
	begun := r.start < r.end
	if begun {
		if err := r.hurry(); err != nil {
			return nil, err
		}
	}
	for {
		if n := r.end - r.start; n >= r.framing.LengthBytes {
			return r.frame()
		}
		if err := r.fill(); err != nil {
			return nil, r.broken(begun, err)
		}
		if !begun {
			begun = true
			if n := r.end - r.start; !r.whole(n) {
				if err := r.hurry(); err != nil {
					return nil, err
				}
			}
		}
	}
}

// whole says whether n read bytes hold a whole frame, so that no deadline is needed for its rest.
func (r *reader) whole(n int) bool {
	if n < r.framing.LengthBytes {
		return false
	}
	length, err := r.framing.Length(r.own[r.start:][:r.framing.LengthBytes])
	return err != nil || n >= r.framing.LengthBytes+length
}

// hurry bounds the rest of a frame that has begun.
func (r *reader) hurry() error { return r.conn.SetReadDeadline(time.Now().Add(r.limit)) }

// broken tells a stream that ends between frames from one that ends inside, and a frame that came too slowly
// from a connection that is idle.
func (r *reader) broken(begun bool, err error) error {
	switch {
	case !begun:
		return err
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errSlow
	}
	return err
}

// fill reads once into the free end of the reader's own buffer.
func (r *reader) fill() error {
	if r.start == r.end {
		r.start, r.end = 0, 0
	} else if r.end == len(r.own) {
		r.end = copy(r.own, r.own[r.start:r.end])
		r.start = 0
	}
	n, err := r.conn.Read(r.own[r.end:])
	r.end += n
	if n > 0 {
		return nil // an error comes again with the next read
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// frame reads the rest of a frame whose length is in the buffer.
func (r *reader) frame() ([]byte, error) {
	length, err := r.framing.Length(r.own[r.start:][:r.framing.LengthBytes])
	if errors.Is(err, iso8583.ErrPoll) {
		r.start += r.framing.LengthBytes
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	if r.framing.LengthBytes+length > len(r.own) {
		return r.long(length)
	}
	for r.end-r.start < r.framing.LengthBytes+length {
		if err := r.fill(); err != nil {
			return nil, r.broken(true, err)
		}
	}
	payload := r.own[r.start+r.framing.LengthBytes:][:length:length]
	r.start += r.framing.LengthBytes + length
	return payload, nil
}

// long reads a frame that does not fit into the reader's own buffer, and no byte beyond it.
func (r *reader) long(length int) ([]byte, error) {
	have := r.own[r.start+r.framing.LengthBytes : r.end]
	size := min(length, 2*len(r.own))
	if !r.budget.take(size) {
		return nil, errBuffered
	}
	r.large = make([]byte, size)
	n := copy(r.large, have)
	r.start, r.end = 0, 0
	for n < length {
		if n == len(r.large) && !r.grow(length) {
			return nil, errBuffered
		}
		m, err := r.conn.Read(r.large[n:])
		n += m
		if err != nil && n < length {
			return nil, r.broken(true, err)
		}
	}
	return r.large[:length], nil
}

// grow doubles the memory of a long frame, as far as it is needed.
func (r *reader) grow(length int) bool {
	size := min(length, 2*len(r.large))
	if !r.budget.take(size - len(r.large)) {
		return false
	}
	larger := make([]byte, size)
	copy(larger, r.large)
	r.large = larger
	return true
}

// release gives back what the last frame was given.
func (r *reader) release() {
	if r.large != nil {
		r.budget.give(len(r.large))
		r.large = nil
	}
}
