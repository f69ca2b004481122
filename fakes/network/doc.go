// Package network is the fault injector between a terminal and its host: a proxy that knows
// where a message begins and ends and what it is called, and otherwise touches nothing. Without
// a plan every byte passes as it came. A plan's faults pick messages by MTI and occurrence,
// never by packet or time, so a plan does the same in every run; each fault reports every time
// that it acted, because a fault that never acted proves nothing.
//
// What the proxy promises about the wire itself: the two directions are independent; a half-close
// passes on without ending the other direction; a reset by one side reaches the other as a reset;
// a frame goes on when its last byte was read (a half-sent one stays in the proxy until its
// sender goes on or closes); frames that nobody can identify pass, with an event; after a
// length that the framing does not allow everything passes byte by byte; when the host can't
// be reached the terminal's connection is closed, with an event.
//
// Healing never waits for a peer: messages held are let go, and a closed port listens again.
//
// # Events
//
// Those of package client, and: "raw" (connection, direction, why) when bytes pass that are not
// a message; "unproven" (fault, kind, why) when a fault tried to act and could not show that it
// did. "closed" has a field error when the host could not be reached. The connection is a number
// from 1 in order of acceptance.
package network

import "time"

// Limits of an injector.
const (
	// MaxConnections are open at the same time; a further one is closed at once.
	MaxConnections = 64
	// DialLimit bounds the way to the host.
	DialLimit = 5 * time.Second
	// MaxFaults are in a plan, MaxDelay is the longest that one holds a message.
	MaxFaults = 64
	MaxDelay  = 10 * time.Minute
	// maxName is the length of a fault's ID.
	maxName = 64
	// maxPlanBytes is the length of a plan's JSON.
	maxPlanBytes = 64 << 10
	// proofLimit bounds the attempts to show that a closed port refuses, proofPause lies
	// between them; healing waits proofGrace for one that is still in the air.
	proofLimit = 2 * time.Second
	proofPause = 20 * time.Millisecond
	proofGrace = time.Second
	// rawChunk is how much passes at a time when frames are no longer known.
	rawChunk = 16 << 10
)
