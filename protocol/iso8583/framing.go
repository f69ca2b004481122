package iso8583

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrFrameLength: a frame announces, or would have, a length that the dialect does not
// allow: none, or more than its limit.
var ErrFrameLength = errors.New("frame length not allowed")

// ReadFrame reads one whole message, however it is cut into reads, and not a byte more. The
// error is io.EOF only when the stream ends between frames; inside one it is io.ErrUnexpectedEOF.
// An announced length that is not allowed is ErrFrameLength: the stream cannot be read on. Errors of r
// are returned as they are (a deadline's too). To bound the wait is the caller's matter.
func (f Framing) ReadFrame(r io.Reader) (payload []byte, err error) {
	if err := f.validate(); err != nil {
		return nil, err
	}
	head := make([]byte, f.LengthBytes)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	length := uint64(0)
	for _, b := range head {
		length = length<<8 | uint64(b)
	}
	if length == 0 || length > uint64(f.MaxLength) {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrFrameLength, length, f.MaxLength)
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

// AppendFrame appends the payload and its length to dst. With ErrFrameLength dst is unchanged.
func (f Framing) AppendFrame(dst, payload []byte) ([]byte, error) {
	if err := f.validate(); err != nil {
		return dst, err
	}
	if len(payload) == 0 || len(payload) > f.MaxLength {
		return dst, fmt.Errorf("%w: %d bytes, at most %d", ErrFrameLength, len(payload), f.MaxLength)
	}
	if f.LengthBytes == 2 {
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(payload)))
	} else {
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(payload)))
	}
	return append(dst, payload...), nil
}

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
