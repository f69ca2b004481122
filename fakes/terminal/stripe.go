package terminal

import (
	"errors"
	"strings"

	"github.com/assay-hil/assay/protocol/track"
)

// chipServiceCodes are the first digits of the service codes of cards that have a chip
// (ISO/IEC 7813: 2 international, 6 national).
const chipServiceCodes = "26"

// readStripe decodes track 2. What exactly is wrong with a damaged stripe doesn't matter to a
// cashier, so every fault of it gives the same prompt. The stripe of a chip card counts only when the chip
// had its chance before, in the same sale.
func (a *app) readStripe(swipe Swipe, chipFailed bool) (card, error) {
	t, err := track.Decode2(swipe.Tracks[1])
	if errors.Is(err, track.ErrLRC) && a.defects.has(defectLRCUnchecked) {
		t, err = track.Decode2(withLRC(swipe.Tracks[1]))
	}
	if err != nil {
		return card{}, retryStripe
	}
	c := card{pan: t.PAN, expiry: t.Expiry, track2: t.String()}
	if !c.usable() {
		return card{}, retryStripe
	}
	if !a.profile.Has("chip") || !strings.Contains(chipServiceCodes, t.Service[:1]) || a.defects.has(defectServiceCode) {
		return c, nil
	}
	if !chipFailed && !a.defects.has(defectFallbackUnasked) {
		return card{}, retryUseChip
	}
	c.fallback = !a.defects.has(defectFallbackMode)
	return c, nil
}

// withLRC writes the check symbol anew: what a reader sees that takes the stripe's word for it.
func withLRC(symbols []byte) []byte {
	sound := append([]byte(nil), symbols...)
	var lrc byte
	for _, s := range sound[:len(sound)-1] {
		lrc ^= s & 0x0F
	}
	parity := byte(1)
	for d := lrc; d != 0; d >>= 1 {
		parity ^= d & 1
	}
	sound[len(sound)-1] = lrc | parity<<4
	return sound
}
