// Package tlswire is the injector's end of TLS between terminal and injector: it ends the
// terminal's TLS (1.2 and 1.3, RFC 5246 and 8446), so that the injector behind it sees plain
// messages, and it breaks TLS on purpose: certificates that must be refused, alerts, a handshake
// that stops, a record that was tampered with.
//
// An Endpoint wraps any listener, TCP or in memory; what it accepts does its handshake at the
// first Read or Write, so that accepting waits for nobody. There are no session tickets: every
// connection is shown the certificate anew. Faults are armed and healed at run time and act on
// handshakes and records that begin after that, except that healing lets stalled handshakes go on
// at once.
//
// # Events
//
// "armed", "fired", "healed" (fault, kind); "fired" with uplink and peer. A certificate with a flaw has
// fired when the terminal was shown it. "handshake" (uplink, peer, outcome, version, name, fault, why)
// tells how one ended: with outcome "completed" and a certificate fault, the terminal accepted what it
// had to refuse. "alert" (uplink, peer, why) when the terminal ends an established connection with an
// alert; after corrupted-record it has to be bad_record_mac. Uplink is the one dialled, peer the
// terminal's address, name the server name it asked for.
package tlswire

import (
	"errors"
	"time"
)

// Limits of an endpoint.
const (
	// HandshakeLimit bounds a handshake; the time that a fault stalls it does not count.
	HandshakeLimit = 30 * time.Second
	// MaxStall is the longest that a handshake is stalled.
	MaxStall = 10 * time.Minute
	// MaxFaults are armed at the same time.
	MaxFaults = 64
	// closeLimit bounds the goodbye (close_notify) to a terminal that does not read.
	closeLimit = 200 * time.Millisecond
	// maxID is the length of a fault's ID, maxName that of a server name in an event.
	maxID   = 64
	maxName = 253
	// maxEarly is how much a terminal may send while its handshake is stalled.
	maxEarly = 16 << 10
)

// The kinds of error of this package.
var (
	// ErrConfig: an endpoint cannot be made as configured.
	ErrConfig = errors.New("tlswire: config")
	// ErrFault: faults cannot be armed as they are; those before stay in force.
	ErrFault = errors.New("tlswire: fault")
	// ErrHandshake: the handshake ended without a connection. It hides io.EOF: a terminal that
	// left in the handshake is not at the orderly end of its stream.
	ErrHandshake = errors.New("tlswire: handshake")
)
