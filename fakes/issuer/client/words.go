package client

// Kinds of feed events. "received" stands for a message and everything that was decided on it;
// "sent" is recorded before the answer is written, and "undelivered" when the terminal cannot
// have got an answer: it had hung up before a late one was due, or the connection did not take it
// any more. The fields are mti, stan, terminal, code, rule and effect, without the empty ones.
const (
	EventReceived    = "received"
	EventSent        = "sent"
	EventUndelivered = "undelivered"
	// EventViolation has the field text.
	EventViolation = "violation"
	// EventConnected has the field connection (1, 2 …), EventDisconnected also why.
	EventConnected    = "connected"
	EventDisconnected = "disconnected"
)

// Effects of a message, as Entry.Effect and in events.
const (
	EffectCharged  = "charged"
	EffectReversed = "reversed" // by a reversal, or a sale whose reversal had come first
	EffectRepeat   = "repeat"   // known already, nothing posted
	// EffectUnknown: the original of a reversal is unknown; should it still come, it nets to zero.
	EffectUnknown = "reversal of unknown"
	// EffectCryptogram: the card's request cryptogram is wrong, nothing posted.
	EffectCryptogram = "wrong cryptogram"
	// EffectUndelivered marks the journal's entry for an answer that was not delivered.
	EffectUndelivered = "undelivered"
)

// States of a Charge.
const (
	StateCharged  = "charged"
	StateReversed = "reversed"
)

// Paths of the control API. All but Events, which is the feed's, speak JSON; a Setup is posted.
const (
	PathSetup  = "/setup"
	PathState  = "/state"
	PathEvents = "/events"
	PathHealth = "/healthz"
)
