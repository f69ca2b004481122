// Package client is how a harness programs the fake issuer and asks what it saw: types of the
// control API and an HTTP client for it. It knows nothing of the server's inside.
package client

import (
	"time"
)

// Entry is one message in the issuer's journal.
type Entry struct {
	Seq      uint64    `json:"seq"`
	At       time.Time `json:"at"`
	In       bool      `json:"in"` // received; false: sent
	MTI      string    `json:"mti"`
	Terminal string    `json:"terminal,omitempty"` // DE41
	STAN     string    `json:"stan,omitempty"`     // DE11
	RRN      string    `json:"rrn,omitempty"`      // DE37
	Code     string    `json:"code,omitempty"`     // DE39
	Amount   int64     `json:"amount,omitempty"`   // DE4, minor units
	// Fields by number, masked: a sensitive field is shown as its kind and length only.
	Fields map[string]string `json:"fields,omitempty"`
	Rule   string            `json:"rule,omitempty"` // name of the rule that was used
	// Effect says what the ledger did: "charged", "reversed", "repeat", "reversal of unknown", "".
	Effect string `json:"effect,omitempty"`

	Connection string `json:"connection,omitempty"` // as in the event "connected"
	Operation  string `json:"operation,omitempty"`  // what the dialect takes the request for
	Card       string `json:"card,omitempty"`       // ID of the test card
	Reason     string `json:"reason,omitempty"`     // why it was answered so
	// Raw is the message as it was on the wire, without frame, in hexadecimal; card data are overwritten.
	Raw string `json:"raw,omitempty"`
}

// Journal is a part of the journal.
type Journal struct {
	Entries []Entry `json:"entries"`
	Dropped uint64  `json:"dropped,omitempty"` // entries lost to its bounds since the setup
	Last    uint64  `json:"last"`              // the newest Seq; ask for what is after it the next time
}

// Verify asks how many messages of the journal fit. Of Match, occurrences are not looked at.
type Verify struct {
	Match Match  `json:"match"`
	Sent  bool   `json:"sent,omitempty"`  // count what was sent; else what was received
	After uint64 `json:"after,omitempty"` // only entries with a greater Seq
	// Patterns as in Match, of DE39 and of the entry's words; "" is any.
	Code   string `json:"code,omitempty"`
	Rule   string `json:"rule,omitempty"`
	Effect string `json:"effect,omitempty"`
	Reason string `json:"reason,omitempty"`
	// At least one of them must be given. Exactly excludes the others.
	AtLeast *int `json:"at_least,omitempty"`
	AtMost  *int `json:"at_most,omitempty"`
	Exactly *int `json:"exactly,omitempty"`
}

// Verdict is the answer to a Verify.
type Verdict struct {
	OK    bool `json:"ok"`
	Count int  `json:"count"`
	// Text says what was wanted and found; with too few, also how the nearest miss differs.
	Text string `json:"text"`
	// Seqs are the first entries that fit.
	Seqs []uint64 `json:"seqs,omitempty"`
	// Miss is the entry that came nearest to fitting but did not; only with too few.
	Miss *Miss `json:"miss,omitempty"`
}

// Miss is an entry that nearly fits.
type Miss struct {
	Seq         uint64       `json:"seq"`
	Differences []Difference `json:"differences"`
}

// Difference is a condition that an entry does not meet. Card data in Got are masked.
type Difference struct {
	What string `json:"what"` // "mti", "field 60.batch", "amount" …
	Want string `json:"want"`
	Got  string `json:"got"`
}

// Charge is one sale on the books.
type Charge struct {
	Terminal string    `json:"terminal"`
	STAN     string    `json:"stan"`
	RRN      string    `json:"rrn"`
	Amount   int64     `json:"amount"` // minor units
	Currency string    `json:"currency"`
	Card     string    `json:"card"` // masked
	At       time.Time `json:"at"`
	// State: "charged", "reversed" or "voided". Settled is set when its batch was closed.
	State   string `json:"state"`
	Settled bool   `json:"settled,omitempty"`
	// CustomerID is the customer ID as received.
	CustomerID string `json:"customer_id,omitempty"`

	// Operation is what the dialect took the request for: a purchase, a completion, an advice.
	Operation string `json:"operation,omitempty"`
	Refunded  int64  `json:"refunded,omitempty"` // of the amount, minor units
	Asked     int64  `json:"asked,omitempty"`    // the amount of the request, where less was approved
}

// Hold is money that an authorisation has set aside.
type Hold struct {
	Terminal string    `json:"terminal"`
	STAN     string    `json:"stan"`
	RRN      string    `json:"rrn"`
	Amount   int64     `json:"amount"` // minor units
	Currency string    `json:"currency"`
	Card     string    `json:"card"` // masked
	At       time.Time `json:"at"`
	Captured int64     `json:"captured,omitempty"` // by completions
	Held     int64     `json:"held,omitempty"`     // still set aside
	// State: "held", "captured", "reversed" or "voided".
	State string `json:"state"`
}

// Refund is money that was given back to a card.
type Refund struct {
	Terminal string    `json:"terminal"`
	STAN     string    `json:"stan"`
	RRN      string    `json:"rrn"`
	Amount   int64     `json:"amount"` // minor units
	Currency string    `json:"currency"`
	Card     string    `json:"card"` // masked
	At       time.Time `json:"at"`
	// State: "refunded", "reversed" or "voided". Settled is set when its batch was closed.
	State   string `json:"state"`
	Settled bool   `json:"settled,omitempty"`
}

// Session is what the issuer knows of a terminal that has signed on, keys apart.
type Session struct {
	Terminal string    `json:"terminal"`
	SignedOn bool      `json:"signed_on"`
	At       time.Time `json:"at"` // of the latest sign-on
	Batch    string    `json:"batch,omitempty"`
}

// ScriptResult is what a terminal has told of an issuer script.
type ScriptResult struct {
	Terminal string    `json:"terminal"`
	STAN     string    `json:"stan"`
	At       time.Time `json:"at"`
	Card     string    `json:"card,omitempty"`     // ID of the test card
	Original string    `json:"original,omitempty"` // RRN of the transaction whose answer had the script
	Result   string    `json:"result,omitempty"`   // tag DF31 of DE55, hexadecimal
}

// Settlement is one 0500 as the issuer judged it.
type Settlement struct {
	Terminal string    `json:"terminal"`
	At       time.Time `json:"at"`
	Agrees   bool      `json:"agrees"`
	// What the terminal claimed and what the books say: debit count and sum, minor units.
	TerminalCount  int64 `json:"terminal_count"`
	TerminalAmount int64 `json:"terminal_amount"`
	HostCount      int64 `json:"host_count"`
	HostAmount     int64 `json:"host_amount"`

	Batch    string `json:"batch,omitempty"`
	Currency string `json:"currency,omitempty"`
	// The same for credits (refunds), in dialects whose settlement has them.
	TerminalCreditCount  int64 `json:"terminal_credit_count,omitempty"`
	TerminalCreditAmount int64 `json:"terminal_credit_amount,omitempty"`
	HostCreditCount      int64 `json:"host_credit_count,omitempty"`
	HostCreditAmount     int64 `json:"host_credit_amount,omitempty"`
	// Closed is set when the batch is: at once in balance, else by the end of its upload.
	Closed bool `json:"closed,omitempty"`
	// Uploaded are the transactions that were uploaded, Differences what they and the books disagree
	// on, in words.
	Uploaded    int      `json:"uploaded,omitempty"`
	Differences []string `json:"differences,omitempty"`
}

// NotInTheBooks ends a difference that is the bank's own: a transaction that was uploaded and that it does not have.
const NotInTheBooks = "not in the books"

// State is everything the money audit needs.
type State struct {
	Journal     []Entry        `json:"journal"`
	Dropped     uint64         `json:"dropped,omitempty"` // journal entries lost to its bound
	Charges     []Charge       `json:"charges"`
	Settlements []Settlement   `json:"settlements"`
	Holds       []Hold         `json:"holds,omitempty"`
	Refunds     []Refund       `json:"refunds,omitempty"`
	Sessions    []Session      `json:"sessions,omitempty"`
	Scripts     []ScriptResult `json:"scripts,omitempty"`
	// Violations are messages that a real host would call protocol errors, in words.
	Violations []string `json:"violations"`
}

// Events of the feed: kind "received", "sent" and "undelivered", an answer that the terminal cannot have got
// (fields mti, stan, terminal, code, operation, rule, effect), "violation" (text), "connected",
// "disconnected". The words are constants in words.go.
