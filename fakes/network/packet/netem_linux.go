package packet

import (
	"time"

	"github.com/vishvananda/netlink"
)

// netemLimit is how many packets netem holds; what is beyond is lost.
const netemLimit = 4096

// emulator is the kernel's network emulator, for delay and loss of a whole link. Of packets that
// it duplicates or swaps it keeps no count, so those faults, which could not be shown to have
// fired, are left to the TUN device.
func emulator(s Spec, attrs netlink.QdiscAttrs) *netlink.Netem {
	return netlink.NewNetem(attrs, netlink.NetemQdiscAttrs{
		Limit:   netemLimit,
		Latency: uint32(s.By / time.Microsecond),
		Jitter:  uint32(s.Jitter / time.Microsecond),
		Loss:    float32(s.Percent),
	})
}
