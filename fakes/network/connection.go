package network

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/assay-hil/assay/fakes/network/client"
)

// connection is one terminal's connection and the one to the host that belongs to it.
type connection struct {
	server   *Server
	id       string
	terminal net.Conn
	ctx      context.Context // ends with the connection
	cancel   context.CancelFunc

	mu    sync.Mutex
	host  net.Conn // nil until dialled
	why   string   // how it ended, "" while it lives
	cause error    // with an unreachable host
}

// halfCloser is what a wire must be able to do so that its directions are independent.
type halfCloser interface{ CloseWrite() error }

// aborter is what a wire must be able to do so that it can be reset.
type aborter interface{ SetLinger(sec int) error }

// errNoReset: a connection is of a kind that can't be reset.
var errNoReset = errors.New("connection cannot be reset")

// serve passes messages until the connection ends.
func (c *connection) serve() {
	c.server.log.Append("opened", map[string]string{"connection": c.id})
	defer c.report()
	if !c.reach() {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { c.pump(client.FromTerminal, c.terminal, c.host) })
	both.Go(func() { c.pump(client.FromHost, c.host, c.terminal) })
	both.Wait()
	_ = c.end("both sides closed", false)
}

// reach dials the host; without it the terminal's connection ends.
func (c *connection) reach() bool {
	ctx, cancel := context.WithTimeout(c.ctx, DialLimit)
	defer cancel()
	host, err := c.server.config.Dial(ctx)
	c.mu.Lock()
	if err == nil && c.why == "" {
		c.host = host
		c.mu.Unlock()
		return true
	}
	c.cause = err
	c.mu.Unlock()
	if err == nil {
		_ = host.Close()
	}
	_ = c.end("host unreachable", false)
	return false
}

// end closes both sides, once; the first reason counts. With abort both get a reset, and the
// error says if that was not possible or the connection had ended before.
func (c *connection) end(why string, abort bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why != "" {
		return net.ErrClosed
	}
	c.why = why
	c.cancel()
	var failed error
	for _, side := range []net.Conn{c.terminal, c.host} {
		if side == nil {
			continue
		}
		if abort {
			failed = errors.Join(failed, linger0(side))
		}
		_ = side.Close() // nobody is left who could use its error
	}
	return failed
}

func linger0(side net.Conn) error {
	a, ok := side.(aborter)
	if !ok {
		return errNoReset
	}
	return a.SetLinger(0)
}

// report tells that the connection has ended and why.
func (c *connection) report() {
	c.mu.Lock()
	fields := map[string]string{"connection": c.id, "why": c.why}
	if c.cause != nil {
		fields["error"] = c.cause.Error()
	}
	c.mu.Unlock()
	c.server.log.Append("closed", fields)
}

// pump passes one direction on, until it or the connection ends.
func (c *connection) pump(direction string, from, to net.Conn) {
	in := reader{framing: c.server.config.Framing, from: from}
	for {
		raw, payload, err := in.next()
		switch {
		case err == nil:
			if !c.pass(direction, raw, payload, to) {
				return
			}
			continue
		case len(raw) > 0: // no whole frame: not ours to judge
			c.raw(direction, err)
			if !c.write(direction, to, raw) {
				return
			}
		}
		if isFraming(err) {
			err = c.copy(direction, from, to)
		}
		c.finish(direction, to, err)
		return
	}
}

// finish passes on how a direction ended: orderly, or by a reset.
func (c *connection) finish(direction string, to net.Conn, err error) {
	source := sourceOf(direction)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		if h, ok := to.(halfCloser); ok {
			_ = h.CloseWrite() // fails when that side is gone, which its own direction tells
			return
		}
		_ = c.end(source+" closed", false)
	case errors.Is(err, syscall.ECONNRESET):
		_ = c.end("reset by "+source, true)
	default: // among them: we closed it
		_ = c.end("reading from "+source+" failed", false)
	}
}

// pass lets the plan decide on a message and does it. It is false when the direction has ended.
func (c *connection) pass(direction string, raw, payload []byte, to net.Conn) bool {
	mti, stan, ok := c.server.config.Identify(payload)
	if !ok || !isMTI(mti) || !isSTAN(stan) {
		c.raw(direction, errNotMessage)
		return c.write(direction, to, raw)
	}
	m := message{direction: direction, mti: mti, stan: stan}
	plan := c.server.plan.Load()
	entry, verdict := plan.decide(m)
	seen, out := c.fields(m), c.fields(m)
	seen["fate"] = verdict.fate
	c.server.log.Append("message", seen)
	switch verdict.fate {
	case dropped:
		plan.fire(entry, c.fields(m))
		return true
	case cut:
		if err := c.end("fault "+entry.spec.ID, true); err != nil {
			plan.report("unproven", entry, map[string]string{"connection": c.id, "why": err.Error()})
		} else {
			plan.fire(entry, c.fields(m))
		}
		return false
	case held:
		plan.fire(entry, c.fields(m))
		healed, ok := c.hold(verdict.hold, plan)
		if !ok {
			return false
		}
		if healed {
			out["released"] = "healed"
		}
	}
	if !c.write(direction, to, raw) {
		return false
	}
	c.server.log.Append("delivered", out)
	return true
}

// hold waits, and says whether healing ended it; ok is false when the connection ended meanwhile.
func (c *connection) hold(d time.Duration, p *plan) (healed, ok bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.healed:
		healed = true
	case <-c.ctx.Done():
		return false, false
	}
	return healed, c.ctx.Err() == nil
}

// copy passes bytes on, and returns the error that ended reading.
func (c *connection) copy(direction string, from, to net.Conn) error {
	buf := make([]byte, rawChunk)
	for {
		n, err := from.Read(buf)
		if n > 0 && !c.write(direction, to, buf[:n]) {
			return net.ErrClosed
		}
		if err != nil {
			return err
		}
	}
}

// write passes bytes on; when that fails the connection ends.
func (c *connection) write(direction string, to net.Conn, raw []byte) bool {
	if _, err := to.Write(raw); err != nil {
		_ = c.end("writing to "+targetOf(direction)+" failed", errors.Is(err, syscall.ECONNRESET))
		return false
	}
	return true
}

// raw tells that bytes pass which are no message. The reason is one of ours: it holds no bytes.
func (c *connection) raw(direction string, why error) {
	c.server.log.Append("raw", map[string]string{"connection": c.id, "direction": direction, "why": rawReason(why)})
}

func (c *connection) fields(m message) map[string]string {
	return map[string]string{"connection": c.id, "direction": m.direction, "mti": m.mti, "stan": m.stan}
}

func sourceOf(direction string) string {
	if direction == client.FromTerminal {
		return "terminal"
	}
	return "host"
}

func targetOf(direction string) string {
	if direction == client.FromTerminal {
		return "host"
	}
	return "terminal"
}
