package ledger

import (
	"errors"
	"time"
)

// Kind says what an entry does with money.
type Kind string

// Kinds of entries. Amounts are positive whatever the direction.
const (
	// Charge takes an amount from a card at once.
	Charge Kind = "charge"
	// Hold sets an amount of a card aside.
	Hold Kind = "hold"
	// Capture charges a hold, once or in parts.
	Capture Kind = "capture"
	// Release makes available again what is left of a hold.
	Release Kind = "release"
	// Refund gives an amount back, of a charge or capture, or of none.
	Refund Kind = "refund"
	// Undo takes back the whole effect of another entry, once. An undo can be undone in its turn (the
	// reversal of a void), which posts the entry that it was about anew; that is final.
	Undo Kind = "undo"
	// Settle closes a terminal's batch in one currency.
	Settle Kind = "settle"
	// Note moves nothing: what must not be forgotten, such as a reversal that came before its original.
	Note Kind = "note"
)

// Entry is one posting: all of it happens or nothing.
type Entry struct {
	// Seq is the entry's number, from 1 in each set of books, and At its time. Post gives both.
	Seq uint64    `json:"-"`
	At  time.Time `json:"at"`

	Kind Kind `json:"kind"`
	// Of is the entry that this one is about: the hold of a Capture or Release, the charge or capture
	// of a Refund (0: none), any entry of an Undo.
	Of uint64 `json:"of,omitempty"`
	// Account is the card's ID, never its number. A Settle has none; a Note may have one.
	Account string `json:"account,omitempty"`
	// Terminal is the acquiring side.
	Terminal string `json:"terminal,omitempty"`
	// Currency is the ISO 4217 code as the dialect writes it, Amount is in its minor units.
	Currency string `json:"currency,omitempty"`
	Amount   int64  `json:"amount,omitempty"`
	// Ceiling of a Hold is the greatest sum of its captures; 0 is its amount. What exceeds the amount
	// held is taken from what is available.
	Ceiling int64 `json:"ceiling,omitempty"`
	// Final: this Capture is the hold's last, the rest becomes available.
	Final bool `json:"final,omitempty"`
	// Force: this Charge or Capture has taken place already (an advice). What the card lacks is taken
	// from the suspense account.
	Force bool `json:"force,omitempty"`
	Memo  Memo `json:"memo,omitzero"`
}

// Memo is what the bank wants to remember with an entry. The ledger does not look into it. It must
// not contain card data.
type Memo struct {
	Operation string `json:"operation,omitempty"`
	MTI       string `json:"mti,omitempty"`
	// Identity are the values that tell one transaction from every other.
	Identity string `json:"identity,omitempty"`
	STAN     string `json:"stan,omitempty"`
	RRN      string `json:"rrn,omitempty"`  // that the host has given
	Sent     string `json:"sent,omitempty"` // that the request had
	Auth     string `json:"auth,omitempty"`
	Code     string `json:"code,omitempty"` // DE39 of the answer
	Reason   string `json:"reason,omitempty"`
	Batch    string `json:"batch,omitempty"`
	// Transmission, Time and Date are DE7, DE12 and DE13 of the request.
	Transmission string `json:"transmission,omitempty"`
	Time         string `json:"time,omitempty"`
	Date         string `json:"date,omitempty"`
	// Asked is the amount of the request where another was approved.
	Asked    int64  `json:"asked,omitempty"`
	Customer string `json:"customer,omitempty"`
	// Claim are the totals that a Settle was asked for with.
	Claim string `json:"claim,omitempty"`
}

// Standing is an entry and what has become of it.
type Standing struct {
	Entry
	// UndoneBy is the entry that undid this one; 0: it stands.
	UndoneBy uint64
	// Settled: a Settle has counted it.
	Settled bool
	// Captured and Held are a hold's: what was captured, and what is still set aside.
	Captured, Held int64
	// Refunded of a charge or capture.
	Refunded int64
}

// Totals are a terminal's entries since its last Settle: those that stand, in one currency. Debits are
// charges and captures, credits are refunds.
type Totals struct {
	DebitCount, DebitAmount   int64
	CreditCount, CreditAmount int64
}

// Account is the money behind one card.
type Account struct {
	// ID is the card's, never its number.
	ID string
	// Opening is the balance that the card begins with, in each currency in which it is used.
	Opening int64
}

// Reasons why an entry is refused; nothing is posted then.
var (
	// ErrFunds: less is available than the entry needs.
	ErrFunds = errors.New("ledger: insufficient funds")
	// ErrUnknown: there is no such account, or no such entry that could be meant.
	ErrUnknown = errors.New("ledger: unknown account or entry")
	// ErrUndone: the entry that is meant was undone before.
	ErrUndone = errors.New("ledger: the entry is undone already")
	// ErrExceeds: captures would exceed their hold's ceiling, or refunds their charge.
	ErrExceeds = errors.New("ledger: more than the original has left")
	// ErrBuiltOn: the entry cannot be undone because a later one builds on it, a capture on a hold, a
	// refund on a charge: that one must be undone first.
	ErrBuiltOn = errors.New("ledger: a later entry builds on this one")
	// ErrClosed: nothing of the hold is left.
	ErrClosed = errors.New("ledger: the hold is closed")
	// ErrEntry: the entry is malformed.
	ErrEntry = errors.New("ledger: malformed entry")
	// ErrFull: the books have as many entries as they may have.
	ErrFull = errors.New("ledger: the books are full")
	// ErrBooks: the books contradict themselves, a fault of the ledger itself.
	ErrBooks = errors.New("ledger: the books do not balance")
	// ErrFile: the file cannot be read or written. After a posting failed to reach it, no other is taken.
	ErrFile = errors.New("ledger: file")
)
