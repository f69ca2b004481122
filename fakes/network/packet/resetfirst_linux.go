package packet

import (
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// resetOnFirstData answers a packet that carries data by a reset in the receiver's name:
// the sender gets ECONNRESET, the receiver never sees the data and knows of nothing.
func (r *ruleset) resetOnFirstData(s Spec) {
	r.data(s, &expr.Reject{Type: unix.NFT_REJECT_TCP_RST})
}
