package network

import (
	"context"
	"errors"

	"github.com/assay-hil/assay/fakes/network/client"
)

// What a fault is depends on what it acts on; one may be several.
type (
	// shape changes a message's bytes. Several may change the same message, one after the other.
	shape interface {
		shape(m *passage) (image, error)
	}
	// delivery takes a message's way onwards into its own hands. It is called in the goroutine that
	// reads the direction: what follows the message waits until it returns. The error is errOver when
	// the direction has ended.
	delivery interface {
		deliver(m *passage) error
	}
	// greeter acts on a connection before the host is dialled. It is false when it ended the connection.
	greeter interface {
		greet(c *connection, p *plan, e *entry) bool
	}
	// outage acts on a port from begin to end.
	outage interface {
		// begin lets it act and returns at once; it may act already. Report is called once with nil when it
		// is shown to act, else with the reason, unless it is ended before.
		begin(e *entry, report func(error)) error
		// settled is closed after the report, or when it will not come.
		settled() <-chan struct{}
		// end undoes it, if it acts; after an error it can be called again.
		end(ctx context.Context) error
	}
)

// Reasons why a fault could not act.
var (
	errNoneFollowed = errors.New("no message followed before it was healed")
	errNoneBefore   = errors.New("no such message was seen since the plan was armed")
	errOutside      = errors.New("the message does not have that place")
)

// newFault makes the fault that spec describes, which check has found in order.
func (s *Server) newFault(spec client.Fault) any {
	switch spec.Kind {
	case "close":
		return closing{newEnding(spec)}
	case "close-after":
		return closeAfter{spec.Times}
	case "coalesce":
		return coalesce{}
	case "corrupt":
		return newCorrupt(spec)
	case "delay":
		return delay{spec.By}
	case "down":
		return s.newDown(spec)
	case "dribble":
		return newDribble(spec)
	case "drop":
		return drop{}
	case "duplicate":
		return newDuplicate(spec)
	case "half-close":
		return halfClose{newEnding(spec)}
	case "junk":
		return newJunk(spec)
	case "late":
		return late{spec.By}
	case "refuse":
		return s.newRefuse(spec)
	}
	return s.newMessageFault(spec)
}

func (s *Server) newMessageFault(spec client.Fault) any {
	switch spec.Kind {
	case "replay":
		return newReplay(spec)
	case "reset":
		return reset{newEnding(spec)}
	case "rewrite":
		return rewrite{spec.Field, spec.Value}
	case "silence":
		return silence{}
	case "split":
		return newSplit(spec)
	case "stop-reading":
		return stopReading{spec.Towards}
	case "swap":
		return swap{}
	case "truncate":
		return newTruncate(spec)
	case "wrong-length":
		return wrongLength{spec.Length}
	}
	return nil
}
