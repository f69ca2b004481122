package network

// closeAfter ends a connection in order (FIN) when so many messages have been delivered on it, both
// directions together.
type closeAfter struct{ messages int }

func (a closeAfter) greet(c *connection, p *plan, e *entry) bool {
	l := &messageLimit{plan: p, entry: e}
	l.left.Store(int64(a.messages))
	c.limit.Store(l)
	return true
}
