package emv

import (
	"crypto/des"
	"crypto/subtle"
	"errors"
	"fmt"
	"math/bits"
)

const (
	keySize       = 16 // double-length TDES key
	maxPANLength  = 19
	iadLength     = 7 // issuer application data, with its own length byte
	cvnOffset     = 2
	cvrOffset     = 3
	iadBodyLength = 0x06
	cvn10         = 0x0A
)

var (
	// ErrCryptogram means that a cryptogram does not fit its data.
	ErrCryptogram = errors.New("emv: wrong cryptogram")
	// ErrKey means that a key is not 16 bytes long.
	ErrKey = errors.New("emv: key is not a double-length TDES key")
	// ErrAccount means that a PAN is not 1 to 19 digits or a sequence number not 2 digits.
	ErrAccount = errors.New("emv: bad PAN or PAN sequence number")
	// ErrElement means that a data element is missing or malformed; see ElementError.
	ErrElement = errors.New("emv: data element missing or malformed")
)

// ElementError names the data element that a cryptogram can't do without. It unwraps to
// ErrElement.
type ElementError struct{ Tag uint32 }

func (e *ElementError) Error() string { return fmt.Sprintf("%v: tag %X", ErrElement, e.Tag) }

// Unwrap returns ErrElement.
func (e *ElementError) Unwrap() error { return ErrElement }

// ICCMasterKey derives a card's key from the issuer's by EMV Book 2 A1.4.1 option A, with odd
// parity. imk has 16 bytes; psn has 2 digits, "" standing for "00". Errors: ErrKey, ErrAccount.
func ICCMasterKey(imk []byte, pan, psn string) ([]byte, error) {
	if psn == "" {
		psn = "00"
	}
	if len(pan) == 0 || len(pan) > maxPANLength || len(psn) != 2 || !decimal(pan+psn) {
		return nil, ErrAccount
	}
	digits := pan + psn
	if len(digits) > 16 {
		digits = digits[len(digits)-16:]
	}
	var y, inverse [8]byte
	copy(y[:], bcd(fmt.Sprintf("%016s", digits)))
	for i := range y {
		inverse[i] = ^y[i]
	}
	return deriveKey(imk, y, inverse)
}

// SessionKey derives the EMV common session key of Book 2 A1.3.1, with odd parity. For
// cryptograms r is ATC‖000000000000. Error: ErrKey.
func SessionKey(icc []byte, r [8]byte) ([]byte, error) {
	left, right := r, r
	left[2], right[2] = 0xF0, 0x0F
	return deriveKey(icc, left, right)
}

// Cryptogram computes an application cryptogram: ISO/IEC 9797-1 MAC algorithm 3 with DES and
// padding method 2, 8 bytes (EMV Book 2 A1.2.1). sk has 16 bytes. Error: ErrKey.
func Cryptogram(sk, data []byte) ([8]byte, error) {
	var mac [8]byte
	if len(sk) != keySize {
		return mac, ErrKey
	}
	left, err := des.NewCipher(sk[:8])
	if err != nil {
		return mac, ErrKey
	}
	right, err := des.NewCipher(sk[8:])
	if err != nil {
		return mac, ErrKey
	}
	padded := append(append(make([]byte, 0, len(data)+8), data...), 0x80)
	for len(padded)%8 != 0 {
		padded = append(padded, 0)
	}
	for ; len(padded) > 0; padded = padded[8:] {
		subtle.XORBytes(mac[:], mac[:], padded[:8])
		left.Encrypt(mac[:], mac[:])
	}
	right.Decrypt(mac[:], mac[:])
	left.Encrypt(mac[:], mac[:])
	return mac, nil
}

// ResponseCryptogram computes the issuer's answer, ARPC method 1 (EMV Book 2 §8.2.1): the
// request cryptogram XOR the response code (two ASCII characters, then zeros), enciphered under
// sk. Field 91 of the reply is this cryptogram followed by arc. Error: ErrKey.
func ResponseCryptogram(sk []byte, ac [8]byte, arc [2]byte) ([8]byte, error) {
	ac[0] ^= arc[0]
	ac[1] ^= arc[1]
	return encipher(sk, ac)
}

// CryptogramData lines up what a cryptogram covers (see the package documentation): elements of l
// and the CVR in iad, the card's issuer application data (9F10). Error: *ElementError.
func CryptogramData(l List, iad []byte) ([]byte, error) {
	elements := [...]DOLEntry{
		{TagAmount, 6}, {TagAmountOther, 6}, {TagTerminalCountry, 2}, {TagTVR, 5}, {TagCurrency, 2},
		{TagDate, 3}, {TagType, 1}, {TagUnpredictable, 4}, {TagAIP, 2}, {TagATC, 2},
	}
	var data []byte
	for _, e := range elements {
		value, err := l.element(e.Tag, e.Length)
		if err != nil {
			return nil, err
		}
		data = append(data, value...)
	}
	if len(iad) != iadLength || iad[0] != iadBodyLength || iad[cvnOffset] != cvn10 {
		return nil, &ElementError{TagIAD}
	}
	return append(data, iad[cvrOffset:]...), nil
}

// VerifyARQC recomputes the request cryptogram (9F26) of field 55. It returns the session key,
// for ResponseCryptogram, and the cryptogram. imk is the issuer master key, psn as in
// ICCMasterKey. Errors: ErrCryptogram when the cryptogram is wrong, *ElementError when something
// is missing or malformed, ErrKey, ErrAccount; key and cryptogram are zero then.
func VerifyARQC(imk []byte, pan, psn string, de55 List) (sk []byte, ac [8]byte, err error) {
	given, err := de55.element(TagCryptogram, len(ac))
	if err != nil {
		return nil, ac, err
	}
	iad, _ := de55.Find(TagIAD)
	data, err := CryptogramData(de55, iad)
	if err != nil {
		return nil, ac, err
	}
	icc, err := ICCMasterKey(imk, pan, psn)
	if err != nil {
		return nil, ac, err
	}
	atc, err := de55.element(TagATC, 2)
	if err != nil {
		return nil, ac, err
	}
	sk, want, err := seal(icc, [2]byte(atc), data)
	if err != nil {
		return nil, ac, err
	}
	if subtle.ConstantTimeCompare(given, want[:]) != 1 {
		return nil, ac, ErrCryptogram
	}
	return sk, want, nil
}

// seal computes a cryptogram and the session key that it was made with.
func seal(icc []byte, atc [2]byte, data []byte) (sk []byte, ac [8]byte, err error) {
	sk, err = SessionKey(icc, [8]byte{atc[0], atc[1]})
	if err != nil {
		return nil, ac, err
	}
	ac, err = Cryptogram(sk, data)
	return sk, ac, err
}

// element finds a data element of one exact length.
func (l List) element(tag uint32, length int) ([]byte, error) {
	value, ok := l.Find(tag)
	if !ok || len(value) != length {
		return nil, &ElementError{tag}
	}
	return value, nil
}

// deriveKey enciphers two blocks into the halves of a new key and sets odd parity.
func deriveKey(key []byte, left, right [8]byte) ([]byte, error) {
	l, err := encipher(key, left)
	if err != nil {
		return nil, err
	}
	r, err := encipher(key, right)
	if err != nil {
		return nil, err
	}
	derived := append(l[:], r[:]...)
	for i, b := range derived {
		if bits.OnesCount8(b)%2 == 0 {
			derived[i] ^= 1
		}
	}
	return derived, nil
}

// encipher is TDES with a double-length key, one block.
func encipher(key []byte, block [8]byte) (out [8]byte, err error) {
	if len(key) != keySize {
		return out, ErrKey
	}
	triple := append(append(make([]byte, 0, 24), key...), key[:8]...)
	c, err := des.NewTripleDESCipher(triple)
	if err != nil {
		return out, ErrKey
	}
	c.Encrypt(out[:], block[:])
	return out, nil
}

func decimal(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// bcd packs digits (and the separator 'D' or fill 'F') two a byte, with a trailing F when their
// number is odd.
func bcd(digits string) []byte {
	if len(digits)%2 != 0 {
		digits += "F"
	}
	out := make([]byte, len(digits)/2)
	for i := range out {
		out[i] = nibble(digits[2*i])<<4 | nibble(digits[2*i+1])
	}
	return out
}

func nibble(c byte) byte {
	if c >= 'A' {
		return c - 'A' + 10
	}
	return c - '0'
}
