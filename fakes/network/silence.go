package network

// silence lets nothing pass any more on a connection that stays open, in either direction: from the
// message on that it picks, or from the accept. What came meanwhile is lost when it heals.
type silence struct{}

func (silence) deliver(m *passage) error {
	m.flow.connection.silent.Store(m.plan)
	m.fire()
	return nil
}

func (silence) greet(c *connection, p *plan, e *entry) bool {
	c.silent.Store(p)
	e.fire(p, c.fields())
	return true
}
