package emv

import (
	"crypto/cipher"
	"crypto/sha1"
	"encoding/hex"
	"fmt"

	"github.com/assay-hil/assay/protocol/tdes"
)

const (
	keySize      = tdes.DoubleSize
	maxPANLength = 19
	optionDigits = 16 // of PAN and sequence number that a derivation takes
)

// ICCMasterKey derives a card's key from the issuer's by EMV Book 2 A1.4.1 option A, with odd
// parity. imk has 16 bytes; psn has 2 digits, "" standing for "00". Errors: ErrKey, ErrAccount.
func ICCMasterKey(imk []byte, pan, psn string) ([]byte, error) {
	digits, err := account(pan, psn)
	if err != nil {
		return nil, err
	}
	if len(digits) > optionDigits {
		digits = digits[len(digits)-optionDigits:]
	}
	return diversify(imk, fmt.Sprintf("%0*s", optionDigits, digits))
}

// ICCMasterKeyB is ICCMasterKey by option B (A1.4.2), which differs for PANs of more than 16
// digits: of SHA-1 over PAN and sequence number the first sixteen decimal digits are taken.
// Errors: ErrKey, ErrAccount.
func ICCMasterKeyB(imk []byte, pan, psn string) ([]byte, error) {
	if len(pan) <= optionDigits {
		return ICCMasterKey(imk, pan, psn)
	}
	digits, err := account(pan, psn)
	if err != nil {
		return nil, err
	}
	if len(digits)%2 != 0 {
		digits = "0" + digits
	}
	sum := sha1.Sum(bcd(digits))
	return diversify(imk, decimalise(hex.EncodeToString(sum[:])))
}

// account is PAN‖PSN.
func account(pan, psn string) (string, error) {
	if psn == "" {
		psn = "00"
	}
	if len(pan) == 0 || len(pan) > maxPANLength || len(psn) != 2 || !decimal(pan+psn) {
		return "", ErrAccount
	}
	return pan + psn, nil
}

// decimalise takes the first sixteen decimal digits of a hash and, where it has fewer, its letters
// from the left, a as 0 to f as 5 (A1.4.2).
func decimalise(digits string) string {
	var numbers, letters []byte
	for _, c := range []byte(digits) {
		if c <= '9' {
			numbers = append(numbers, c)
		} else {
			letters = append(letters, c-'a'+'0')
		}
	}
	return string(append(numbers, letters...)[:optionDigits])
}

// diversify enciphers sixteen digits and their inverse into the halves of a card's key.
func diversify(imk []byte, digits string) ([]byte, error) {
	var y, inverse [8]byte
	copy(y[:], bcd(digits))
	for i := range y {
		inverse[i] = ^y[i]
	}
	return deriveKey(imk, y, inverse)
}

// SessionKey derives the EMV common session key of Book 2 A1.3.1, with odd parity. For
// cryptograms r is ATC‖000000000000. Error: ErrKey.
func SessionKey(icc []byte, r [8]byte) ([]byte, error) {
	left, right := sessionData(r)
	return deriveKey(icc, left, right)
}

func sessionData(r [8]byte) (left, right [8]byte) {
	left, right = r, r
	left[2], right[2] = 0xF0, 0x0F
	return left, right
}

// deriveKey enciphers two blocks into the halves of a new key and sets odd parity.
func deriveKey(key []byte, left, right [8]byte) ([]byte, error) {
	if len(key) != keySize {
		return nil, ErrKey
	}
	c, err := tdes.New(key)
	if err != nil {
		return nil, ErrKey
	}
	return deriveWith(c, left, right), nil
}

func deriveWith(key cipher.Block, left, right [8]byte) []byte {
	var derived [keySize]byte
	key.Encrypt(derived[:8], left[:])
	key.Encrypt(derived[8:], right[:])
	return tdes.OddParity(derived[:])
}

// encipher is TDES with a double-length key, one block.
func encipher(key []byte, block [8]byte) (out [8]byte, err error) {
	if len(key) != keySize {
		return out, ErrKey
	}
	enciphered, err := tdes.Encrypt(key, block[:])
	if err != nil {
		return out, ErrKey
	}
	return [8]byte(enciphered), nil
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
