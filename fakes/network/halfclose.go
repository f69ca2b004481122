package network

// halfClose ends one direction in order (FIN); the other goes on. What is for that side from then on
// is lost.
type halfClose struct{ ending }

func (h halfClose) deliver(m *passage) error {
	if h.after {
		if err := m.out(); err != nil {
			return err
		}
	}
	c := m.flow.connection
	for _, s := range c.sides(h.towards) {
		if err := s.halfClose(); err != nil {
			m.unproven(err)
		} else {
			s.mute.Store(true)
			m.fire()
		}
	}
	c.endWhenHealed(m.plan)
	if h.after {
		return nil
	}
	return m.out()
}
