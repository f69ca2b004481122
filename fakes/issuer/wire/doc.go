// Package wire carries messages between terminals and a host: it listens, cuts the stream into
// frames, hands each message to a Handler and writes what the handler answers, as the handler
// wants it written: now or late, whole or in pieces, with a reset or silence behind it.
//
// A connection is one goroutine, which reads, has the message handled and writes the answer; only
// an answer that must wait has a goroutine of its own, so that the next request is read meanwhile.
// Everything has a limit (see Limits): what a peer sends slowly, sends too much of, or never
// sends costs a bounded amount of memory and never stops another connection. All waits are on
// connections, channels and timers, so that a host runs in memory under testing/synctest as well.
package wire

import (
	"errors"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/rules"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// Default limits.
const (
	// MaxConnections at one time. When there are as many, the idlest is ended for a new one if it
	// has been silent for long enough; otherwise the new one is refused.
	MaxConnections = 4096
	// MaxWaiting is how many answers may wait for their time, of all connections together.
	MaxWaiting = 1024
	// MaxBuffered is how many bytes of unfinished frames may be held beyond a connection's own
	// buffer, of all connections together.
	MaxBuffered = 32 << 20
	// IdleLimit is how long a connection may be without a message.
	IdleLimit = 5 * time.Minute
	// FrameLimit is how long one frame may take from its first byte to its last.
	FrameLimit = time.Minute
	// HandshakeLimit bounds a TLS handshake.
	HandshakeLimit = 10 * time.Second
	// WriteLimit bounds one write.
	WriteLimit = 10 * time.Second
	// EvictSilent and EvictIdle are how long a connection is safe from being ended for a new one:
	// one that has never sent a message, and one that has.
	EvictSilent = 2 * time.Second
	EvictIdle   = 30 * time.Second
)

// Limits that no configuration changes.
const (
	// maxQueued is how many answers of one connection, late ones apart, wait for another to be written whole.
	maxQueued = 64
	// maxHeld is how many bytes a connection keeps back to send them with the next ones.
	maxHeld = 64 << 10
	// bufferSize is a connection's own buffer, in bytes: most messages fit.
	bufferSize = 1 << 10
	// acceptPause is the wait after the system had no descriptor for a connection.
	acceptPause = 50 * time.Millisecond
	// listenTries and listenPause bound the attempts to listen again after a restart.
	listenTries = 100
	listenPause = 50 * time.Millisecond
	// refusedEvery is how often at most a handler is told of refused connections.
	refusedEvery = time.Second
)

// Limits of an engine. A zero value stands for the constant of the same name.
type Limits struct {
	MaxConnections int
	MaxWaiting     int
	MaxBuffered    int
	IdleLimit      time.Duration
	FrameLimit     time.Duration
	WriteLimit     time.Duration
	EvictSilent    time.Duration
	EvictIdle      time.Duration
}

// filled has the constants where l has nothing.
func (l Limits) filled() Limits {
	for _, n := range []struct {
		value    *int
		standard int
	}{{&l.MaxConnections, MaxConnections}, {&l.MaxWaiting, MaxWaiting}, {&l.MaxBuffered, MaxBuffered}} {
		if *n.value == 0 {
			*n.value = n.standard
		}
	}
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&l.IdleLimit, IdleLimit}, {&l.FrameLimit, FrameLimit}, {&l.WriteLimit, WriteLimit},
		{&l.EvictSilent, EvictSilent}, {&l.EvictIdle, EvictIdle},
	} {
		if *d.value == 0 {
			*d.value = d.standard
		}
	}
	return l
}

// Reasons why an answer was not written, or a connection ended.
var (
	// ErrClosed: the engine, or the connection, has ended.
	ErrClosed = errors.New("wire: closed")
	// ErrWaiting: as many answers as allowed are waiting.
	ErrWaiting = errors.New("wire: too many answers are waiting")
	// ErrStalled: the host is silent on this connection for good, as an answer wanted it.
	ErrStalled = errors.New("wire: the connection is stalled")
	// ErrDropped: what the answer belonged to is over (a new setup, a restart).
	ErrDropped = errors.New("wire: the answer was dropped")
	// errUnwanted: the answer's Note did not want it any more.
	errUnwanted = errors.New("wire: the answer is not wanted any more")
	// errBuffered: too many bytes of unfinished frames.
	errBuffered = errors.New("wire: too many bytes of unfinished frames")
	// errSlow: a frame was not whole in time.
	errSlow = errors.New("wire: frame not whole in time")
)

// Handler is the host behind an engine. Its methods are called by many goroutines at the same
// time; those of one connection one after the other. None may wait.
type Handler interface {
	// Connected is told of a new connection.
	Connected(c *Conn)
	// Message handles one message and gives the answer; an Answer without acts is none. The
	// payload is the engine's again when it returns.
	Message(c *Conn, payload []byte) Answer
	// BadFrame is told of bytes that are no frame; the connection is then ended.
	BadFrame(c *Conn, err error)
	// Disconnected is told of a connection's end and the reason in a few words.
	Disconnected(c *Conn, why string)
	// Refused is told that new connections are refused for want of room; at most once a second.
	Refused()
}

// Answer is what a handler wants written on a connection.
type Answer struct {
	Acts []rules.Act
	// Until drops what has not been written yet when it is closed. Nil: nothing does.
	Until <-chan struct{}
	// Note is told what becomes of the answer. Nil: nobody is.
	Note Note
	// After is called once the answer is written whole. It must not wait. Nil: nothing is.
	After func()
}

// Note is told what becomes of one answer.
type Note interface {
	// Begin is called once, right before the first byte is written; with false nothing is.
	Begin() bool
	// Failed is called once when the answer was not written whole: the connection's error,
	// ErrClosed, ErrWaiting, ErrStalled or ErrDropped.
	Failed(err error)
}

// Config is what an engine needs to know.
type Config struct {
	Framing iso8583.Framing
	Handler Handler
	Limits  Limits
}
