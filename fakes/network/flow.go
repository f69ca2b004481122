package network

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/protocol/feed"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// flow is one direction of a connection.
type flow struct {
	connection *connection
	direction  string
	from, to   *side
	gate       *atomic.Pointer[plan]

	// buf[done:next] are frames that pass and are not written yet, passed whose they are, shown how a
	// tap shows them; buf[next:end] was read and not looked at. need is how long the next frame is.
	buf             []byte
	done, next, end int
	need            int
	passed          []*seen
	shown           []byte
	burst           bool         // more than one was there at a time
	rest            bool         // of these some are told and not written whole; see pass
	events          []feed.Later // of those, while they are told
	fresh           []seen       // for the next messages, made many at a time

	kept    atomic.Pointer[kept] // a message that waits for the next one
	late    chan struct{}        // an element for each message that is late
	waiting sync.WaitGroup       // for those
}

func newFlow(c *connection, direction string, from, to *side) *flow {
	f := &flow{connection: c, direction: direction, from: from, to: to, gate: &c.gates[0], buf: make([]byte, bufferSize), late: make(chan struct{}, maxLate)}
	if direction == client.FromHost {
		f.gate = &c.gates[1]
	}
	return f
}

// errOver: the direction has ended, and who ended it has told.
var errOver = errors.New("direction over")

// run passes messages on until the direction or the connection ends, then passes on how.
func (f *flow) run() {
	err := f.messages()
	if errors.Is(err, errOver) {
		return
	}
	f.releaseKept(false)
	f.finish(err)
}

// messages passes frames until reading or writing is not possible any more.
func (f *flow) messages() error {
	err := f.reading()
	switch {
	case errors.As(err, new(*readError)):
		return f.part(errors.Unwrap(err))
	case isFraming(err):
		return f.copy(err)
	}
	return err
}

// reading reads and handles what comes, until that is not possible any more: a readError when reading is not.
func (f *flow) reading() error {
	if s := newSocket(f.from.conn); s != nil {
		f.connection.server.looking.Do(func() { f.connection.server.spawn(f.connection.server.look) })
		return f.fromSocket(s)
	}
	for {
		if err := f.handleRead(); err != nil {
			return err
		}
		n, err := f.from.conn.Read(f.buf[f.end:])
		f.end += n
		if n == 0 && err != nil {
			return &readError{err}
		}
	}
}

// readError is why nothing more can be read.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

// handleRead handles what was read, and makes room for more when more may be read.
func (f *flow) handleRead() error {
	if err := f.frames(); err != nil {
		return err
	}
	if err := f.flush(); err != nil {
		return err
	}
	if err := f.awaitGate(); err != nil {
		return err
	}
	f.makeRoom()
	return nil
}

// makeRoom moves what is left to the buffer's start, so that the frame that it begins has room.
func (f *flow) makeRoom() {
	if f.next == f.end {
		f.done, f.next, f.end = 0, 0, 0
		return
	}
	if f.next+f.need <= len(f.buf) && f.end < len(f.buf) {
		return
	}
	buf := f.buf
	if f.need > len(buf) {
		buf = make([]byte, f.need)
	}
	f.end = copy(buf, f.buf[f.next:f.end])
	f.buf, f.done, f.next = buf, 0, 0
}

// frames handles every whole frame in the buffer.
func (f *flow) frames() error {
	head := f.connection.server.head
	for f.end-f.next >= head {
		n, err := f.connection.server.config.Framing.Length(f.buf[f.next : f.next+head])
		switch {
		case errors.Is(err, iso8583.ErrPoll): // a sign of life: as many bytes as the length has
		case err != nil:
			return err
		}
		f.need = head + n
		if f.end-f.next < f.need {
			return nil
		}
		frame := f.buf[f.next : f.next+f.need : f.next+f.need]
		if err := f.frame(frame, n); err != nil {
			return err
		}
	}
	f.need = head
	return nil
}

// frame handles one; n is the length of its payload. It moves next behind it.
func (f *flow) frame(frame []byte, n int) error {
	s := f.connection.server
	payload := frame[len(frame)-n:]
	id, ok := Identity{}, false
	if n > 0 {
		id, ok = s.config.Messages.Identify(payload)
	}
	if !ok {
		if n > 0 {
			f.raw(errNotMessage)
		}
		return f.unknown(frame)
	}
	m := f.seen(id)
	p := s.plan.Load()
	choice := p.decide(m, payload)
	if p.memory != nil && p.memory.wants(id.MTI()) {
		defer p.memory.keep(f.direction, id.MTI(), s.picture(frame, s.head).clone()) // not before it was handled
	}
	if choice.none() && f.plain() { // "message" is told with "delivered", which is at once
		f.passed = append(f.passed, m)
		f.pend(frame)
		return nil
	}
	if err := f.flush(); err != nil {
		return err
	}
	f.next += len(frame)
	f.done = f.next
	return f.handle(&passage{seen: m, flow: f, plan: p, image: s.picture(frame, s.head)}, choice)
}

// seen makes the record of the next message.
func (f *flow) seen(id Identity) *seen {
	if len(f.fresh) == 0 {
		f.fresh = make([]seen, seenAtOnce)
	}
	m := &f.fresh[0]
	f.fresh = f.fresh[1:]
	*m = seen{connection: f.connection, Identity: id, fromHost: f.direction == client.FromHost, fate: passed, changed: unchanged}
	return m
}

// plain says that nothing but a plan's choice can happen to a message now.
func (f *flow) plain() bool {
	c := f.connection
	return f.kept.Load() == nil && c.silent.Load() == nil && c.limit.Load() == nil && !f.ended()
}

// ended says that a fault has ended the side that this direction comes from or goes to: what still comes is lost.
func (f *flow) ended() bool { return f.from.gone.Load() || f.from.deaf.Load() || f.to.mute.Load() }

// pend lets a frame pass with the next flush.
func (f *flow) pend(frame []byte) {
	f.next += len(frame)
	if f.from.tap != nil {
		i := f.connection.server.picture(frame, f.connection.server.head)
		f.from.received(i)
		f.shown = append(f.shown, i.shown...)
	}
}

// unknown lets a frame pass that is no message, unless nothing passes.
func (f *flow) unknown(frame []byte) error {
	if f.connection.silenced() || f.ended() {
		if err := f.flush(); err != nil {
			return err
		}
		f.next += len(frame)
		f.done = f.next
		return nil
	}
	if f.from.tap != nil {
		blank := f.connection.server.blank(frame)
		f.from.received(blank)
		f.shown = append(f.shown, blank.shown...)
	}
	f.next += len(frame)
	return nil
}

// flush writes the frames that pass, in one go.
func (f *flow) flush() error {
	if f.rest {
		return f.writeRest()
	}
	if f.done == f.next {
		return nil
	}
	i := image{raw: f.buf[f.done:f.next]}
	if f.to.tap != nil {
		i.shown = f.shown
	}
	f.tell()
	err := f.send(i)
	if err != nil {
		for _, m := range f.passed {
			m.untold()
		}
	}
	f.flushed()
	return err
}

// tell tells of the frames that pass, before it happens: nothing that it leads to is told first.
func (f *flow) tell() {
	for _, m := range f.passed {
		f.events = append(f.events, feed.Later{Kind: "message", Fields: m}, feed.Later{Kind: "delivered", Fields: (*delivered)(m)})
	}
	f.connection.server.log.AppendAllLater(f.events)
	f.events = f.events[:0] // what it still refers to, the log keeps longer
}

// flushed forgets the frames that passed.
func (f *flow) flushed() {
	f.done, f.passed, f.shown = f.next, f.passed[:0], f.shown[:0]
}

// send writes bytes on; when that fails the connection ends.
func (f *flow) send(i image) error { return f.wrote(f.to.write(i)) }

// wrote ends the connection when a write failed.
func (f *flow) wrote(err error) error {
	if err == nil {
		return nil
	}
	_ = f.connection.end("writing to "+targetOf(f.direction)+" failed", errors.Is(err, syscall.ECONNRESET))
	return errOver
}

// part passes on the part of a frame that came before reading ended with err.
func (f *flow) part(err error) error {
	if f.next == f.end {
		return err
	}
	f.raw(io.ErrUnexpectedEOF)
	if sent := f.sendRaw(f.buf[f.next:f.end]); sent != nil {
		return sent
	}
	f.next = f.end
	return err
}

// copy passes bytes on that are no frames, and returns the error that ended reading.
func (f *flow) copy(why error) error {
	if err := f.flush(); err != nil {
		return err
	}
	f.raw(why)
	for {
		if err := f.sendRaw(f.buf[f.next:f.end]); err != nil {
			return err
		}
		if err := f.awaitGate(); err != nil {
			return err
		}
		n, err := f.from.conn.Read(f.buf)
		f.next, f.end = 0, n
		if n == 0 && err != nil {
			return err
		}
	}
}

func (f *flow) sendRaw(raw []byte) error {
	if f.connection.silenced() || f.ended() {
		return nil
	}
	blank := f.connection.server.blank(raw)
	f.from.received(blank)
	return f.send(blank)
}

// finish passes on how a direction ended: orderly, or by a reset.
func (f *flow) finish(err error) {
	c, source := f.connection, sourceOf(f.direction)
	switch {
	case f.from.gone.Load(): // by a fault, which has told
	case errors.Is(err, io.EOF):
		f.from.ended(false, false)
		f.waiting.Wait() // what is late still comes before the end
		if f.to.mute.Load() || f.to.halfClose() == nil {
			return
		}
		if _, can := f.to.conn.(halfCloser); !can { // else that side is gone, which its own direction tells
			_ = c.end(source+" closed", false)
		}
	case errors.Is(err, syscall.ECONNRESET):
		f.from.ended(false, true)
		_ = c.end("reset by "+source, true)
	default: // among them: we closed it
		_ = c.end("reading from "+source+" failed", false)
	}
}

// awaitGate waits while a fault forbids reading.
func (f *flow) awaitGate() error {
	p := f.gate.Load()
	if p == nil {
		return nil
	}
	select {
	case <-p.healed:
		f.gate.CompareAndSwap(p, nil)
		return nil
	case <-f.connection.ctx.Done():
		return net.ErrClosed
	}
}

// raw tells that bytes pass which are no message. The reason is one of ours: it holds no bytes.
func (f *flow) raw(why error) {
	f.connection.tell("raw", map[string]string{"direction": f.direction, "why": rawReason(why)})
}
