package packet

import (
	"time"

	"github.com/vishvananda/netlink"
)

// Sizes of the token bucket. A burst smaller than a packet lets none pass at all; one that
// lasts less than the kernel's clock ticks makes the rate too small.
const (
	minBurst   = 2 * (MTU + 14)        // bytes, with the Ethernet headers
	burstTime  = 10 * time.Millisecond // at the rate
	minBacklog = 64 << 10              // bytes
	backlog    = 200 * time.Millisecond
)

// bucket is the token bucket filter of a rate: packets wait for it, up to a backlog; what is
// beyond is lost.
func bucket(s Spec, attrs netlink.QdiscAttrs) *netlink.Tbf {
	rate := uint64(s.Rate) / 8 // bytes/s
	during := func(d time.Duration) uint64 { return rate * uint64(d) / uint64(time.Second) }
	burst := max(minBurst, during(burstTime))
	fill := float64(burst) * float64(time.Second/time.Microsecond) / float64(rate) // µs to fill the bucket
	return &netlink.Tbf{
		QdiscAttrs: attrs, Rate: rate,
		Limit:  uint32(max(minBacklog, during(backlog)) + burst),
		Buffer: uint32(fill * netlink.TickInUsec()),
	}
}
