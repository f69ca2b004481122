package tlswire

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// wire lies between package tls and the connection beneath, and does to records what package tls
// would not.
type wire struct {
	net.Conn

	mu       sync.Mutex
	early    []byte    // read while the handshake was stalled
	deadline time.Time // for reading, as asked for from above
	flip     bool      // the next record of application data
	mute     bool      // what package tls still has to say is not sent
	abort    bool      // no goodbye
	closed   bool      // the goodbye is being said
	hushed   bool      // listening is to end
}

// Of TLS records (RFC 8446, 5.1 and 6).
const (
	recordAlert       = 21
	recordApplication = 23
	levelFatal        = 2
)

// errEarly: a terminal talks on without an answer, more than any needs to.
var errEarly = errors.New("the terminal sent too much in the stalled handshake")

func (w *wire) Read(p []byte) (int, error) {
	w.mu.Lock()
	if len(w.early) > 0 {
		n := copy(p, w.early)
		w.early = w.early[n:]
		w.mu.Unlock()
		return n, nil
	}
	w.mu.Unlock()
	return w.Conn.Read(p)
}

func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	flip := w.flip && len(p) > 0 && p[0] == recordApplication
	if flip {
		w.flip = false
	}
	mute := w.mute
	w.mu.Unlock()
	switch {
	case mute:
		return len(p), nil
	case flip:
		p = append([]byte(nil), p...)
		p[len(p)-1] ^= 1
	}
	return w.Conn.Write(p)
}

// flipNext makes the next record of application data one that was tampered with.
func (w *wire) flipNext() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flip = true
}

// alert sends a fatal alert in clear, as it is before keys are agreed, and mutes package tls.
func (w *wire) alert(description byte) error {
	_, err := w.Conn.Write([]byte{recordAlert, 3, 3, 0, 2, levelFatal, description})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mute = true
	return err
}

// listen notices when the terminal leaves. What it sends is kept. It returns nil after hush.
func (w *wire) listen() error {
	buf := make([]byte, 1<<10)
	for {
		n, err := w.Conn.Read(buf)
		w.mu.Lock()
		w.early = append(w.early, buf[:n]...)
		tooMuch := len(w.early) > maxEarly
		deadline, hushed := w.deadline, w.hushed
		w.mu.Unlock()
		switch {
		case hushed && errors.Is(err, os.ErrDeadlineExceeded):
			return w.Conn.SetReadDeadline(deadline)
		case err != nil:
			return err
		case tooMuch:
			return errEarly
		}
	}
}

// hush ends listen. There is at most one stall in a connection's life.
func (w *wire) hush() {
	w.mu.Lock()
	w.hushed = true
	w.mu.Unlock()
	_ = w.Conn.SetReadDeadline(time.Unix(1, 0)) // fails when closed, which ends it too
}

func (w *wire) SetReadDeadline(t time.Time) error {
	w.mu.Lock()
	w.deadline = t
	w.mu.Unlock()
	return w.Conn.SetReadDeadline(t)
}

func (w *wire) SetDeadline(t time.Time) error {
	return errors.Join(w.SetReadDeadline(t), w.SetWriteDeadline(t))
}

// SetWriteDeadline keeps the goodbye short: package tls would wait five seconds for a terminal
// that does not read.
func (w *wire) SetWriteDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if most := time.Now().Add(closeLimit); w.closed && t.After(most) {
		t = most
	}
	return w.Conn.SetWriteDeadline(t)
}

func (w *wire) setAbort(abort bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.abort = abort
}

// closing notes that the end is near, and says whether it is to be abrupt.
func (w *wire) closing() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	return w.abort
}
