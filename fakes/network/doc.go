// Package network is the fault injector between terminals and their host: a proxy that knows
// where a message begins and ends and what it is called, and otherwise touches nothing. Without
// a plan every byte passes as it came. A plan's faults pick messages by what they are (MTI, STAN,
// fields) and their occurrence, never by packet or time, so a plan does the same in every run; each
// fault reports every time that it acted, because a fault that never acted proves nothing. What
// faults there are says client.Vocabulary.
//
// What the proxy promises about the wire itself: the two directions are independent; a half-close
// passes on without ending the other direction; a reset by one side reaches the other as a reset;
// a frame goes on when its last byte was read (a half-sent one stays in the proxy until its
// sender goes on or closes); frames that nobody can identify pass, with an event; after a
// length that the framing does not allow everything passes byte by byte; when the host can't
// be reached the terminal's connection is closed, with an event.
//
// Healing never waits for a peer: messages held are let go, a closed port listens again, and a
// connection of which a fault has taken one side ends.
//
// # Events
//
// Those of package client, and: "raw" (connection, direction, why) when bytes pass that are not
// a message; "unproven" (fault, kind, why) when a fault tried to act and could not show that it
// did. "closed" has a field error when the host could not be reached. The connection is a number
// from 1 in order of acceptance, over all uplinks.
package network

import "time"

// Limits of an injector.
const (
	// MaxConnections are open at the same time; a further one is closed at once.
	MaxConnections = 1024
	// DialLimit bounds the way to the host.
	DialLimit = 5 * time.Second
	// MaxFaults are in a plan, MaxDelay is the longest that one holds a message, MaxTimes how often at
	// most it repeats something.
	MaxFaults = 256
	MaxDelay  = 10 * time.Minute
	MaxTimes  = 1000
	// maxName is the length of a fault's ID.
	maxName = 64
	// maxText is the length of a parameter's text.
	maxText = 2048
	// maxPlanBytes is the length of a plan's JSON.
	maxPlanBytes = 256 << 10
	// maxLate is how many messages of one direction are late at the same time.
	maxLate = 64
	// proofLimit bounds the attempts to show that a closed port refuses, proofPause lies
	// between them; healing waits proofGrace for one that is still in the air.
	proofLimit = 2 * time.Second
	proofPause = 20 * time.Millisecond
	proofGrace = time.Second
	// drainLimit bounds the wait until what was written before a reset has arrived, drainPause lies
	// between two looks.
	drainLimit = time.Second
	drainPause = time.Millisecond
	// closeGrace is how long a side that a fault has closed in order may go on sending.
	closeGrace = time.Second
	// bufferSize is what a direction reads at a time, and the longest frame that it has room for
	// without growing.
	bufferSize = 16 << 10
	// seenAtOnce is for how many messages a direction makes records at a time.
	seenAtOnce = 32
	// smallWindow is the receive buffer asked for on a connection that nobody will read.
	smallWindow = 4 << 10
	// minPeriod is the shortest of a schedule.
	minPeriod = 10 * time.Millisecond
	// splitPause and dribblePause lie between the pieces of a message, where the plan says nothing.
	splitPause   = 200 * time.Millisecond
	dribblePause = 10 * time.Millisecond
)
