package network

import (
	"github.com/assay-hil/assay/fakes/network/client"
)

// stopReading reads nothing more from a side, so that its window closes and its writes block: from the
// message on that it picks, which is held, or from the accept. Healing reads on; nothing is lost.
type stopReading struct{ towards string }

func (r stopReading) deliver(m *passage) error {
	c, own := m.flow.connection, sourceOf(m.direction())
	towards := r.towards
	if towards == "" {
		towards = own
	}
	c.stopReading(towards, m.plan)
	m.fire()
	if (towards == own || towards == "both") && !m.hold(forever) {
		return errOver
	}
	return m.out()
}

func (r stopReading) greet(c *connection, p *plan, e *entry) bool {
	towards := r.towards
	if towards == "" {
		towards = client.Terminal
	}
	c.stopReading(towards, p)
	if b, ok := c.terminal.conn.(interface{ SetReadBuffer(bytes int) error }); ok && towards != client.Host {
		_ = b.SetReadBuffer(smallWindow) // only makes the window close sooner
	}
	e.fire(p, c.fields())
	return true
}

func (c *connection) stopReading(towards string, p *plan) {
	for _, side := range []string{client.Terminal, client.Host} {
		if towards == side || towards == "both" {
			c.gateOf(side).Store(p)
		}
	}
}
