// Package dukpt derives the keys of a terminal that has a new one for every transaction (derived
// unique key per transaction), from the side that knows the base derivation key (BDK).
//
//   - TDES: ANSI X9.24-1:2009 annex A. IPEK gives a terminal's initial key, Key a transaction's key
//     for one usage. The key serial number (KSN) has 10 bytes: 59 bits of identity, 21 of counter.
//   - AES: ANSI X9.24-3:2017. InitialKey and WorkingKey do the same. The KSN has 12 bytes: 8 of
//     identity, 4 of counter.
//
// Both counters skip values with too many ones, and a counter of zero belongs to no transaction.
//
// No error carries a key or a KSN.
package dukpt

import "errors"

// Usage is what a transaction's key is for. Request is the way from terminal to host.
type Usage int

// Usages. TDES knows the first five.
const (
	PIN          Usage = iota // PIN encipherment
	MACRequest                // MAC made by the terminal (AES: MAC generation)
	MACResponse               // MAC made by the host (AES: MAC verification)
	DataRequest               // data enciphered by the terminal
	DataResponse              // data enciphered by the host
	MACBoth
	DataBoth
	KeyEncryption
)

var (
	// ErrKey means that a BDK or initial key has a wrong length: TDES takes 16 bytes, AES 16, 24 or 32.
	ErrKey = errors.New("dukpt: key of a wrong length")
	// ErrKSN means that a key serial number has a wrong length, or a counter of zero or with more
	// ones than the standard lets occur: 10 for TDES, 16 for AES.
	ErrKSN = errors.New("dukpt: bad key serial number")
	// ErrUsage means that the standard has no key of this usage.
	ErrUsage = errors.New("dukpt: no such key usage")
	// ErrType means that a working key's type is unknown or stronger than the initial key.
	ErrType = errors.New("dukpt: no such working key type under this initial key")
)
