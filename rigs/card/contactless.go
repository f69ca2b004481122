package card

import (
	"errors"
	"fmt"
	"strings"
)

// CapabilityError is returned when an emulator lacks an interface. Nothing was sent to it: the rig
// file gives this rig an emulator that its scenarios can't use.
type CapabilityError struct {
	Emulator string   // what the emulator is, for example "ChameleonUltra"
	Need     string   // "stripe", "chip" or "field"
	Have     []string // the interfaces that it has
}

func (e *CapabilityError) Error() string {
	if len(e.Have) == 1 && e.Have[0] == "field" {
		return fmt.Sprintf("%s is contactless only and has no %s interface; use it with scenarios that tap, or give the rig an emulator with a %s interface (driver: relay)", e.Emulator, e.Need, e.Need)
	}
	return fmt.Sprintf("%s has no %s interface; it has: %s", e.Emulator, e.Need, strings.Join(e.Have, ", "))
}

// ErrUID is returned for a UID that has not 4, 7 or 10 bytes (ISO/IEC 14443-3 §6.5.4).
var ErrUID = errors.New("UID has not 4, 7 or 10 bytes")

// CheckUID checks a UID's length. Error: ErrUID.
func CheckUID(uid []byte) error {
	switch len(uid) {
	case 4, 7, 10:
		return nil
	}
	return fmt.Errorf("%w but %d", ErrUID, len(uid))
}

// ATQA gives the answer to request of a card that supports ISO/IEC 14443-4, in the order of the wire,
// for a UID that CheckUID takes: bits 7 and 8 say how long the UID is, bit 3 is the anticollision
// frame (ISO/IEC 14443-3 §6.5.2).
func ATQA(uid []byte) [2]byte {
	switch len(uid) {
	case 7:
		return [2]byte{0x44, 0x00}
	case 10:
		return [2]byte{0x84, 0x00}
	}
	return [2]byte{0x04, 0x00}
}

// SAK is the select acknowledge of a complete UID whose card supports ISO/IEC 14443-4.
const SAK byte = 0x20

// ATS is an answer to select, ISO/IEC 14443-4 §5.2, with the defaults where a byte is left out.
type ATS struct {
	FSCI byte // how long frames to the card may be, see FrameSize
	// TA are the bit rates, TB frame waiting time (upper half) and start-up guard time (lower half) as
	// exponents, TC says whether the card understands NAD (bit 1) and CID (bit 2).
	TA, TB, TC byte
	Historical []byte
}

// The defaults of an ATS that leaves bytes out (§5.2.4 to §5.2.6).
const (
	defaultFSCI byte = 2
	defaultTA   byte = 0x00
	defaultTB   byte = 0x40
	defaultTC   byte = 0x02
	maxFSCI     byte = 8
	// maxATS is the longest ATS that goes into a frame of 256 bytes with its CRC.
	maxATS = 254
)

// ErrATS is returned for bytes that are no ATS.
var ErrATS = errors.New("not an answer to select (ISO/IEC 14443-4 §5.2)")

// ParseATS reads an ATS: TL, T0, the bytes that T0 announces, historical bytes. Error: ErrATS.
func ParseATS(b []byte) (ATS, error) {
	if len(b) == 0 || len(b) > maxATS || int(b[0]) != len(b) {
		return ATS{}, fmt.Errorf("%w: TL is not its length", ErrATS)
	}
	a := ATS{FSCI: defaultFSCI, TA: defaultTA, TB: defaultTB, TC: defaultTC}
	if len(b) == 1 {
		return a, nil
	}
	t0, rest := b[1], b[2:]
	if a.FSCI = t0 & 0x0F; a.FSCI > maxFSCI {
		return ATS{}, fmt.Errorf("%w: FSCI %d, at most %d", ErrATS, a.FSCI, maxFSCI)
	}
	for _, part := range []struct {
		bit  byte
		into *byte
	}{{0x10, &a.TA}, {0x20, &a.TB}, {0x40, &a.TC}} {
		if t0&part.bit == 0 {
			continue
		}
		if len(rest) == 0 {
			return ATS{}, fmt.Errorf("%w: T0 announces more bytes than there are", ErrATS)
		}
		*part.into, rest = rest[0], rest[1:]
	}
	a.Historical = append([]byte(nil), rest...)
	return a, nil
}

// Encode gives the bytes with TA, TB and TC spelled out.
func (a ATS) Encode() []byte {
	b := append([]byte{0, 0x70 | a.FSCI, a.TA, a.TB, a.TC}, a.Historical...)
	b[0] = byte(len(b))
	return b
}

// FrameSize gives the longest frame in bytes, PCB and CRC included, for an FSDI or FSCI
// (ISO/IEC 14443-4 §5.1, §5.2.3); values above 8 are reserved and count as 8.
func FrameSize(exponent byte) int {
	sizes := [...]int{16, 24, 32, 40, 48, 64, 96, 128, 256}
	return sizes[min(int(exponent), len(sizes)-1)]
}
