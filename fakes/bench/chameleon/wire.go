package chameleon

// message is a request or an answer.
type message struct {
	command, status uint16
	data            []byte
}

// balance is the byte that makes a sum zero.
func balance(b []byte) byte {
	total := 0
	for _, c := range b {
		total += int(c)
	}
	return byte(0x100 - total&0xFF)
}

func (m message) encode() []byte {
	out := []byte{
		0x11, 0xEF, byte(m.command >> 8), byte(m.command), byte(m.status >> 8), byte(m.status),
		byte(len(m.data) >> 8), byte(len(m.data)),
	}
	out = append(out, balance(out))
	out = append(out, m.data...)
	return append(out, balance(m.data))
}

// receiver puts requests together from what comes in, as the firmware does: it has one buffer, and
// at the first byte that does not fit it drops the buffer and the rest of the piece.
type receiver struct {
	buffer []byte
}

const preamble = 9

func (r *receiver) feed(piece []byte) (message, bool) {
	for _, c := range piece {
		r.buffer = append(r.buffer, c)
		n := len(r.buffer)
		if n < preamble && n > 2 {
			continue
		}
		switch {
		case n == 1 && c != 0x11, n == 2 && c != 0xEF, n == preamble && c != balance(r.buffer[:8]):
			r.buffer = nil
			return message{}, false
		case n < preamble:
			continue
		}
		length := int(r.buffer[6])<<8 | int(r.buffer[7])
		if length > DataLimit {
			r.buffer = nil
			return message{}, false
		}
		if n < preamble+length+1 {
			continue
		}
		whole := r.buffer
		r.buffer = nil // what follows in this piece is lost: the firmware is busy
		data := whole[preamble : preamble+length]
		return message{
			command: uint16(whole[2])<<8 | uint16(whole[3]),
			status:  uint16(whole[4])<<8 | uint16(whole[5]),
			data:    data,
		}, c == balance(data)
	}
	return message{}, false
}
