package oda

import "errors"

// Why an authentication failed. A terminal treats them all alike (EMV Book 3 §10.3); a test wants to know.
var (
	ErrKey        = errors.New("oda: not an RSA key of EMV")
	ErrLength     = errors.New("oda: signed data are not as long as the key")
	ErrFrame      = errors.New("oda: recovered data have not header 6A and trailer BC")
	ErrFormat     = errors.New("oda: recovered data are of another format")
	ErrHash       = errors.New("oda: wrong hash")
	ErrAlgorithm  = errors.New("oda: unknown hash or signature algorithm")
	ErrIdentifier = errors.New("oda: certificate is for another card number")
	ErrExpired    = errors.New("oda: certificate has expired")
	ErrRemainder  = errors.New("oda: key remainder or exponent does not fit the certificate")
	ErrDynamic    = errors.New("oda: malformed dynamic data")
	ErrCombined   = errors.New("oda: signature is over another cryptogram type or other transaction data")
	ErrArgument   = errors.New("oda: can't be put into a certificate")
)
