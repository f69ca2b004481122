package network

// swap holds a message until the next one of the same direction has gone before it. It has fired when
// that happened. Healing, and the end of the direction, let the message go.
type swap struct{}

func (swap) deliver(m *passage) error { return m.keep(false) }
