package network

import (
	"context"
	"time"

	"github.com/assay-hil/assay/fakes/network/client"
)

// message is what a fault may know of a message.
type message struct {
	direction string // client.FromTerminal or client.FromHost
	mti, stan string
}

// Fates of a message, as the event "message" tells them.
const (
	passed  = "passed"
	dropped = "dropped"
	held    = "held"
	cut     = "reset"
)

// verdict is what becomes of one message.
type verdict struct {
	fate string
	hold time.Duration // with held: until it is delivered
}

// fault decides on the messages that its selection picks.
type fault interface {
	decide(m message) verdict
}

// outage is what a fault on the whole port has besides: it acts from begin to end.
type outage interface {
	// begin lets it act and returns at once. Report is called once with nil when it is shown to
	// act, else with the reason, unless it is ended before.
	begin(report func(error)) error
	// settled is closed after the report, or when it will not come.
	settled() <-chan struct{}
	// end undoes it; after an error it can be called again.
	end(ctx context.Context) error
}

// newFault makes the fault that spec describes. The kind is known to be one of client.Kinds.
func (s *Server) newFault(spec client.Fault) fault {
	switch spec.Kind {
	case "drop":
		return drop{}
	case "delay":
		return delay{by: spec.By}
	case "reset":
		return reset{}
	case "refuse":
		return &refuse{port: s.port, dial: s.config.SelfDial, spawn: s.spawn, ctx: s.ctx, done: make(chan struct{})}
	}
	return pass{}
}
