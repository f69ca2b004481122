package network

import (
	"errors"

	"github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// errNotMessage: a whole frame, but nobody can say what it is.
var errNotMessage = errors.New("frame not identified")

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

func targetOf(direction string) string {
	if direction == client.FromTerminal {
		return client.Host
	}
	return client.Terminal
}
