// Package client is how a harness arms the fault injector and learns what it did: types of
// the control API and an HTTP client for it. It knows nothing of the server's inside.
package client

import "time"

// Plan is the set of faults for a scenario. Arming a plan heals every earlier fault first.
type Plan struct {
	Faults []Fault `json:"faults"`
}

// Fault is one misbehaviour of the network between terminal and host.
type Fault struct {
	// ID names the fault in events; unique in a plan.
	ID string `json:"id"`
	// Kind: "drop", "delay", "reset", "refuse".
	Kind string `json:"kind"`
	// Message selects what the fault acts on; unused by "refuse".
	Message Select `json:"message"`
	// By is how long "delay" holds the message.
	By time.Duration `json:"by,omitempty"`
}

// Select picks messages by identity, never by a packet count.
type Select struct {
	// MTI of the message, for example "0210". It implies the direction: a fault acts on the message wherever it passes.
	MTI string `json:"mti"`
	// Nth occurrence of that MTI since the plan was armed, from 1; 0 means every one.
	Nth int `json:"nth,omitempty"`
}

// Status tells what became of a fault.
type Status struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	Fired int    `json:"fired"` // how often
	// Healed is set when it no longer acts.
	Healed bool `json:"healed"`
}

// Kinds of fault this injector knows.
var Kinds = []string{"delay", "drop", "refuse", "reset"}

// Directions of a message.
const (
	FromTerminal = "terminal>host"
	FromHost     = "host>terminal"
)

// Events of the feed:
//   "opened", "closed" (connection, why)
//   "message" (connection, direction, mti, stan, fate: "passed", "dropped", "held", "reset") when its last byte was read, and
//   "delivered" (connection, direction, mti, stan, released: "healed" when healing ended its delay) when its last
//   byte was written onwards;
//   "raw" (connection, direction, why): bytes that are no message pass through untouched;
//   "unproven" (fault, kind, why): a fault that could not be shown to act;
//   "armed", "fired" (fault, kind, and for a message: direction, mti, stan), "healed" (fault).
