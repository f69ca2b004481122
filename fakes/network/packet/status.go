package packet

import "time"

// Status tells what became of a fault.
type Status struct {
	// Spec is the fault with its defaults, its seed and the mechanism that was chosen.
	Spec
	Armed time.Time `json:"armed"`
	// Fired is when it was first seen to have affected a packet, at most [WatchEvery] late;
	// zero if it was not.
	Fired time.Time `json:"fired,omitzero"`
	// Packets that it has affected, as the kernel's counters or the TUN device tell; times that
	// the link went down with link-flap. Those of the last instant before healing may be missing.
	Packets uint64 `json:"packets"`
	// Healed is when it ceased to act; zero while it acts.
	Healed time.Time `json:"healed,omitzero"`
	// Error of a fault that could not be watched or could not go on; it proves nothing then.
	Error string `json:"error,omitempty"`
}

// WatchEvery is how often the counters of armed faults are read.
const WatchEvery = 20 * time.Millisecond

// Capability is what this machine can do of one kind of fault.
type Capability struct {
	Fault     string `json:"fault"`
	Mechanism string `json:"mechanism,omitempty"` // the best that works, "" if none does
	OK        bool   `json:"ok"`
	// Broken: not OK, and not for want of a right, a device or a part of the kernel. It should work here and
	// does not.
	Broken bool `json:"broken,omitempty"`
	// Why not; and with OK why no better mechanism.
	Why string `json:"why,omitempty"`
}
