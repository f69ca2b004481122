// Package client is how a harness arms the fault injector and learns what it did: types of
// the control API, the vocabulary of faults, and an HTTP client. It knows nothing of the server's
// inside.
package client

import "time"

// Plan is the set of faults for a scenario. Arming a plan heals every earlier fault first.
type Plan struct {
	// Seed decides faults that act with a probability; with 0 the injector takes one of its own and
	// tells it in the event "armed" and in Status.
	Seed   int64   `json:"seed,omitempty" yaml:"seed"`
	Faults []Fault `json:"faults" yaml:"faults,required"`
}

// Fault is one misbehaviour of the network between terminal and host. Which of the parameters
// (from By on) a kind takes, and what they mean to it, is in Vocabulary. Durations are
// nanoseconds in JSON and words such as 1m30s in YAML.
type Fault struct {
	// ID names the fault in events; unique in a plan.
	ID string `json:"id" yaml:"id,required"`
	// Kind is one of Kinds.
	Kind string `json:"kind" yaml:"kind,required"`
	// Uplink is the name of the one that it acts on; "" is every one.
	Uplink string `json:"uplink,omitempty" yaml:"uplink"`
	// Message selects what the fault acts on.
	Message Select `json:"message" yaml:"message"`
	// Probability with which it acts where it could, 0 to 1; 0 is always, as 1 is.
	Probability float64 `json:"probability,omitempty" yaml:"probability"`
	// Schedule is when it acts; nil is from arming to healing.
	Schedule *Schedule `json:"schedule,omitempty" yaml:"schedule"`

	By      time.Duration `json:"by,omitempty" yaml:"by"`
	Pause   time.Duration `json:"pause,omitempty" yaml:"pause"`
	Times   int           `json:"times,omitempty" yaml:"times"`
	Bytes   int           `json:"bytes,omitempty" yaml:"bytes"`
	Field   string        `json:"field,omitempty" yaml:"field"`
	Value   string        `json:"value,omitempty" yaml:"value"`
	At      string        `json:"at,omitempty" yaml:"at"`
	Mask    string        `json:"mask,omitempty" yaml:"mask"`
	Then    string        `json:"then,omitempty" yaml:"then"`
	Length  string        `json:"length,omitempty" yaml:"length"`
	Junk    string        `json:"junk,omitempty" yaml:"junk"`
	When    string        `json:"when,omitempty" yaml:"when"`
	Towards string        `json:"towards,omitempty" yaml:"towards"`
	Old     string        `json:"old,omitempty" yaml:"old"`
}

// Select picks messages by identity, never by a packet count. What is given must all hold. Without
// MTI nothing of it but Nth may be given, and it picks connections when they are accepted.
type Select struct {
	// MTI of the message, for example "0210"; "?" stands for any digit. A fault acts on the message
	// wherever it passes, unless Direction says otherwise.
	MTI string `json:"mti,omitempty" yaml:"mti"`
	// Direction is FromTerminal, FromHost, or "" for both.
	Direction string `json:"direction,omitempty" yaml:"direction"`
	// STAN is field 11 as the message has it.
	STAN string `json:"stan,omitempty" yaml:"stan"`
	// Fields are patterns by path ("39", "60.batch", "55.9F26"): "?" is any character, "*" any rest.
	Fields map[string]string `json:"fields,omitempty" yaml:"fields"`
	// Nth of what the rest picks since the plan was armed, from 1; 0 means every one.
	Nth int `json:"nth,omitempty" yaml:"nth"`
}

// Schedule is when a fault acts, counted from arming: from From (0: at once) until Until (0: until
// healed), and of each Every (0: all the time) only the first For.
type Schedule struct {
	From  time.Duration `json:"from,omitempty" yaml:"from"`
	Until time.Duration `json:"until,omitempty" yaml:"until"`
	Every time.Duration `json:"every,omitempty" yaml:"every"`
	For   time.Duration `json:"for,omitempty" yaml:"for"`
}

// Status tells what became of a fault.
type Status struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	Fired int    `json:"fired"` // how often it acted
	// Unproven is how often it tried to act and could not show that it did.
	Unproven int `json:"unproven,omitempty"`
	// Healed is set when it no longer acts.
	Healed bool `json:"healed"`
	// Seed is the plan's, where a fault with a probability needs it.
	Seed int64 `json:"seed,omitempty"`
}

// Directions of a message.
const (
	FromTerminal = "terminal>host"
	FromHost     = "host>terminal"
)

// Sides of the injector.
const (
	Terminal = "terminal"
	Host     = "host"
)

// Events of the feed. Each of a connection has "uplink" and "connection"; each of a message besides
// "direction", "mti", "stan".
//   "opened", "closed" (why);
//   "message" (fate) when its last byte was read: "passed", "dropped", "held" (by delay), the kind of the
//   fault that took or changed it, or "lost" when a fault has ended the side that it is for, and
//   "delivered" (released: "healed" when healing ended its wait; changed: the kind of the fault that changed its
//   bytes) just before its last byte is written onwards; its identity is that which it came with; and
//   "undelivered" when that write failed;
//   "raw" (direction, why): bytes that are no message pass through untouched;
//   "armed" (fault, kind, seed), "fired", "unproven" (why), "healed" (fault, kind).
