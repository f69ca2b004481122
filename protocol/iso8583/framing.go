package iso8583

import (
	"errors"
	"fmt"
	"io"
)

var (
	// ErrFrameLength: a frame announces, or would have, a length that the dialect does not
	// allow: none, more than its limit, or no number.
	ErrFrameLength = errors.New("frame length not allowed")
	// ErrPoll: a frame of length zero came, a sign of life to be answered with Framing.Poll. It is no
	// failure; the stream goes on after it.
	ErrPoll = errors.New("poll")
)

const longestHead = 4 // bytes of a length

// ReadFrame reads one whole message, however it is cut into reads, and not a byte more. The
// error is io.EOF only when the stream ends between frames; inside one it is io.ErrUnexpectedEOF.
// An announced length that is not allowed is ErrFrameLength: the stream cannot be read on. A poll is
// ErrPoll. Errors of r are returned as they are (a deadline's too). To bound the wait is the
// caller's matter.
func (f Framing) ReadFrame(r io.Reader) (payload []byte, err error) {
	if err := f.validate(); err != nil {
		return nil, err
	}
	head := make([]byte, f.LengthBytes)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	length, err := f.Length(head)
	if err != nil {
		return nil, err
	}
	payload = make([]byte, length)
	if _, err := io.ReadFull(r, payload); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return payload, nil
}

// Length reads the LengthBytes bytes before a message: how many bytes the message has, without them.
// Errors: ErrFrameLength, ErrPoll.
func (f Framing) Length(head []byte) (int, error) {
	n, ok := uint64(0), len(head) == f.LengthBytes
	for i := range head {
		c := head[i]
		if f.LittleEndian {
			c = head[len(head)-1-i]
		}
		switch f.Encoding {
		case "ascii":
			n = n*10 + uint64(c-'0')
			ok = ok && digit(c)
		case "bcd":
			n = n*100 + uint64(c>>4)*10 + uint64(c&0xF)
			ok = ok && c>>4 <= 9 && c&0xF <= 9
		default:
			n = n<<8 | uint64(c)
		}
	}
	if !ok {
		return 0, fmt.Errorf("%w: not a number of %d bytes", ErrFrameLength, f.LengthBytes)
	}
	if f.Inclusive {
		if n < uint64(f.LengthBytes) {
			return 0, fmt.Errorf("%w: %d bytes, its own %d included", ErrFrameLength, n, f.LengthBytes)
		}
		n -= uint64(f.LengthBytes)
	}
	if n == 0 && f.Polls {
		return 0, ErrPoll
	}
	if n == 0 || n > uint64(f.MaxLength) {
		return 0, fmt.Errorf("%w: %d bytes, at most %d", ErrFrameLength, n, f.MaxLength)
	}
	return int(n), nil
}

// AppendFrame appends the payload and its length to dst. With ErrFrameLength dst is unchanged.
func (f Framing) AppendFrame(dst, payload []byte) ([]byte, error) {
	if err := f.validate(); err != nil {
		return dst, err
	}
	if len(payload) == 0 || len(payload) > f.MaxLength {
		return dst, fmt.Errorf("%w: %d bytes, at most %d", ErrFrameLength, len(payload), f.MaxLength)
	}
	return append(f.AppendLength(dst, len(payload)), payload...), nil
}

// AppendLength appends the length bytes of a message of n bytes. It does not judge n, so that
// wrong lengths can be made on purpose; digits that have no room are cut off.
func (f Framing) AppendLength(dst []byte, n int) []byte {
	if f.Inclusive {
		n += f.LengthBytes
	}
	var head [longestHead]byte
	rest := uint64(n)
	for i := range f.LengthBytes {
		at := f.LengthBytes - 1 - i
		if f.LittleEndian {
			at = i
		}
		switch f.Encoding {
		case "ascii":
			head[at] = '0' + byte(rest%10)
			rest /= 10
		case "bcd":
			head[at] = byte(rest/10%10)<<4 | byte(rest%10)
			rest /= 100
		default:
			head[at] = byte(rest)
			rest >>= 8
		}
	}
	return append(dst, head[:f.LengthBytes]...)
}

// Poll gives the frame of length zero, which is sent as a sign of life and as the answer to one.
func (f Framing) Poll() []byte { return f.AppendLength(nil, 0) }

// WriteFrame writes one message with its length in a single Write: a peer must never see the
// length without the message because two writes were cut apart.
func (f Framing) WriteFrame(w io.Writer, payload []byte) error {
	frame, err := f.AppendFrame(make([]byte, 0, f.LengthBytes+len(payload)), payload)
	if err != nil {
		return err
	}
	n, err := w.Write(frame)
	if err == nil && n < len(frame) {
		err = io.ErrShortWrite
	}
	return err
}

// longest is the longest message that the length can announce.
func (f Framing) longest() (int, error) {
	longest := 0
	switch {
	case f.LengthBytes != 2 && f.LengthBytes != 4:
		return 0, fmt.Errorf("%w: %d length bytes, want 2 or 4", ErrFraming, f.LengthBytes)
	case f.Encoding == "" || f.Encoding == "binary":
		longest = f.pick(1<<16-1, longestMessage+longestHead)
	case f.LittleEndian:
		return 0, fmt.Errorf("%w: a length in %s is not little-endian", ErrFraming, f.Encoding)
	case f.Encoding == "ascii":
		longest = f.pick(99, 9999)
	case f.Encoding == "bcd":
		longest = f.pick(9999, 99999999)
	default:
		return 0, fmt.Errorf("%w: encoding %q of the length, want binary, ascii or bcd", ErrFraming, f.Encoding)
	}
	if f.Inclusive {
		longest -= f.LengthBytes
	}
	return min(longest, longestMessage), nil
}

// pick chooses by the number of length bytes.
func (f Framing) pick(two, four int) int {
	if f.LengthBytes == 2 {
		return two
	}
	return four
}

// validate says why nothing can be framed this way.
func (f Framing) validate() error {
	longest, err := f.longest()
	if err != nil {
		return err
	}
	if f.MaxLength < 1 || f.MaxLength > longest {
		return fmt.Errorf("%w: longest message %d bytes, want 1 to %d", ErrFraming, f.MaxLength, longest)
	}
	return nil
}

// ErrFraming: a Framing cannot be used as it is.
var ErrFraming = errors.New("unusable framing")
