// Package dns is a small name server (RFC 1035, UDP and TCP) for terminals that dial by name. It
// knows the few names of a bench and nothing else, and answers wrongly, late or not at all when
// it is told to.
//
// It answers A and AAAA questions; a known name has no records of other types. It asks nobody.
// Nothing in a query but its header and its one question is looked at.
//
// # Events
//
// "armed", "fired", "healed" (fault, kind); "fired" also with name, type and peer, when the wrong
// answer was given or withheld. "query" (name, type, peer, result) for every question: result is
// the response code in the words of RFC 1035, "silence" for none. "dropped" (why, peer) for what
// is not answered because it is no query or there are too many.
package dns

import (
	"errors"
	"time"
)

// Limits of a server.
const (
	// MaxNames are known, each with at most MaxAddresses, so that every answer fits into 512
	// bytes (RFC 1035, 4.2.1).
	MaxNames     = 256
	MaxAddresses = 8
	// MaxFaults are armed at the same time.
	MaxFaults = 64
	// MaxDelay is the longest that an answer is late.
	MaxDelay = 10 * time.Minute
	// MaxPending questions over UDP wait for their answers at the same time; more are dropped.
	MaxPending = 256
	// MaxConnections are open over TCP at the same time; a further one is closed at once.
	MaxConnections = 64
	// IdleLimit is how long a TCP connection may lie idle, or its reader not read.
	IdleLimit = 30 * time.Second
	// DefaultTTL is how long a resolver may keep an answer, in seconds.
	DefaultTTL = 60
	// maxID is the length of a fault's ID, maxQuery that of a query.
	maxID    = 64
	maxQuery = 4096
)

// The kinds of error of this package.
var (
	// ErrConfig: a server cannot be made as configured.
	ErrConfig = errors.New("dns: config")
	// ErrFault: faults cannot be armed as they are; those before stay in force.
	ErrFault = errors.New("dns: fault")
)
