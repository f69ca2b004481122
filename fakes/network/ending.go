package network

import (
	"errors"

	"github.com/assay-hil/assay/fakes/network/client"
)

// ending is what faults that end a connection have in common.
type ending struct {
	after   bool   // the message is delivered first
	towards string // client.Terminal, client.Host, or "" for both
}

func newEnding(spec client.Fault) ending {
	e := ending{after: spec.When == "after", towards: spec.Towards}
	if e.towards == "both" {
		e.towards = ""
	}
	return e
}

// first delivers the message where it comes before the end. From the sides that are about to end nothing comes
// back any more, however fast the answer to the message is: what follows is the fault's, not a race.
func (e ending) first(m *passage) error {
	if !e.after {
		return nil
	}
	for _, s := range m.flow.connection.sides(e.towards) {
		switch s {
		case m.flow.from:
			s.mute.Store(true)
		case m.flow.to:
			s.deaf.Store(true)
		}
	}
	return m.out()
}

// finish ends sides in order, as a fault wants it. A connection that loses one lives no longer than
// the fault.
func (c *connection) finish(fault, towards string) error {
	c.blame(fault)
	var failed error
	for _, s := range c.sides(towards) {
		if s != nil {
			failed = errors.Join(failed, s.finish())
		}
	}
	return failed
}

// cut resets sides, as a fault wants it.
func (c *connection) cut(fault, towards string) error {
	if towards == "" {
		return c.end("fault "+fault, true)
	}
	c.blame(fault)
	var failed error
	for _, s := range c.sides(towards) {
		if s != nil {
			failed = errors.Join(failed, s.cut())
		}
	}
	return failed
}
