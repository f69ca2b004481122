package network

import (
	"io"

	"github.com/assay-hil/assay/fakes/network/client"
)

// closing ends a connection in order (FIN), or one side of it; then the other side stays, and what is
// for the ended one is lost.
type closing struct{ ending }

func (x closing) deliver(m *passage) error {
	if err := x.first(m); err != nil {
		return err
	}
	c := m.flow.connection
	err := m.acted(c.finish(m.entry.spec.ID, x.towards))
	c.endWhenHealed(m.plan)
	return err
}

func (x closing) greet(c *connection, p *plan, e *entry) bool {
	if err := c.finish(e.spec.ID, client.Terminal); err != nil {
		e.unproven(p, c.fields(), err)
	} else {
		e.fire(p, c.fields())
		_, _ = io.Copy(io.Discard, c.terminal.conn) // ends with that side, or after closeGrace
	}
	_ = c.end(bothClosed, false)
	return false
}
