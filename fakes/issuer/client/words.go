package client

// Kinds of feed events. "received" stands for a message and everything that was decided on it;
// "sent" is recorded before the answer is written, and "undelivered" when the terminal cannot
// have got an answer: it had hung up before a late one was due, or the connection did not take it
// any more. The fields are mti, stan, terminal, code, operation, rule and effect, without the empty ones.
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
	EffectHeld       = "held"           // an authorisation
	EffectCaptured   = "captured"       // a completion
	EffectRefunded   = "refunded"       // a refund
	EffectVoided     = "voided"         // a void
	EffectNoted      = "noted"          // a script result
	EffectSettled    = "settled"        // a settlement in balance, or the end of an upload that agrees with the books
	EffectUnbalanced = "out of balance" // a settlement or the end of an upload that differs
	EffectUploaded   = "uploaded"
	EffectSignedOn   = "signed on"
	EffectSignedOff  = "signed off"
	// EffectUndelivered marks the journal's entry for an answer that was not delivered.
	EffectUndelivered = "undelivered"
)

// States of a Charge, Hold or Refund.
const (
	StateCharged  = "charged"
	StateReversed = "reversed"
	StateVoided   = "voided"
	StateHeld     = "held"
	StateCaptured = "captured"
	StateRefunded = "refunded"
)

// Paths of the control API. All but Events, which is the feed's, and OpenAPI speak JSON.
const (
	PathSetup     = "/setup"     // POST a Setup
	PathState     = "/state"     // GET the State
	PathEvents    = "/events"    // GET; see feed.Log.Handler
	PathHealth    = "/healthz"   // GET, without a token
	PathRules     = "/rules"     // GET the Rules, PUT a Setup whose books stay, POST one Rule; DELETE /rules/NAME
	PathScenarios = "/scenarios" // GET the states, DELETE to start them all anew; PUT /scenarios/NAME with a ScenarioState
	PathJournal   = "/journal"   // GET ?after=SEQ: a Journal
	PathVerify    = "/verify"    // POST a Verify, answered by a Verdict
	PathSend      = "/send"      // POST an Unsolicited
	PathRestart   = "/restart"   // POST a Restart
	PathOpenAPI   = "/openapi.yaml"
)
