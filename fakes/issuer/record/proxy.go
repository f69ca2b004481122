package record

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/assay-hil/assay/protocol/iso8583"
)

// Limits of a connection that is passed on.
const (
	DialLimit  = 10 * time.Second
	IdleLimit  = 5 * time.Minute // without a whole frame from either side, until the connection is closed
	WriteLimit = 10 * time.Second
	MaxPending = 64 // requests that wait for their answer; the oldest then counts as never answered
)

// Exchange is a request and what the host answered.
type Exchange struct {
	Request iso8583.Message // without MTI for a message of the host that answers nothing
	Reply   iso8583.Message // without MTI for a request that was not answered
	After   time.Duration   // from the request to the reply
}

// Proxy dials the host and passes frames both ways until one side closes, ctx ends or neither
// speaks for IdleLimit. It closes both. Every exchange is told, one at a time, in the order in which
// answers came, those without an answer at the end. What is no message is passed on and not told.
// The error is nil when a side closed between two frames.
func Proxy(ctx context.Context, terminal net.Conn, dial func(context.Context) (net.Conn, error), codec *iso8583.Codec, on func(Exchange)) error {
	defer terminal.Close()
	dialling, cancel := context.WithTimeout(ctx, DialLimit)
	host, err := dial(dialling)
	cancel()
	if err != nil {
		return fmt.Errorf("record: the host cannot be reached: %w", err)
	}
	defer host.Close()
	ctx, cancel = context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() {
		_ = terminal.Close()
		_ = host.Close()
	})
	defer stop()
	defer cancel()
	p := &passage{codec: codec, on: on, terminal: terminal, host: host}
	failed := make(chan error, 2)
	var both sync.WaitGroup
	for _, way := range []struct {
		from, to net.Conn
		seen     func([]byte)
	}{{terminal, host, p.asked}, {host, terminal, p.answered}} {
		both.Go(func() {
			failed <- p.pump(way.from, way.to, way.seen)
			cancel() // the first to end ends the other
		})
	}
	both.Wait()
	p.unanswered()
	return <-failed
}

// passage is one connection.
type passage struct {
	codec          *iso8583.Codec
	terminal, host net.Conn

	mu      sync.Mutex
	on      func(Exchange)
	pending []question
}

// question is a request that waits for its answer.
type question struct {
	message iso8583.Message
	at      time.Time
}

// pump passes frames one way. A frame is seen before it is passed on, so that no answer is
// seen before its request.
func (p *passage) pump(from, to net.Conn, seen func([]byte)) error {
	framing := p.codec.Dialect().Framing
	for {
		deadline := time.Now().Add(IdleLimit)
		if err := errors.Join(p.terminal.SetReadDeadline(deadline), p.host.SetReadDeadline(deadline)); err != nil {
			return ended(err)
		}
		payload, err := framing.ReadFrame(from)
		frame := framing.Poll()
		switch {
		case err == nil:
			seen(payload)
			frame, err = framing.AppendFrame(nil, payload)
		case errors.Is(err, iso8583.ErrPoll):
			err = nil
		}
		if err != nil {
			return ended(err)
		}
		if err := to.SetWriteDeadline(time.Now().Add(WriteLimit)); err != nil {
			return ended(err)
		}
		if _, err := to.Write(frame); err != nil {
			return ended(err)
		}
	}
}

// ended says if a connection's end is a failure.
func ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe) {
		return nil
	}
	return fmt.Errorf("record: %w", err)
}

// asked remembers a request.
func (p *passage) asked(payload []byte) {
	m, err := p.codec.Unpack(payload)
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.pending) == MaxPending {
		p.on(Exchange{Request: p.pending[0].message})
		p.pending = p.pending[1:]
	}
	p.pending = append(p.pending, question{m, time.Now()})
}

// answered tells an exchange: the oldest request that the message can be the answer to.
func (p *passage) answered(payload []byte) {
	m, err := p.codec.Unpack(payload)
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, q := range p.pending {
		if answers(m, q.message) {
			p.pending = append(p.pending[:i:i], p.pending[i+1:]...)
			p.on(Exchange{Request: q.message, Reply: m, After: time.Since(q.at)})
			return
		}
	}
	p.on(Exchange{Reply: m})
}

// unanswered tells the requests that are left.
func (p *passage) unanswered() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, q := range p.pending {
		p.on(Exchange{Request: q.message})
	}
	p.pending = nil
}

// Fields that tie an answer to its request (ISO 8583:1987, 4.4.11 and 4.4.41).
const (
	fieldSTAN     = 11
	fieldTerminal = 41
)

// answers says if a message answers a request: same version and class, the function one higher (ISO
// 8583:1987, 4.1), and STAN and terminal the same, as far as the answer has them.
func answers(reply, request iso8583.Message) bool {
	mti := request.MTI
	if original, repeat := iso8583.RepeatOf(mti); repeat {
		mti = original
	}
	if reply.MTI[:2] != mti[:2] || reply.MTI[2] != mti[2]+1 {
		return false
	}
	for _, n := range []int{fieldSTAN, fieldTerminal} {
		if got, has := reply.Fields[n]; has && got != request.Fields[n] {
			return false
		}
	}
	return true
}
