package terminal

import (
	"strings"

	"github.com/assay-hil/assay/protocol/track"
)

// chipServiceCodes are the first digits of the service codes of cards that have a chip
// (ISO/IEC 7813: 2 international, 6 national).
const chipServiceCodes = "26"

// readStripe decodes track 2. What exactly is wrong with a damaged stripe doesn't matter to a
// cashier, so every fault of it gives the same prompt.
func (a *app) readStripe(swipe Swipe) (card, error) {
	t, err := track.Decode2(swipe.Tracks[1])
	if err != nil {
		return card{}, retryStripe
	}
	c := card{pan: t.PAN, expiry: t.Expiry, track2: t.String()}
	if !c.usable() {
		return card{}, retryStripe
	}
	if a.profile.Has("chip") && strings.Contains(chipServiceCodes, t.Service[:1]) {
		return card{}, retryUseChip
	}
	return c, nil
}
