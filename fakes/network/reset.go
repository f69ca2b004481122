package network

// reset cuts the connection: both the terminal and the host get a TCP RST (ECONNRESET), not an
// orderly end; or one of them does, then the other side stays, and what is for the ended one is lost.
type reset struct{ ending }

func (r reset) deliver(m *passage) error {
	if err := r.first(m); err != nil {
		return err
	}
	if r.after {
		drained(m.flow.to.conn)
	}
	c := m.flow.connection
	if err := m.acted(c.cut(m.entry.spec.ID, r.towards)); err != nil {
		return err
	}
	c.endWhenHealed(m.plan)
	return nil
}

func (r reset) greet(c *connection, p *plan, e *entry) bool {
	if err := c.end("fault "+e.spec.ID, true); err != nil {
		e.unproven(p, c.fields(), err)
	} else {
		e.fire(p, c.fields())
	}
	return false
}
