package network

// coalesce holds a message until the next one of the same direction, and sends both in one write. It
// has fired when that happened. Healing, and the end of the direction, let the message go.
type coalesce struct{}

func (coalesce) deliver(m *passage) error { return m.keep(true) }
