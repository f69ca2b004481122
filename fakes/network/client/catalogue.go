package client

// Owners of the catalogue's rows: who can provoke the fault.
const (
	OwnerMessage = "network, message level" // this package's Vocabulary
	OwnerPacket  = "network, packet level"
	OwnerTLS     = "network, TLS"
	OwnerDNS     = "network, DNS"
	OwnerIssuer  = "issuer"
	OwnerBench   = "bench"
)

// Row is a fault of the catalogue: what can go wrong with a payment between terminal and host.
type Row struct {
	Number int    `json:"number"`
	Fault  string `json:"fault"`
	Owner  string `json:"owner"`
}

// Catalogue is every row. Those that OwnerMessage has are in the Rows of Vocabulary; some of the
// others can be provoked here too.
var Catalogue = []Row{
	{1, "SYN blackhole", OwnerPacket},
	{2, "port refused", OwnerMessage},
	{3, "ICMP unreachable", OwnerPacket},
	{4, "slow handshake", OwnerPacket},
	{5, "accept, then silence", OwnerMessage},
	{6, "reset before the request leaves", OwnerMessage},
	{7, "reset after the request, before the response", OwnerMessage},
	{8, "reset in the middle of the response", OwnerMessage},
	{9, "orderly end before the response", OwnerMessage},
	{10, "half-open after idle", OwnerPacket},
	{11, "zero window", OwnerMessage},
	{12, "request lost", OwnerMessage},
	{13, "response lost", OwnerMessage},
	{14, "response duplicated", OwnerMessage},
	{15, "request duplicated", OwnerMessage},
	{16, "late response, same connection", OwnerMessage},
	{17, "late request, after the reversal", OwnerMessage},
	{18, "response for another STAN", OwnerMessage},
	{19, "wrong MTI, terminal or amount in the response", OwnerMessage},
	{20, "responses swapped", OwnerMessage},
	{21, "length too long", OwnerMessage},
	{22, "length zero, too short or huge", OwnerMessage},
	{23, "truncated, then end", OwnerMessage},
	{24, "truncated, then stall", OwnerMessage},
	{25, "byte dribble", OwnerMessage},
	{26, "frames merged in one segment", OwnerMessage},
	{27, "split inside the length", OwnerMessage},
	{28, "junk before the frame", OwnerMessage},
	{29, "bad response MAC", OwnerMessage},
	{30, "request MAC rejected", OwnerIssuer},
	{31, "wrong bitmap, missing response code", OwnerMessage},
	{32, "unknown response code", OwnerMessage},
	{33, "approved without authorisation code", OwnerMessage},
	{34, "bad ARPC, issuer script", OwnerIssuer},
	{35, "TLS alert in the handshake", OwnerTLS},
	{36, "certificate expired, of a wrong host, of an unknown authority", OwnerTLS},
	{37, "TLS stall in the handshake", OwnerTLS},
	{38, "TLS record corrupted", OwnerTLS},
	{39, "DNS: no such name, timeout, stale", OwnerDNS},
	{40, "primary down, backup up", OwnerMessage},
	{41, "failover between request and reversal", OwnerMessage},
	{42, "flapping link", OwnerPacket},
	{43, "loss of SIM, Wi-Fi or cable", OwnerBench},
	{44, "packet loss of 20 %", OwnerPacket},
	{45, "high latency, jitter", OwnerMessage},
	{46, "reordered and duplicate packets", OwnerPacket},
	{47, "MTU blackhole", OwnerPacket},
	{48, "link of 9.6 kbit/s", OwnerPacket},
	{49, "idle expiry as of a NAT", OwnerPacket},
	{50, "issuer restarts in the middle of a sale", OwnerMessage},
	{51, "slow issuer, response codes 91 and 96", OwnerIssuer},
	{52, "response of the reversal lost", OwnerMessage},
	{53, "reversal refused", OwnerIssuer},
	{54, "clock skew, daylight saving, rollover", OwnerIssuer},
	{55, "STAN wraps from 999999 to 000001", OwnerBench},
	{56, "power cut at each event", OwnerBench},
	{57, "card pulled, cancel in flight", OwnerBench},
	{58, "settlement totals differ, cut within the batch", OwnerIssuer},
	{59, "printer out between approval and printing", OwnerBench},
}
