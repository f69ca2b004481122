// Package mac computes the message authentication codes that ISO 8583 hosts use, each as the
// eight bytes that field 64 or 128 holds.
//
//	unionpay-ecb  UnionPay terminal specification (Q/CUP 009): the 8-byte blocks of the data are
//	              XORed together; the sixteen hexadecimal digits of the result are enciphered in
//	              two halves, the second XORed with the first's cipher; the first eight
//	              hexadecimal digits of that are the MAC, as ASCII characters
//	x9.9          ANSI X9.9, ISO/IEC 9797-1 MAC algorithm 1: CBC with DES, or with TDES where the
//	              key has two or three parts
//	x9.19         ANSI X9.19, ISO/IEC 9797-1 MAC algorithm 3 with a key of two parts
//	x9.19-32      the same, of which the four leftmost bytes are sent, followed by zeros
//	cmac          NIST SP 800-38B with AES, the eight leftmost bytes
//	cmac-tdes     NIST SP 800-38B with TDES
//
// All but the last two pad data with zero bytes to whole blocks (ISO/IEC 9797-1 padding method 1);
// no data at all are one block of zeros.
package mac

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"github.com/assay-hil/assay/protocol/tdes"
)

// Size is the number of bytes of every MAC.
const Size = 8

// Significant bytes of x9.19-32.
const shortSize = 4

// Algorithms by name.
const (
	UnionPayECB = "unionpay-ecb"
	X99         = "x9.9"
	X919        = "x9.19"
	X919Short   = "x9.19-32"
	CMAC        = "cmac"
	CMACTDES    = "cmac-tdes"
)

// Names are the algorithms' names, in the order of the package documentation. It is not to be
// changed.
var Names = []string{UnionPayECB, X99, X919, X919Short, CMAC, CMACTDES}

var (
	// ErrMAC means that a MAC does not fit the data and the key.
	ErrMAC = errors.New("mac: wrong MAC")
	// ErrKey means that a key's length does not suit the algorithm: 8, 16 or 24 bytes for
	// unionpay-ecb and x9.9, 16 for x9.19, 16, 24 or 32 for cmac, 16 or 24 for cmac-tdes.
	ErrKey = errors.New("mac: key of a wrong length for the algorithm")
	// ErrAlgorithm means that an algorithm is none of Names.
	ErrAlgorithm = errors.New("mac: unknown algorithm; known are " + strings.Join(Names, ", "))
)

// Maker makes and checks MACs under one key, whose preparation costs more than a short message's MAC.
// It is safe for use by several goroutines.
type Maker struct {
	algorithm string
	cipher    cipher.Block // of x9.19: of the key's left half
	right     cipher.Block // of x9.19: of the key's right half
}

// New prepares a key. Errors: ErrAlgorithm, ErrKey.
func New(algorithm string, key []byte) (*Maker, error) {
	if !slices.Contains(Names, algorithm) {
		return nil, ErrAlgorithm
	}
	m := &Maker{algorithm: algorithm}
	var err error
	switch algorithm {
	case CMAC:
		m.cipher, err = aes.NewCipher(key)
	case X919, X919Short:
		if len(key) != tdes.DoubleSize {
			return nil, ErrKey
		}
		if m.right, err = tdes.New(key[tdes.SingleSize:]); err == nil {
			m.cipher, err = tdes.New(key[:tdes.SingleSize])
		}
	default:
		if algorithm == CMACTDES && len(key) == tdes.SingleSize {
			return nil, ErrKey
		}
		m.cipher, err = tdes.New(key)
	}
	if err != nil {
		return nil, ErrKey
	}
	return m, nil
}

// Sum returns the MAC of data: Size bytes, as a message's field holds them.
func (m *Maker) Sum(data []byte) []byte {
	switch m.algorithm {
	case CMAC, CMACTDES:
		return cmac(m.cipher, data)[:Size:Size]
	case UnionPayECB:
		return unionPay(m.cipher, data)
	}
	sum := chain(m.cipher, data)
	if m.right != nil { // the last block under the right half, and under the left one once more
		m.right.Decrypt(sum, sum)
		m.cipher.Encrypt(sum, sum)
	}
	if m.algorithm == X919Short {
		clear(sum[shortSize:])
	}
	return sum
}

// Verify compares in constant time. Error: ErrMAC.
func (m *Maker) Verify(data, mac []byte) error {
	if subtle.ConstantTimeCompare(m.Sum(data), mac) != 1 {
		return ErrMAC
	}
	return nil
}

// Sum is Maker.Sum for a key that is used once. Errors: ErrAlgorithm, ErrKey.
func Sum(algorithm string, key, data []byte) ([]byte, error) {
	m, err := New(algorithm, key)
	if err != nil {
		return nil, err
	}
	return m.Sum(data), nil
}

// Verify is Maker.Verify for a key that is used once. Errors: ErrMAC, ErrAlgorithm, ErrKey.
func Verify(algorithm string, key, data, mac []byte) error {
	m, err := New(algorithm, key)
	if err != nil {
		return err
	}
	return m.Verify(data, mac)
}

// chain is CBC from a zero block on over data padded with zeros; the last cipher block is left.
func chain(c cipher.Block, data []byte) []byte {
	sum := make([]byte, Size)
	for first := true; first || len(data) > 0; first = false {
		n := min(len(data), Size)
		subtle.XORBytes(sum, sum[:n], data[:n])
		c.Encrypt(sum, sum)
		data = data[n:]
	}
	return sum
}

func unionPay(c cipher.Block, data []byte) []byte {
	var folded [Size]byte
	for len(data) > 0 {
		n := min(len(data), Size)
		subtle.XORBytes(folded[:], folded[:n], data[:n])
		data = data[n:]
	}
	digits := upperHex(folded[:])
	sum := make([]byte, Size)
	c.Encrypt(sum, digits[:Size])
	subtle.XORBytes(sum, sum, digits[Size:])
	c.Encrypt(sum, sum)
	return upperHex(sum)[:Size:Size]
}

func upperHex(b []byte) []byte { return []byte(strings.ToUpper(hex.EncodeToString(b))) }
