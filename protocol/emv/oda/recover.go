package oda

import (
	"bytes"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/hex"
	"strings"
	"time"
)

// Authority is a certification authority's key, as a terminal holds it (EMV Book 2 §11.2).
type Authority struct {
	RID    [5]byte // registered application provider: the first bytes of an AID
	Index  byte    // tag 8F on the card
	Key    PublicKey
	Expiry string // YYMM, the last month; "": none
}

// Checksum is the hash by which the key is checked when it is entered: over RID, index, modulus and exponent.
func (a Authority) Checksum() [sha1.Size]byte {
	return sha1.Sum(bytes.Join([][]byte{a.RID[:], {a.Index}, a.Key.Modulus, a.Key.ExponentBytes()}, nil))
}

// Certificate is a public key certificate with what does not fit into it.
type Certificate struct {
	Data      []byte // tag 90 or 9F46
	Remainder []byte // tag 92 or 9F48; may be empty
	Exponent  []byte // tag 9F32 or 9F47
}

// The form of recovered data: header and format at the beginning, hash and trailer at the end.
const (
	header       = 0x6A
	trailer      = 0xBC
	formatIssuer = 0x02
	formatStatic = 0x03
	formatCard   = 0x04
	formatSigned = 0x05
	sha1Hash     = 0x01
	rsaSignature = 0x01

	frameSize  = 2 + sha1.Size + 1
	issuerHead = 13 // identifier, expiry, serial, algorithms, lengths (Table 6)
	cardHead   = 19 // the same with a whole PAN (Table 14)
	identifier = 4
	panSize    = 10
	filler     = 0xBB
)

// open recovers data and checks their frame: it returns what is between format and hash, and the hash.
func (k PublicKey) open(signed []byte, format byte) (body, hash []byte, err error) {
	x, err := k.recover(signed)
	if err != nil {
		return nil, nil, err
	}
	n := len(x)
	switch {
	case x[0] != header || x[n-1] != trailer:
		return nil, nil, ErrFrame
	case x[1] != format:
		return nil, nil, ErrFormat
	}
	return x[2 : n-1-sha1.Size], x[n-1-sha1.Size : n-1], nil
}

// hashed says whether the hash is right over format, body and what follows it.
func hashed(hash []byte, format byte, parts ...[]byte) bool {
	sum := sha1.Sum(append([]byte{format}, bytes.Join(parts, nil)...))
	return subtle.ConstantTimeCompare(sum[:], hash) == 1
}

// Issuer recovers the issuer's key (EMV Book 2 §5.3 and §6.3). pan are the digits of tag 5A, month is YYMM of the
// transaction. Errors: ErrKey, ErrLength, ErrFrame, ErrFormat, ErrAlgorithm, ErrRemainder, ErrHash, ErrIdentifier, ErrExpired.
func (a Authority) Issuer(c Certificate, pan, month string) (PublicKey, error) {
	body, hash, err := a.Key.open(c.Data, formatIssuer)
	if err != nil {
		return PublicKey{}, err
	}
	key, err := keyOf(body, issuerHead, c)
	if err != nil {
		return PublicKey{}, err
	}
	if !hashed(hash, formatIssuer, body, c.Remainder, c.Exponent) {
		return PublicKey{}, ErrHash
	}
	id := strings.TrimRight(strings.ToUpper(hex.EncodeToString(body[:identifier])), "F")
	if len(id) < 3 || !strings.HasPrefix(pan, id) {
		return PublicKey{}, ErrIdentifier
	}
	return key, unexpired(body[identifier:], month)
}

// Card recovers the card's key (EMV Book 2 §6.4). static are the static data to be authenticated (Book 3 §10.3): the
// records that the AFL says, and with tag 9F4A the AIP. Errors: those of Authority.Issuer.
func (k PublicKey) Card(c Certificate, static []byte, pan, month string) (PublicKey, error) {
	body, hash, err := k.open(c.Data, formatCard)
	if err != nil {
		return PublicKey{}, err
	}
	key, err := keyOf(body, cardHead, c)
	if err != nil {
		return PublicKey{}, err
	}
	if !hashed(hash, formatCard, body, c.Remainder, c.Exponent, static) {
		return PublicKey{}, ErrHash
	}
	if strings.TrimRight(strings.ToUpper(hex.EncodeToString(body[:panSize])), "F") != pan {
		return PublicKey{}, ErrIdentifier
	}
	return key, unexpired(body[panSize:], month)
}

// keyOf puts a key together whose certificate begins with so many bytes.
func keyOf(body []byte, head int, c Certificate) (PublicKey, error) {
	if len(body) < head {
		return PublicKey{}, ErrLength
	}
	about, part := body[head-4:head], body[head:] // hash algorithm, signature algorithm, lengths of modulus and exponent
	if about[0] != sha1Hash || about[1] != rsaSignature {
		return PublicKey{}, ErrAlgorithm
	}
	size := int(about[2])
	if int(about[3]) != len(c.Exponent) || len(c.Exponent) > 3 || len(c.Remainder) != max(size-len(part), 0) {
		return PublicKey{}, ErrRemainder
	}
	key := PublicKey{Modulus: append(append([]byte{}, part[:min(size, len(part))]...), c.Remainder...)}
	for _, b := range c.Exponent {
		key.Exponent = key.Exponent<<8 | uint32(b)
	}
	if !key.valid() {
		return PublicKey{}, ErrKey
	}
	return key, nil
}

// unexpired holds an expiry MMYY against a month YYMM; both are of this century. What is no month has expired.
func unexpired(expiry []byte, month string) error {
	mmyy := hex.EncodeToString(expiry[:2])
	if _, err := time.Parse("0106", mmyy); err != nil || mmyy[2:]+mmyy[:2] < month {
		return ErrExpired
	}
	return nil
}

// VerifyStatic verifies the signed static application data, tag 93 (EMV Book 2 §5.4), and returns the data authentication code
// (9F45). k is the issuer's key. Errors: ErrKey, ErrLength, ErrFrame, ErrFormat, ErrAlgorithm, ErrHash.
func (k PublicKey) VerifyStatic(signed, static []byte) (code [2]byte, err error) {
	body, hash, err := k.open(signed, formatStatic)
	if err != nil {
		return code, err
	}
	if body[0] != sha1Hash {
		return code, ErrAlgorithm
	}
	if !hashed(hash, formatStatic, body, static) {
		return code, ErrHash
	}
	return [2]byte(body[1:3]), nil
}

// VerifyDynamic verifies the signature of INTERNAL AUTHENTICATE, tag 9F4B (EMV Book 2 §6.5.2), over the data that the DDOL
// asked for, and returns the ICC dynamic number (9F4C). k is the card's key. Errors: ErrKey, ErrLength, ErrFrame,
// ErrFormat, ErrAlgorithm, ErrHash, ErrDynamic.
func (k PublicKey) VerifyDynamic(signed, terminal []byte) (number []byte, err error) {
	dynamic, err := k.dynamic(signed, terminal)
	if err != nil {
		return nil, err
	}
	number, _, err = numbered(dynamic)
	return number, err
}

// dynamic recovers the ICC dynamic data.
func (k PublicKey) dynamic(signed, terminal []byte) ([]byte, error) {
	body, hash, err := k.open(signed, formatSigned)
	if err != nil {
		return nil, err
	}
	if body[0] != sha1Hash {
		return nil, ErrAlgorithm
	}
	if !hashed(hash, formatSigned, body, terminal) {
		return nil, ErrHash
	}
	if n := int(body[1]); n <= len(body)-2 {
		return body[2 : 2+n], nil
	}
	return nil, ErrDynamic
}

// numbered takes the ICC dynamic number, 2 to 8 bytes, off the beginning of dynamic data.
func numbered(dynamic []byte) (number, rest []byte, err error) {
	if len(dynamic) == 0 || dynamic[0] < minNumber || dynamic[0] > maxNumber || len(dynamic) < 1+int(dynamic[0]) {
		return nil, nil, ErrDynamic
	}
	return dynamic[1 : 1+dynamic[0]], dynamic[1+dynamic[0]:], nil
}

const (
	minNumber      = 2
	maxNumber      = 8
	cryptogramSize = 8
	combinedSize   = 1 + cryptogramSize + sha1.Size // behind the number
)

// Combined is what a CDA signature holds.
type Combined struct {
	Number     []byte // ICC dynamic number (9F4C)
	CID        byte   // 9F27
	Cryptogram [cryptogramSize]byte
}

// VerifyCombined verifies the signature in an answer to GENERATE AC (EMV Book 2 §6.6.2). unpredictable is tag 9F37 as the card
// got it; transaction is what TransactionData gives; cid is tag 9F27 of the answer. k is the card's key.
// Errors: those of VerifyDynamic, ErrCombined.
func (k PublicKey) VerifyCombined(signed, unpredictable, transaction []byte, cid byte) (Combined, error) {
	dynamic, err := k.dynamic(signed, unpredictable)
	if err != nil {
		return Combined{}, err
	}
	number, rest, err := numbered(dynamic)
	if err != nil {
		return Combined{}, err
	}
	if len(rest) < combinedSize { // a card may sign more behind it (Table 19)
		return Combined{}, ErrDynamic
	}
	sum := sha1.Sum(transaction)
	if rest[0] != cid || subtle.ConstantTimeCompare(sum[:], rest[1+cryptogramSize:combinedSize]) != 1 {
		return Combined{}, ErrCombined
	}
	return Combined{number, rest[0], [cryptogramSize]byte(rest[1:])}, nil
}

// TransactionData lines up what a CDA signature covers (EMV Book 2 §6.6.1): the data that the terminal sent for the PDOL, for
// CDOL1 and, with the second GENERATE AC, for CDOL2; then the objects of the answer, tag, length and value, in the order of
// the answer, without tag 9F4B.
func TransactionData(pdol, cdol1, cdol2, answer []byte) []byte {
	return bytes.Join([][]byte{pdol, cdol1, cdol2, answer}, nil)
}
