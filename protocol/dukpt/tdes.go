package dukpt

import (
	"crypto/subtle"
	"encoding/binary"
	"math/bits"

	"github.com/assay-hil/assay/protocol/tdes"
)

// KSNSize is the length of a key serial number with TDES, in bytes.
const KSNSize = 10

const (
	half         = tdes.SingleSize
	counterMask  = 1<<21 - 1
	topBit       = 1 << 20
	maxOnes      = 10 // in a transaction counter
	registerMask = counterMask
)

// keyMask tells apart the two keys that each derivation step makes (X9.24-1 A.2: C0C0C0C000000000
// in either half).
var keyMask = [tdes.DoubleSize]byte{0: 0xC0, 1: 0xC0, 2: 0xC0, 3: 0xC0, 8: 0xC0, 9: 0xC0, 10: 0xC0, 11: 0xC0}

// variant is the byte of either half of a transaction's key that is inverted for a usage
// (X9.24-1 A.4.1, table A-1).
func variant(u Usage) (at int, ok bool) {
	switch u {
	case PIN:
		return 7, true
	case MACRequest:
		return 6, true
	case MACResponse:
		return 4, true
	case DataRequest:
		return 5, true
	case DataResponse:
		return 3, true
	}
	return 0, false
}

// IPEK returns a terminal's initial key (X9.24-1 A.6), 16 bytes. bdk has 16 bytes; the counter in ksn does
// not matter. Errors: ErrKey, ErrKSN.
func IPEK(bdk, ksn []byte) ([]byte, error) {
	if len(bdk) != tdes.DoubleSize {
		return nil, ErrKey
	}
	if len(ksn) != KSNSize {
		return nil, ErrKSN
	}
	var identity [half]byte
	copy(identity[:], ksn)
	identity[half-1] &^= 0x1F // counter bits
	left, err := tdes.Encrypt(bdk, identity[:])
	if err != nil {
		return nil, ErrKey
	}
	var masked [tdes.DoubleSize]byte
	subtle.XORBytes(masked[:], bdk, keyMask[:])
	right, err := tdes.Encrypt(masked[:], identity[:])
	if err != nil {
		return nil, ErrKey
	}
	return append(left, right...), nil
}

// Key returns the key of a transaction for one usage, 16 bytes, from a terminal's initial key. Keys
// for data go through the one-way function that X9.24-1 A.4.1 adds for them. Errors: ErrKey, ErrKSN,
// ErrUsage.
func Key(ipek, ksn []byte, u Usage) ([]byte, error) {
	at, ok := variant(u)
	if !ok {
		return nil, ErrUsage
	}
	key, err := transactionKey(ipek, ksn)
	if err != nil {
		return nil, err
	}
	key[at] ^= 0xFF
	key[half+at] ^= 0xFF
	if u != DataRequest && u != DataResponse {
		return key, nil
	}
	oneWay, err := tdes.Encrypt(key, key)
	if err != nil {
		return nil, ErrKey
	}
	return oneWay, nil
}

// transactionKey walks from the initial key down the ones of the counter, from the highest (A.3).
func transactionKey(ipek, ksn []byte) ([]byte, error) {
	if len(ipek) != tdes.DoubleSize {
		return nil, ErrKey
	}
	if len(ksn) != KSNSize {
		return nil, ErrKSN
	}
	register := binary.BigEndian.Uint64(ksn[KSNSize-8:])
	counter := uint32(register & registerMask)
	if counter == 0 || bits.OnesCount32(counter) > maxOnes {
		return nil, ErrKSN
	}
	register &^= registerMask
	key := append([]byte{}, ipek...)
	for bit := uint32(topBit); bit != 0; bit >>= 1 {
		if counter&bit == 0 {
			continue
		}
		register |= uint64(bit)
		if err := step(key, register); err != nil {
			return nil, err
		}
	}
	return key, nil
}

// step replaces a key by the one below it: the non-reversible key generation process of A.3.
func step(key []byte, register uint64) error {
	var masked [tdes.DoubleSize]byte
	subtle.XORBytes(masked[:], key, keyMask[:])
	left, err := scramble(masked[:], register)
	if err != nil {
		return err
	}
	right, err := scramble(key, register)
	if err != nil {
		return err
	}
	copy(key, left)
	copy(key[half:], right)
	return nil
}

// scramble XORs the register with the key's right half, enciphers it under the left one and XORs
// the right one once more.
func scramble(key []byte, register uint64) ([]byte, error) {
	var block [half]byte
	binary.BigEndian.PutUint64(block[:], register)
	subtle.XORBytes(block[:], block[:], key[half:])
	out, err := tdes.Encrypt(key[:half], block[:])
	if err != nil {
		return nil, ErrKey
	}
	subtle.XORBytes(out, out, key[half:])
	return out, nil
}
