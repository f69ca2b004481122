package packet

// Kinds of fault.
const (
	SYNBlackhole        = "syn-blackhole"
	Refused             = "refused"
	ICMPUnreachable     = "icmp-unreachable"
	StallAfterHandshake = "stall-after-handshake"
	ResetOnFirstData    = "reset-on-first-data"
	NATIdleExpiry       = "nat-idle-expiry"
	Loss                = "loss"
	Duplicate           = "duplicate"
	Reorder             = "reorder"
	Delay               = "delay"
	MTUBlackhole        = "mtu-blackhole"
	RateLimit           = "rate"
	LinkFlap            = "link-flap"
)

// Word describes one kind of fault.
type Word struct {
	Kind string
	// Params are the fields of [Spec] that it takes besides id, kind and mechanism, as "name" or
	// "name=default", those needed with "!" behind the name, separated by spaces.
	Params string
	Help   string
	// Rows of the fault catalogue (faults, section 5) that it gives.
	Rows []int
}

// Vocabulary is every kind that a bench knows.
var Vocabulary = []Word{
	{SYNBlackhole, "port", "connection requests of the terminal vanish: connect times out", []int{1, 40}},
	{Refused, "port", "connection requests are answered by a reset: connect gives ECONNREFUSED", []int{2, 40}},
	{ICMPUnreachable, "port answer=host", "connection requests are answered by ICMP destination unreachable: host or prohibited (EHOSTUNREACH), network (ENETUNREACH), port (ECONNREFUSED)", []int{3}},
	{StallAfterHandshake, "port direction", "connections are made, then data and closings vanish; those open already go silent", []int{10, 37}},
	{ResetOnFirstData, "port direction=" + FromTerminal, "who sends data gets a reset instead of an acknowledgement, the other side gets nothing", []int{6}},
	{NATIdleExpiry, "port idle!", "a connection idle for longer is forgotten: its packets vanish both ways, without a word", []int{10, 49}},
	{Loss, "port direction percent every seed", "packets vanish: by chance (percent), or every nth that carries data (every)", []int{44}},
	{Duplicate, "port direction percent=100 seed", "packets arrive twice", []int{46}},
	{Reorder, "port direction percent=100 by=50ms seed", "a packet arrives after the next one of its connection, or after by when none comes", []int{46}},
	{Delay, "port direction by! jitter seed", "packets arrive later by a time, more or less by up to jitter, in their order", []int{4, 45}},
	{MTUBlackhole, "port direction size!", "IP packets longer than size bytes vanish without ICMP", []int{47}},
	{RateLimit, "direction rate!", "the link carries no more than rate bit/s", []int{48}},
	{LinkFlap, "down up times", "the terminal's link goes down for a time, up for a time, so often; without times until healed, without down it stays down", []int{42}},
}

// Kinds are the kinds of the vocabulary, in its order.
func Kinds() []string {
	kinds := make([]string, len(Vocabulary))
	for i, w := range Vocabulary {
		kinds[i] = w.Kind
	}
	return kinds
}
