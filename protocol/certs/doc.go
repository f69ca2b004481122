// Package certs makes test certificates (X.509 v3, RFC 5280; ECDSA on P-256): an authority that a
// terminal is told to trust, certificates of hosts and clients under it, and certificates that are
// wrong in one stated way, so that it can be seen whether a terminal refuses them.
//
// Nothing here reads the clock: every validity is relative to a given time, so it holds under
// virtual time as well. Keys and serial numbers are random and differ from run to run.
//
// An authority of this package is for test benches. Its key lies unencrypted in a file when it is
// kept, and who has it can speak for every host to whoever trusts it.
package certs

import (
	"errors"
	"time"
)

// Flaw is what is wrong with a certificate, on purpose. Exactly one thing is: a certificate with a
// flaw would be good without it.
type Flaw string

// The flaws.
const (
	// None is a good certificate.
	None Flaw = ""
	// Expired ended Margin ago.
	Expired Flaw = "expired"
	// NotYet begins in Margin.
	NotYet Flaw = "not-yet-valid"
	// WrongHost is for Elsewhere and no other host.
	WrongHost Flaw = "wrong-host"
	// UnknownCA is signed by an authority that nobody was told to trust. The signer has a name of
	// its own, so that not even its name is known.
	UnknownCA Flaw = "unknown-ca"
)

// Flaws are the names of the flaws, None apart.
var Flaws = []string{string(Expired), string(NotYet), string(WrongHost), string(UnknownCA)}

// Validity of what is made, relative to the time given.
const (
	// Margin is how far an expired or not yet valid certificate is off. It is more than time
	// zones and careless clocks are.
	Margin = 48 * time.Hour
	// Backdate is how long a good certificate has been valid already: a terminal's clock may be
	// behind that much.
	Backdate = 24 * time.Hour
	// LeafLife is how long a certificate of a host or a client is valid from Backdate on.
	LeafLife = 90 * 24 * time.Hour
	// AuthorityLife is how long an authority is valid; it began Margin and LeafLife ago, before
	// anything that it signs.
	AuthorityLife = 10 * 365 * 24 * time.Hour
)

// Elsewhere is the host that a certificate with WrongHost is for. Names under "invalid" exist
// nowhere (RFC 6761, 6.4).
const Elsewhere = "elsewhere.invalid"

// MaxHosts are in one certificate.
const MaxHosts = 64

// The kinds of error of this package.
var (
	// ErrFlaw: a flaw is unknown or makes no sense for the kind of certificate.
	ErrFlaw = errors.New("certs: flaw")
	// ErrHost: a certificate is asked for no host, for too many, or for what is no host.
	ErrHost = errors.New("certs: host")
	// ErrFiles: the files of a kept authority cannot be used.
	ErrFiles = errors.New("certs: files of the authority")
)
