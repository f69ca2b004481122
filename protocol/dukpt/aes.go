package dukpt

import (
	"crypto/aes"
	"encoding/binary"
	"math/bits"
)

// AESKSNSize is the length of a key serial number with AES, in bytes.
const AESKSNSize = 12

const (
	initialIDSize = 8 // the KSN without its counter
	maxOnesAES    = 16
)

// Type is the algorithm and size of a working key.
type Type int

// Types of working keys. Their values are the algorithm indicators of X9.24-3:2017 §6.3.2.
const (
	TDES2 Type = iota // two parts, 16 bytes
	TDES3             // three parts, 24 bytes
	AES128
	AES192
	AES256
)

// Key usage indicators (X9.24-3:2017 §6.3.2, table 2).
const (
	usageDerivation        uint16 = 0x8000
	usageDerivationInitial uint16 = 0x8001
)

func usageIndicator(u Usage) (uint16, bool) {
	switch u {
	case KeyEncryption:
		return 0x0002, true
	case PIN:
		return 0x1000, true
	case MACRequest:
		return 0x2000, true
	case MACResponse:
		return 0x2001, true
	case MACBoth:
		return 0x2002, true
	case DataRequest:
		return 0x3000, true
	case DataResponse:
		return 0x3001, true
	case DataBoth:
		return 0x3002, true
	}
	return 0, false
}

// Size is a working key's length in bytes; 0 for an unknown type.
func (t Type) Size() int {
	switch t {
	case TDES2, AES128:
		return 16
	case TDES3, AES192:
		return 24
	case AES256:
		return 32
	}
	return 0
}

// typeOfSize is the type of an AES key of so many bytes.
func typeOfSize(n int) (Type, bool) {
	switch n {
	case 16:
		return AES128, true
	case 24:
		return AES192, true
	case 32:
		return AES256, true
	}
	return 0, false
}

// InitialKey returns a terminal's initial key, as long as the BDK (X9.24-3 §6.3.3). The counter in
// ksn does not matter. Errors: ErrKey, ErrKSN.
func InitialKey(bdk, ksn []byte) ([]byte, error) {
	t, ok := typeOfSize(len(bdk))
	if !ok {
		return nil, ErrKey
	}
	if len(ksn) != AESKSNSize {
		return nil, ErrKSN
	}
	return derive(bdk, usageDerivationInitial, t, [8]byte(ksn[:initialIDSize]))
}

// WorkingKey returns the key of a transaction for one usage, from a terminal's initial key
// (X9.24-3 §6.3 and §6.4). A working key can't be stronger than the initial key. Errors: ErrKey,
// ErrKSN, ErrUsage, ErrType.
func WorkingKey(initial, ksn []byte, u Usage, t Type) ([]byte, error) {
	of, ok := typeOfSize(len(initial))
	if !ok {
		return nil, ErrKey
	}
	if len(ksn) != AESKSNSize {
		return nil, ErrKSN
	}
	usage, ok := usageIndicator(u)
	if !ok {
		return nil, ErrUsage
	}
	if t.Size() == 0 || t >= AES128 && t > of {
		return nil, ErrType
	}
	counter := binary.BigEndian.Uint32(ksn[initialIDSize:])
	if counter == 0 || bits.OnesCount32(counter) > maxOnesAES {
		return nil, ErrKSN
	}
	var data [8]byte // the right half of the identity, and the counter so far
	copy(data[:4], ksn[initialIDSize-4:])
	key := initial
	for bit := uint32(1) << 31; bit != 0; bit >>= 1 {
		if counter&bit == 0 {
			continue
		}
		binary.BigEndian.PutUint32(data[4:], counter&^(bit-1))
		var err error
		if key, err = derive(key, usageDerivation, of, data); err != nil {
			return nil, err
		}
	}
	return derive(key, usage, t, data)
}

// derive is the key derivation of §6.3.1: a block of derivation data (table 3) for every 16 bytes of
// the new key, enciphered under the old one.
func derive(key []byte, usage uint16, t Type, data [8]byte) ([]byte, error) {
	c, err := aes.NewCipher(key)
	if err != nil {
		return nil, ErrKey
	}
	size := t.Size()
	var block [aes.BlockSize]byte
	block[0] = 0x01 // version of the derivation data
	binary.BigEndian.PutUint16(block[2:], usage)
	binary.BigEndian.PutUint16(block[4:], uint16(t))
	binary.BigEndian.PutUint16(block[6:], uint16(8*size))
	copy(block[8:], data[:])
	var derived []byte
	for len(derived) < size {
		block[1]++
		var out [aes.BlockSize]byte
		c.Encrypt(out[:], block[:])
		derived = append(derived, out[:]...)
	}
	return derived[:size:size], nil
}
