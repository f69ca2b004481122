package network

import "github.com/assay-hil/assay/protocol/iso8583"

// wrongLength announces another length than the message has.
type wrongLength struct{ length string }

func (w wrongLength) shape(m *passage) (image, error) {
	s := m.flow.connection.server
	n := len(m.image.raw) - s.head
	switch w.length {
	case "zero":
		n = 0
	case "short":
		n--
	case "long":
		n++
	default:
		n = hugest(s.config.Framing)
	}
	head := image{raw: s.config.Framing.AppendLength(nil, n)}
	if m.image.shown != nil {
		head.shown = head.raw
	}
	return head.and(m.image.part(s.head, len(m.image.raw))), nil
}

// hugest is the greatest length that a framing can say, allowed or not.
func hugest(f iso8583.Framing) int {
	n, digits := 1, 0
	switch f.Encoding {
	case "ascii":
		digits = f.LengthBytes
	case "bcd":
		digits = 2 * f.LengthBytes
	default:
		n <<= 8 * f.LengthBytes
	}
	for range digits {
		n *= 10
	}
	if f.Inclusive {
		n -= f.LengthBytes // AppendLength adds them
	}
	return n - 1
}
