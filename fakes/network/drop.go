package network

// drop swallows a message; its connection stays open, and who waits for it waits on.
type drop struct{}

func (drop) deliver(m *passage) error {
	m.fire()
	return nil
}
