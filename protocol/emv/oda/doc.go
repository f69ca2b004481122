// Package oda is offline data authentication (EMV Book 2 §5 and §6): a certification authority signs an issuer's key,
// the issuer signs the card's data (SDA) or the card's key, and the card signs what the terminal gives it (DDA) and its
// own cryptogram (CDA). Both sides are here, each from the book: what a card and its issuer make, and what a terminal
// recovers and verifies.
//
//	terminal                          card, issuer, authority
//	Authority.Issuer   tags 90 92 9F32   CertifyIssuer
//	VerifyStatic       tag 93            SignStatic
//	Card               tags 9F46 9F48 9F47   CertifyCard
//	VerifyDynamic      tag 9F4B          SignDynamic
//	VerifyCombined     tag 9F4B          SignCombined
//
// The RSA of EMV has message recovery and no padding known to crypto/rsa, so it is computed with math/big: not in
// constant time, which is no loss, since all keys are test keys.
//
// No error of this package carries a byte of what was verified.
package oda
