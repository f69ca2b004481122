package network

import (
	"errors"
	"os"
)

// The quick way of a message: read and written while the runtime's wait for the socket goes on, so that an empty
// socket is never tried in vain. It is for frames with which nothing can happen; whatever else comes leaves the wait
// and takes the ordinary way. Nothing on the quick way waits for anybody, for a connection can't be closed
// meanwhile.

// fromSocket is reading for a socket that tells when it is empty.
func (f *flow) fromSocket(s *socket) error {
	defer f.from.looked()
	var stop error
	step := func(fd uintptr) (over bool) {
		f.from.waits.Store(sure)
		for {
			n, more, again, err := s.read(fd, f.buf[f.end:])
			f.end += n
			switch {
			case again:
				return false
			case err != nil:
				stop = &readError{err}
				return true
			case more || !f.pass():
				return true
			}
			f.makeRoom()
			if !f.burst { // else more is likely to be here by now
				f.from.waits.Store(unsure)
				return false
			}
		}
	}
	for {
		if err := f.handleRead(); err != nil {
			return err
		}
		err := s.raw.Read(step)
		switch {
		case stop != nil:
			return stop
		case errors.Is(err, os.ErrDeadlineExceeded) && f.from.looked():
		case err != nil:
			return &readError{err}
		}
	}
}

// pass hands on the whole frames in the buffer. It is false when the ordinary way has to be taken: with all of
// them, or with those that are left.
func (f *flow) pass() bool {
	if f.to.quick == nil || f.gate.Load() != nil || !f.passing() {
		return false
	}
	if f.done == f.next {
		return true // the rest of a frame is still to come
	}
	if !f.to.writing.TryLock() {
		return false
	}
	defer f.to.writing.Unlock()
	if f.to.mute.Load() || f.to.tap != nil {
		return false
	}
	f.tell()
	wrote, err := 0, error(nil)
	closed := f.to.quick.Write(func(fd uintptr) bool {
		wrote, err = writeNow(fd, f.buf[f.done:f.next])
		return true
	})
	f.done += wrote
	whole := f.done == f.next
	f.burst = len(f.passed) > 1
	if !whole || err != nil || closed != nil {
		f.rest = true // told, and not all of it written
		return false
	}
	f.flushed()
	return true
}

// passing looks at the whole frames in the buffer as long as nothing can happen to them.
func (f *flow) passing() bool {
	s := f.connection.server
	for f.end-f.next >= s.head {
		n, err := s.config.Framing.Length(f.buf[f.next : f.next+s.head])
		if err != nil || n == 0 {
			return false
		}
		f.need = s.head + n
		if f.end-f.next < f.need {
			return true
		}
		frame := f.buf[f.next : f.next+f.need]
		id, ok := s.config.Messages.Identify(frame[s.head:])
		if !ok || !s.plan.Load().ignores(id) || !f.plain() {
			return false
		}
		f.passed = append(f.passed, f.seen(id))
		f.pend(frame)
	}
	f.need = s.head
	return true
}

// writeRest writes what the quick way has told of and could not write whole.
func (f *flow) writeRest() error {
	f.rest = false
	f.to.writing.Lock()
	defer f.to.writing.Unlock()
	if f.to.mute.Load() {
		f.flushed()
		return nil
	}
	_, err := f.to.conn.Write(f.buf[f.done:f.next])
	if f.to.mute.Load() {
		err = nil // ended meanwhile
	}
	err = f.wrote(err)
	if err != nil {
		for _, m := range f.passed {
			m.untold()
		}
	}
	f.flushed()
	return err
}
