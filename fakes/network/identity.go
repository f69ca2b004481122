package network

import "encoding/binary"

// Identity is what a message is called: its MTI, and its STAN if it has one. It is small and refers to nothing, for one is
// kept of every message.
type Identity struct {
	mti mti
	// stan are the digits, the first in the lowest byte, and in the highest byte how many there are.
	stan uint64
}

// mti are 4 digits.
type mti [4]byte

// maxSTAN is how many digits a STAN has at most (ISO 8583:1987, 4.4.11).
const maxSTAN = 6

// IdentityOf makes one of an MTI, 4 digits, and a STAN, up to 6 digits or none. It is false for anything else: nothing but
// a message's identity comes into events.
func IdentityOf[text string | []byte](mti, stan text) (id Identity, ok bool) {
	if len(mti) != len(id.mti) {
		return Identity{}, false
	}
	if copy(id.mti[:], mti); !decimal(uint64(binary.LittleEndian.Uint32(id.mti[:])), len(mti)) {
		return Identity{}, false
	}
	if id.stan, ok = packed(stan); !ok {
		return Identity{}, false
	}
	return id, true
}

// packed is a STAN as an Identity has it; 0 is none.
func packed[text string | []byte](stan text) (digits uint64, ok bool) {
	if len(stan) > maxSTAN {
		return 0, false
	}
	var wide [8]byte
	copy(wide[:], stan)
	digits = binary.LittleEndian.Uint64(wide[:])
	if !decimal(digits, len(stan)) {
		return 0, false
	}
	return digits | uint64(len(stan))<<56, true
}

// decimal says that the n lowest bytes are digits, all of them at once: a digit's upper half is 3, and stays so when 6
// is added.
func decimal(text uint64, n int) bool {
	const upper, six, threes = 0xF0F0F0F0F0F0F0F0, 0x0606060606060606, 0x3030303030303030
	mask := uint64(1)<<(8*n) - 1
	return text&upper&mask == threes&mask && (text&mask+six)&upper&mask == threes&mask
}

// MTI is the message type, 4 digits.
func (id Identity) MTI() string { return string(id.mti[:]) }

// STAN is field 11 as the message has it, up to 6 digits; "" without one.
func (id Identity) STAN() string {
	digits := make([]byte, id.stan>>56)
	for i := range digits {
		digits[i] = byte(id.stan >> (8 * i))
	}
	return string(digits)
}
