// Package pin builds and opens PIN blocks: the formats 0, 1, 3 and 4 of ISO 9564-1, enciphered with
// TDES or, format 4, with AES. Seal and Open know all of them; EncodeISO0, DecodeISO0, Encrypt and
// Decrypt are the steps of format 0 under a double-length key.
//
// A PIN or a PAN is never part of an error: errors say what kind of thing was wrong, nothing else.
package pin

import (
	"errors"

	"github.com/assay-hil/assay/protocol/tdes"
)

// Limits of the inputs. PIN lengths are those of ISO 9564-1; PANs of 13 to 19 digits are the ones
// that have twelve digits left of the check digit.
const (
	MinPINLength = 4
	MaxPINLength = 12
	MinPANLength = 13
	MaxPANLength = 19
	KeySize      = tdes.DoubleSize // bytes of a double-length TDES key, parity bits included
)

var (
	// ErrPIN means that a PIN to encode is not 4 to 12 decimal digits.
	ErrPIN = errors.New("pin: PIN is not 4 to 12 digits")
	// ErrPAN means that a PAN is not 13 to 19 decimal digits.
	ErrPAN = errors.New("pin: PAN is not 13 to 19 digits")
	// ErrBlock means that a block, opened with the PAN, is none of the format: wrong length, control
	// field, PIN length, digit or fill. A wrong key or a wrong PAN mostly ends here.
	ErrBlock = errors.New("pin: not a PIN block of the format")
	// ErrKey means that a key's length does not suit the format's cipher.
	ErrKey = errors.New("pin: key of a wrong length for the PIN block format")
)

const fill = 0xF // fill digit of the PIN field

// EncodeISO0 returns the clear PIN block of ISO 9564-1 format 0: the PIN field (control 0,
// length, PIN, fill F) XOR the account field (0000 and the twelve rightmost PAN digits before the
// check digit). Errors: ErrPIN, ErrPAN.
func EncodeISO0(pin, pan string) ([8]byte, error) {
	if len(pin) < MinPINLength || len(pin) > MaxPINLength || !decimal(pin) {
		return [8]byte{}, ErrPIN
	}
	account, err := accountField(pan)
	if err != nil {
		return [8]byte{}, err
	}
	return xor(pinField(Format0, pin, make([]byte, blockSize)), account), nil
}

// DecodeISO0 returns the PIN of a clear format 0 block. Errors: ErrPAN, and ErrBlock when what
// comes out is not a PIN field.
func DecodeISO0(block [8]byte, pan string) (string, error) {
	account, err := accountField(pan)
	if err != nil {
		return "", err
	}
	return decodeField(Format0, unpack(xor(block, account)))
}

// Encrypt enciphers one block with TDES in ECB mode under the 16-byte key K1‖K2, used as
// K1, K2, K1. Parity bits of the key are ignored. Error: ErrKey.
func Encrypt(key []byte, block [8]byte) ([8]byte, error) {
	return ecb(tdes.Encrypt, key, block)
}

// Decrypt undoes Encrypt. Error: ErrKey.
func Decrypt(key []byte, block [8]byte) ([8]byte, error) {
	return ecb(tdes.Decrypt, key, block)
}

func ecb(step func(key, data []byte) ([]byte, error), key []byte, block [8]byte) ([8]byte, error) {
	if len(key) != KeySize {
		return [8]byte{}, ErrKey
	}
	out, err := step(key, block[:])
	if err != nil {
		return [8]byte{}, ErrKey
	}
	return [8]byte(out), nil
}

// accountField is 0000 and the twelve rightmost digits of the PAN without its check digit.
func accountField(pan string) ([8]byte, error) {
	if len(pan) < MinPANLength || len(pan) > MaxPANLength || !decimal(pan) {
		return [8]byte{}, ErrPAN
	}
	var nibbles [16]byte
	for i := range 12 {
		nibbles[4+i] = pan[len(pan)-13+i] - '0'
	}
	return pack(nibbles), nil
}

func decimal(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func pack(nibbles [16]byte) (b [8]byte) {
	for i := range b {
		b[i] = nibbles[2*i]<<4 | nibbles[2*i+1]
	}
	return b
}

func unpack(b [8]byte) (nibbles [16]byte) {
	for i, v := range b {
		nibbles[2*i], nibbles[2*i+1] = v>>4, v&0xF
	}
	return nibbles
}

func xor(a, b [8]byte) (c [8]byte) {
	for i := range c {
		c[i] = a[i] ^ b[i]
	}
	return c
}
