package network

import (
	"errors"
	"io"

	"github.com/assay-hil/assay/protocol/iso8583"
)

// errNotMessage: a whole frame, but nobody can say what it is.
var errNotMessage = errors.New("frame not identified")

// reader reads frames and keeps their bytes as they came, at most one frame's.
type reader struct {
	framing iso8583.Framing
	from    io.Reader
	raw     []byte
}

// next reads one frame. Raw is what was read, also with an error: then it is part of a frame,
// and must go on too. It holds until the next call.
func (r *reader) next() (raw, payload []byte, err error) {
	r.raw = r.raw[:0]
	payload, err = r.framing.ReadFrame(r)
	return r.raw, payload, err
}

// Read is for the framing; nobody else calls it.
func (r *reader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.raw = append(r.raw, p[:n]...)
	return n, err
}

func isFraming(err error) bool { return errors.Is(err, iso8583.ErrFrameLength) }

// rawReason puts why bytes pass unread into fixed words.
func rawReason(err error) string {
	switch {
	case isFraming(err):
		return "frame length not allowed: everything passes from here on"
	case errors.Is(err, errNotMessage):
		return errNotMessage.Error()
	}
	return "stream ended inside a frame"
}
