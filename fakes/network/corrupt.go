package network

import (
	"cmp"
	"encoding/hex"

	"github.com/assay-hil/assay/fakes/network/client"
)

// corrupt flips bits of one byte.
type corrupt struct {
	at   place
	mask byte
}

func newCorrupt(spec client.Fault) corrupt {
	mask, _ := hex.DecodeString(cmp.Or(spec.Mask, "01")) // checked
	at, _ := parsePlace(spec.At)
	return corrupt{at, mask[0]}
}

func (c corrupt) shape(m *passage) (image, error) {
	n, ok := c.at.offset(m)
	if !ok || n >= len(m.image.raw) {
		return image{}, errOutside
	}
	i := m.image.clone()
	i.raw[n] ^= c.mask
	if i.shown != nil {
		i.shown[n] ^= c.mask
	}
	return i, nil
}
