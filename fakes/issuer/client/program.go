package client

import "time"

// What a setup says of messages that no rule matches.
const (
	// OtherwiseViolation, the default: such a message is a violation. It is declined as a system error
	// and posts nothing.
	OtherwiseViolation = "violation"
	// OtherwiseBooks: such a message is processed by the books.
	OtherwiseBooks = "books"
)

// DefaultPriority is the priority of a rule that names none.
const DefaultPriority = 100

// StateStarted is the state that every named scenario begins in.
const StateStarted = "started"

// Patterns of Match.Fields that look at presence and not at the value.
const (
	PatternPresent = "present"
	PatternAbsent  = "absent"
)

// How a connection may end after an answer; see Answer.End.
const (
	EndClose = "close" // in order
	EndReset = "reset" // with a reset
	EndStall = "stall" // it stays open, and nothing more is written to it
)

// Setup is the state that a scenario starts from. It replaces rules, ledger, journal and
// violations; sign-on state and batch totals of terminals start anew too.
type Setup struct {
	Rules []Rule `json:"rules,omitempty"`
	// Ordered gives the rules priorities by their position: the first one that matches is used. Without
	// it, two rules of the same priority that can match the same message are refused as ambiguous.
	Ordered bool `json:"ordered,omitempty"`
	// Otherwise is one of the constants above; "" is OtherwiseViolation.
	Otherwise string `json:"otherwise,omitempty"`
	// Scenarios are the named scenarios that rules use, with their states besides StateStarted.
	Scenarios map[string][]string `json:"scenarios,omitempty"`
	// ForgetSessions has terminals sign on again. Without it they stay signed on with the keys that they have:
	// a terminal signs on once after power-on and cannot know of a setup.
	ForgetSessions bool `json:"forget_sessions,omitempty"`
}

// Rule changes how the issuer answers messages that match.
type Rule struct {
	Name string `json:"name"`
	// Priority orders rules that match the same message: the lowest number is used. 1 to 1000; 0 stands
	// for DefaultPriority.
	Priority int   `json:"priority,omitempty"`
	Match    Match `json:"match"`
	// When limits the rule to a state of a named scenario; Then is that scenario's state once the rule was used.
	When *When  `json:"when,omitempty"`
	Then string `json:"then,omitempty"`
	// Answer is used every time; Answers, instead of it, one after the other. When they are
	// used up the last one repeats, or with Cycle the first follows again.
	Answer  Answer   `json:"answer"`
	Answers []Answer `json:"answers,omitempty"`
	Cycle   bool     `json:"cycle,omitempty"`
}

// When is a state of a named scenario; with State "" the scenario may be in any.
type When struct {
	Scenario string `json:"scenario"`
	State    string `json:"state,omitempty"`
}

// Match selects messages from the terminal: all conditions that are given must hold. In a pattern,
// "?" is any one character and "*", at the end, any rest.
type Match struct {
	// MTI is a pattern. "0400" does not match the repeat 0401; Operation "reversal" matches both.
	MTI string `json:"mti,omitempty"`
	// Operation is one of the dialect's, for example "purchase".
	Operation string `json:"operation,omitempty"`
	// Fields are patterns, or the words present and absent, by path: "4", "60.batch", "55.9F26".
	Fields   map[string]string `json:"fields,omitempty"`
	Amount   *Amount           `json:"amount,omitempty"`
	Card     string            `json:"card,omitempty"`     // ID of the test card
	Terminal string            `json:"terminal,omitempty"` // pattern of DE41
	// Nth is the occurrence, from 1; 0 means every one. Occurrences are counted since the rules were set, and those
	// count for which the rest of the rule holds (Match and When), whether or not another rule was used
	// instead. A rule that has only an MTI so counts the messages of that MTI.
	Nth int `json:"nth,omitempty"`
	// Every matches each n-th occurrence; From and To limit occurrences to a range, both included, 0: no limit.
	Every int `json:"every,omitempty"`
	From  int `json:"from,omitempty"`
	To    int `json:"to,omitempty"`
}

// Amount is a range of DE4 in minor units, both ends included. Max nil: no upper end.
type Amount struct {
	Min int64  `json:"min"`
	Max *int64 `json:"max,omitempty"`
}

// Answer is what the issuer does instead. With the zero Answer it processes by the books. What
// changes the message, its bytes and its delivery may be combined.
type Answer struct {
	// Code answers with this DE39 and posts nothing; Reason does so with the dialect's code for that
	// reason, for example "insufficient-funds".
	Code   string `json:"code,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Approve processes by the books with these values in an approval.
	Approve *Approve `json:"approve,omitempty"`
	// Late processes, then answers after this time.
	Late time.Duration `json:"late,omitempty"`
	// Never processes the message (the books change!) and sends no answer.
	Never bool `json:"never,omitempty"`

	// Exact takes all fields but DE39 and the MAC out of the answer; what it then has is what Copy and Set say.
	Exact bool `json:"exact,omitempty"`
	// Copy takes values over from the request, by path, as far as it has them; Set and Drop change fields
	// by path; Wrong makes the named parts wrong: one of Wrongs. The MAC is made after that, so that it
	// is right unless it is itself wrong.
	Copy  []string          `json:"copy,omitempty"`
	Set   map[string]string `json:"set,omitempty"`
	Drop  []string          `json:"drop,omitempty"`
	Wrong []string          `json:"wrong,omitempty"`

	// BadBitmap announces a field that is not there.
	BadBitmap bool `json:"bad_bitmap,omitempty"`
	// WrongLength changes the frame's length: "+n" or "-n" bytes, "zero" or "huge".
	WrongLength string `json:"wrong_length,omitempty"`
	Junk        string `json:"junk,omitempty"` // hexadecimal bytes before the frame
	// Duplicate sends so many copies more.
	Duplicate int `json:"duplicate,omitempty"`
	// Merge puts the copies into one write, or without copies holds the answer back until the
	// connection's next one and sends both in one write.
	Merge bool `json:"merge,omitempty"`
	// Truncate sends only so many bytes of the frame, its length included, and then does what End says.
	Truncate int      `json:"truncate,omitempty"`
	Dribble  *Dribble `json:"dribble,omitempty"`
	// End is what becomes of the connection after the answer, or with Never instead of it: "close",
	// "reset" or "stall".
	End string `json:"end,omitempty"`

	// Unsolicited sends one more message on the connection that the request came on.
	Unsolicited *Unsolicited `json:"unsolicited,omitempty"`
	// Restart drops every connection after the answer, forgets what was in memory only, and listens again.
	Restart *Restart `json:"restart,omitempty"`
}

// Wrongs are the words of Answer.Wrong: "stan" counts DE11 up by one, "mti" changes the message
// class, "terminal" the last character of DE41, "amount" adds one minor unit to DE4, "mac" and "arpc" change bits.
var Wrongs = []string{"stan", "mti", "terminal", "amount", "mac", "arpc"}

// Approve are values of an approval; empty ones are the issuer's own.
type Approve struct {
	Authorisation string   `json:"authorisation,omitempty"` // DE38
	RRN           string   `json:"rrn,omitempty"`           // DE37
	Amount        int64    `json:"amount,omitempty"`        // a partial approval, minor units
	Script        []string `json:"script,omitempty"`        // issuer script commands (C-APDUs), hexadecimal
	// BadKCV spoils the check values of the keys that a sign-on downloads.
	BadKCV bool `json:"bad_kcv,omitempty"`
}

// Dribble writes an answer in pieces.
type Dribble struct {
	Bytes int           `json:"bytes"`
	Every time.Duration `json:"every"`
}

// Unsolicited is a message that the terminal did not ask for.
type Unsolicited struct {
	// After is the time from the answer, or from the call, to the message.
	After time.Duration `json:"after,omitempty"`
	// Terminal chooses the connection by the DE41 last seen on it; not in rules, which answer where they were asked.
	Terminal string `json:"terminal,omitempty"`
	MTI      string `json:"mti"`
	// Fields are values by path. With any value in the MAC's field the message gets a MAC.
	Fields map[string]string `json:"fields,omitempty"`
}

// Restart is a host that goes away and comes back.
type Restart struct {
	Down time.Duration `json:"down"` // until it listens again
}

// ScenarioState is a named scenario and where it stands.
type ScenarioState struct {
	Name  string `json:"name"`
	State string `json:"state"`
}

// RuleUse is a rule in force and how often it was used.
type RuleUse struct {
	Rule
	Seen uint64 `json:"seen"` // messages that met all but its occurrence
	Used uint64 `json:"used"` // messages that it answered
}

// Rules are the rules in force.
type Rules struct {
	Ordered   bool                `json:"ordered,omitempty"`
	Otherwise string              `json:"otherwise"`
	Scenarios map[string][]string `json:"scenarios,omitempty"`
	Rules     []RuleUse           `json:"rules"`
	Unmatched uint64              `json:"unmatched"` // messages that no rule matched
}
