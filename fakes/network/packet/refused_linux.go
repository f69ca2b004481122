package packet

import (
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// refused answers the terminal's connection requests by a reset in the host's name, as its
// kernel does when nobody listens: ECONNREFUSED.
func (r *ruleset) refused(s Spec) {
	r.requests(s.Port, &expr.Reject{Type: unix.NFT_REJECT_TCP_RST})
}
