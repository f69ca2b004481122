package network

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net"
	"sync"
	"sync/atomic"

	"github.com/assay-hil/assay/fakes/network/client"
)

// connection is one terminal's connection and the one to the host that belongs to it.
type connection struct {
	server   *Server
	uplink   *uplink
	number   int
	id       string // the number in words
	terminal *side
	ctx      context.Context // ends with the connection
	cancel   context.CancelFunc

	// What faults have laid upon the connection; each is over when its plan is healed.
	silent atomic.Pointer[plan]         // nothing passes
	gates  [2]atomic.Pointer[plan]      // nothing is read from the terminal, from the host
	limit  atomic.Pointer[messageLimit] // it ends after so many messages

	mu      sync.Mutex
	host    *side  // nil until dialled
	why     string // how it ended, "" while it lives
	blamed  string // the fault that ends it, when both sides are closed
	aborted bool   // it ended by a reset
	cause   error  // with an unreachable host
}

// serve passes messages until the connection ends.
func (c *connection) serve() {
	c.server.log.Append("opened", c.fields())
	defer c.report()
	if !c.server.plan.Load().greet(c) || !c.reach() {
		return
	}
	var both sync.WaitGroup
	both.Go(newFlow(c, client.FromHost, c.host, c.terminal).run)
	newFlow(c, client.FromTerminal, c.terminal, c.host).run()
	both.Wait()
	_ = c.end(bothClosed, false)
}

// reach dials the host; without it the terminal's connection ends.
func (c *connection) reach() bool {
	ctx, cancel := context.WithTimeout(c.ctx, DialLimit)
	defer cancel()
	conn, err := c.uplink.Dial(ctx)
	if err == nil {
		host := c.newSide(client.Host, conn)
		c.mu.Lock()
		if c.why == "" {
			c.host = host
			c.mu.Unlock()
			return true
		}
		abort := c.aborted
		c.mu.Unlock()
		_ = host.close(abort)
		return false
	}
	c.mu.Lock()
	c.cause = err
	c.mu.Unlock()
	_ = c.end("host unreachable", false)
	return false
}

// bothClosed is why a connection ends by itself.
const bothClosed = "both sides closed"

// blame notes the fault because of which the connection will end.
func (c *connection) blame(fault string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.blamed = cmp.Or(c.blamed, "fault "+fault)
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
	if why == bothClosed {
		c.why = cmp.Or(c.blamed, why)
	}
	c.aborted = abort
	c.cancel()
	var failed error
	for _, s := range []*side{c.terminal, c.host} {
		if s != nil { // one that a fault has ended before can't be reset any more
			failed = errors.Join(failed, s.close(abort && !s.gone.Load()))
		}
	}
	return failed
}

// sides are those that a fault's "towards" names.
func (c *connection) sides(towards string) []*side {
	switch towards {
	case client.Terminal:
		return []*side{c.terminal}
	case client.Host:
		return []*side{c.host}
	}
	return []*side{c.terminal, c.host}
}

// endWhenHealed ends a connection of which a fault has taken one side: without the fault it would
// not be like this.
func (c *connection) endWhenHealed(p *plan) {
	c.server.spawn(func() {
		select {
		case <-p.healed:
			_ = c.end("healed", false)
		case <-c.ctx.Done():
		}
	})
}

// report tells that the connection has ended and why.
func (c *connection) report() {
	fields := c.fields()
	c.mu.Lock()
	fields["why"] = c.why
	if c.cause != nil {
		fields["error"] = c.cause.Error()
	}
	c.mu.Unlock()
	c.server.log.Append("closed", fields)
}

func (c *connection) fields() map[string]string {
	return map[string]string{"uplink": c.uplink.Name, "connection": c.id}
}

// tell records an event of this connection.
func (c *connection) tell(kind string, more map[string]string) {
	fields := c.fields()
	maps.Copy(fields, more)
	c.server.log.Append(kind, fields)
}
