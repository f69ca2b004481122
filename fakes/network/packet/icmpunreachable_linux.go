package packet

import (
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Codes of ICMP destination unreachable (RFC 792; 13 is from RFC 1812, 5.2.7.1).
const (
	icmpNetwork    = 0
	icmpHost       = 1
	icmpPort       = 3
	icmpProhibited = 13
)

// icmpUnreachable answers the terminal's connection requests by ICMP destination unreachable
// from the router; the code decides what connect gives.
func (r *ruleset) icmpUnreachable(s Spec) {
	code := map[string]uint8{
		"network": icmpNetwork, "host": icmpHost, "port": icmpPort, "prohibited": icmpProhibited,
	}[s.Answer]
	r.requests(s.Port, &expr.Reject{Type: unix.NFT_REJECT_ICMP_UNREACH, Code: code})
}
