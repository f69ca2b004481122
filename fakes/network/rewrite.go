package network

// rewrite changes a field. An authentication code stays as it is, and so does not fit any more.
type rewrite struct{ field, value string }

func (r rewrite) shape(m *passage) (image, error) {
	s := m.flow.connection.server
	payload, err := s.config.Messages.Rewrite(m.image.raw[s.head:], r.field, r.value)
	if err != nil {
		return image{}, err
	}
	frame, err := s.config.Framing.AppendFrame(nil, payload)
	if err != nil {
		return image{}, err
	}
	return s.picture(frame, s.head), nil
}
