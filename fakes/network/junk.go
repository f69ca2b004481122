package network

import (
	"cmp"
	"encoding/hex"

	"github.com/assay-hil/assay/fakes/network/client"
)

// defaultJunk is an announced length of zero, twice, or four bytes of nothing.
const defaultJunk = "00000000"

// junk puts bytes that are no message before one.
type junk struct{ bytes []byte }

func newJunk(spec client.Fault) junk {
	b, _ := hex.DecodeString(cmp.Or(spec.Junk, defaultJunk)) // checked
	return junk{b}
}

func (j junk) shape(m *passage) (image, error) {
	return m.flow.connection.server.blank(j.bytes).and(m.image), nil
}
