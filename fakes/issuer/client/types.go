// Package client is how a harness programs the fake issuer and asks what it saw: types of the
// control API and an HTTP client for it. It knows nothing of the server's inside.
package client

import (
	"time"
)

// Setup is the state that a scenario starts from. It replaces rules, ledger, journal and
// violations; sign-on state and batch totals of terminals start anew too.
type Setup struct {
	Rules []Rule `json:"rules,omitempty"`
}

// Rule changes how the issuer answers messages that match. The first matching rule in order
// is used; a message that no rule matches is processed by the books.
type Rule struct {
	Name   string `json:"name"`
	Match  Match  `json:"match"`
	Answer Answer `json:"answer"`
}

// Match selects messages from the terminal.
type Match struct {
	MTI string `json:"mti"`
	// Nth is the occurrence of that MTI since the setup, from 1; 0 means every one.
	Nth int `json:"nth,omitempty"`
}

// Answer is what the issuer does instead. With the zero Answer it processes by the books.
type Answer struct {
	// Code answers with this DE39 and posts nothing.
	Code string `json:"code,omitempty"`
	// Late processes, then answers after this time.
	Late time.Duration `json:"late,omitempty"`
	// Never processes the message (the books change!) and sends no answer.
	Never bool `json:"never,omitempty"`
}

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
	// State: "charged" or "reversed". Settled is set when its batch was settled in balance.
	State   string `json:"state"`
	Settled bool   `json:"settled,omitempty"`
	// CustomerID is DE48 as received.
	CustomerID string `json:"customer_id,omitempty"`
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
}

// State is everything the money audit needs.
type State struct {
	Journal     []Entry      `json:"journal"`
	Dropped     uint64       `json:"dropped,omitempty"` // journal entries lost to its bound
	Charges     []Charge     `json:"charges"`
	Settlements []Settlement `json:"settlements"`
	// Violations are messages that a real host would call protocol errors, in words.
	Violations []string `json:"violations"`
}

// Events of the feed: kind "received", "sent" and "undelivered", an answer that the terminal cannot have got
// (fields mti, stan, terminal, code, rule, effect), "violation" (text), "connected",
// "disconnected". The words are constants in words.go.
