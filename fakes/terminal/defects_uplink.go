package terminal

// Bugs of the ways to the host, and of the timers on them.
const (
	defectNoFailover           = "no-failover"
	defectNameForgotten        = "name-forgotten"
	defectHandshakeUntimed     = "handshake-untimed"
	defectCertificateUnchecked = "certificate-unchecked"
	defectHostUnchecked        = "certificate-of-anybody"
	defectNeverBack            = "never-switches-back"
	defectDoubleSend           = "double-send-on-failover"
	defectTimerPerRead         = "timer-per-read"
	defectTimerDoubled         = "timer-doubled"
	defectNoKeyTimeout         = "no-key-timeout"
	defectModemUnasked         = "modem-unasked"
	defectDialAsRefused        = "connect-timeout-as-refused"
	defectCutAsSilence         = "cut-reply-as-silence"
)

// uplinkDefects are listed with the rule that each breaks.
func uplinkDefects() []Defect {
	return []Defect{
		{
			Name: defectNoFailover, Group: groupUplink,
			What: "the backup uplink is never dialled: with the primary dead the terminal is offline",
			Rule: "A-15: with the primary link down the sale passes over the backup",
		},
		{
			Name: defectNameForgotten, Group: groupUplink,
			What: "the address where the host was reached last is not tried when the name server fails: no name, no sale",
			Rule: "fault 39: NXDOMAIN, silence or an old address: the cached or the backup address is used",
		},
		{
			Name: defectHandshakeUntimed, Group: groupTimers,
			What: "the connect timer stops when TCP connects: a host that is silent in the TLS handshake hangs the terminal",
			Rule: "fault 37: a stall in the handshake ends with the connect timer, then the backup is dialled",
		},
		{
			Name: defectCertificateUnchecked, Group: groupSecurity,
			What: "the host's certificate is not checked at all: whoever answers gets card data",
			Rule: "fault 36: expired, unknown authority, wrong host: refused, with a message of its own, never bypassed",
			Seen: "the commonest fault of TLS clients: M. Georgiev et al., The Most Dangerous Code in the World, CCS 2012",
		},
		{
			Name: defectHostUnchecked, Group: groupSecurity,
			What: "a certificate of the right authority is accepted for any host",
			Rule: "fault 36: a certificate names the host that was meant (RFC 9525)",
			Seen: "M. Georgiev et al., The Most Dangerous Code in the World, CCS 2012 (payment SDKs among others)",
		},
		{
			Name: defectNeverBack, Group: groupUplink,
			What: "once on the backup uplink the terminal stays there",
			Rule: "after the profile's time the primary is tried again",
			Seen: "bills of mobile operators",
		},
		{
			Name: defectDoubleSend, Group: groupUplink,
			What: "a request that is not answered over the primary is sent again over the backup",
			Rule: "a request is sent once; what follows is a reversal",
		},
		{
			Name: defectTimerPerRead, Group: groupTimers,
			What: "the reply timer begins anew with every read: an answer that trickles in holds the cashier up for ever",
			Rule: "the host timer bounds request and answer together",
			Seen: "socket time-outs taken for timers",
		},
		{
			Name: defectTimerDoubled, Group: groupTimers,
			What: "the terminal waits for the host twice as long as it should",
			Rule: "B3: the prompt comes when the host timer has run out",
		},
		{
			Name: defectNoKeyTimeout, Group: groupTimers,
			What: "an entry screen waits for ever: an abandoned sale blocks the till",
			Rule: "B6: an entry screen gives up after the user's time",
		},
		{
			Name: defectModemUnasked, Group: groupUplink,
			What: "the modem is not asked before dialling: a SIM card that came loose is shown as a bank that can't be reached",
			Rule: "E-24: without a SIM card or with too weak a signal the terminal says so, and dials nobody",
		},
		{
			Name: defectDialAsRefused, Group: groupPrompts,
			What: "a host that does not answer the dialling is shown as one that refuses: the cashier looks for the fault at the bank, and it is in the network",
			Rule: "E-02: dialling that runs out of time has a prompt of its own",
		},
		{
			Name: defectCutAsSilence, Group: groupPrompts,
			What: "an answer of which only a part came is shown as none at all",
			Rule: "E-05: a cut answer is a receive error, also when the line stays open",
		},
	}
}
