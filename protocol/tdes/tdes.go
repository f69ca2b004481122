// Package tdes is the Triple Data Encryption Algorithm as payment keys use it: ECB mode (NIST SP
// 800-67, ISO/IEC 18033-3) with keys of one, two or three parts of 8 bytes, key check values and
// odd parity (ANSI X9.24-1, ISO 11568-2).
//
// No error carries a key or data.
package tdes

import (
	"crypto/cipher"
	"crypto/des"
	"errors"
	"math/bits"
)

// BlockSize is the number of bytes in a block.
const BlockSize = des.BlockSize

// Sizes of keys, in bytes with their parity bits.
const (
	SingleSize = 8  // K1: single DES
	DoubleSize = 16 // K1‖K2, used as K1, K2, K1
	TripleSize = 24 // K1‖K2‖K3
)

// Lengths of a key check value in bytes.
const (
	MinKCV = 3
	MaxKCV = BlockSize
)

var (
	// ErrKey means that a key has not 8, 16 or 24 bytes.
	ErrKey = errors.New("tdes: a key has 8, 16 or 24 bytes")
	// ErrBlock means that data are no whole number of blocks.
	ErrBlock = errors.New("tdes: data are no whole number of 8-byte blocks")
	// ErrKCV means that a key check value of fewer than 3 or more than 8 bytes was asked for.
	ErrKCV = errors.New("tdes: a key check value has 3 to 8 bytes")
)

// New returns the cipher of a key of 8, 16 or 24 bytes. Parity bits are ignored. Error: ErrKey.
func New(key []byte) (cipher.Block, error) {
	var triple [TripleSize]byte
	var c cipher.Block
	var err error
	switch len(key) {
	case SingleSize:
		c, err = des.NewCipher(key)
	case DoubleSize:
		copy(triple[copy(triple[:], key):], key[:SingleSize])
		c, err = des.NewTripleDESCipher(triple[:])
	case TripleSize:
		c, err = des.NewTripleDESCipher(key)
	default:
		return nil, ErrKey
	}
	if err != nil {
		return nil, ErrKey // the cause is not wrapped: no error of this package depends on the key
	}
	return c, nil
}

// Encrypt enciphers whole blocks in ECB mode. The result is a new slice. Errors: ErrKey, ErrBlock.
func Encrypt(key, data []byte) ([]byte, error) {
	c, err := New(key)
	if err != nil {
		return nil, err
	}
	return ecb(c.Encrypt, data)
}

// Decrypt undoes Encrypt. Errors: ErrKey, ErrBlock.
func Decrypt(key, data []byte) ([]byte, error) {
	c, err := New(key)
	if err != nil {
		return nil, err
	}
	return ecb(c.Decrypt, data)
}

func ecb(step func(dst, src []byte), data []byte) ([]byte, error) {
	if len(data)%BlockSize != 0 {
		return nil, ErrBlock
	}
	out := make([]byte, len(data))
	for i := 0; i < len(data); i += BlockSize {
		step(out[i:i+BlockSize], data[i:i+BlockSize])
	}
	return out, nil
}

// KCV returns the key check value: the n leftmost bytes of eight zero bytes enciphered under the
// key (ANSI X9.24-1 §7.2). Three bytes are common; UnionPay sends four. Errors: ErrKey, ErrKCV.
func KCV(key []byte, n int) ([]byte, error) {
	if n < MinKCV || n > MaxKCV {
		return nil, ErrKCV
	}
	block, err := Encrypt(key, make([]byte, BlockSize))
	if err != nil {
		return nil, err
	}
	return block[:n:n], nil
}

// OddParity returns a copy of a key in which every byte has an odd number of ones; its lowest
// bits are changed where they were wrong.
func OddParity(key []byte) []byte {
	adjusted := make([]byte, len(key))
	for i, b := range key {
		if bits.OnesCount8(b)%2 == 0 {
			b ^= 1
		}
		adjusted[i] = b
	}
	return adjusted
}
