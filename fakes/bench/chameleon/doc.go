// Package chameleon is a ChameleonUltra in software, as its published firmware (RfidResearchGroup,
// April 2026) reads: the frames over USB, a slot with an ISO/IEC 14443-4 card, the static table, and
// the card's side of the field. What the firmware does wrong is done wrong here:
//
//   - What is no frame is dropped without an answer, with the rest of what came in the same piece.
//   - The table takes 12 pairs, compares at most 16 bytes and keeps 253 bytes of an answer. More
//     pairs are dropped without an error, and an answer's length is taken modulo 256.
//   - The chaining bit of a block is not seen (the code looks at another bit): a chained command is
//     answered as if its first block were all of it.
//   - A command that the table lacks is answered with a waiting-time extension whose first byte is
//     30, which is none.
//   - CID is never sent back.
//   - It starts as a card, with what was saved last.
//
// None of this was seen on hardware.
package chameleon

import "time"

// Limits of the firmware.
const (
	Slots       = 8
	Pairs       = 12
	PrefixLimit = 16
	AnswerLimit = 253
	// DataLimit is the most data bytes of a frame.
	DataLimit = 4096
	// SaveTime is how long a write to flash takes.
	SaveTime = 30 * time.Millisecond
)

// Faults are ways in which the emulator misbehaves; 0 switches one off.
type Faults struct {
	// Silent: dead from the start.
	Silent bool
	// SilentAfter: dead after this many requests, as seen from the line; the card goes on.
	SilentAfter int
	// DropEvery: of its answers, every n-th is lost.
	DropEvery int
	// GarbleEvery: of its answers, every n-th has a bit flipped.
	GarbleEvery int
	// Old: a firmware without the commands from 6000 on.
	Old bool
}

// Config says how the emulator behaves. The zero value is a sound one.
type Config struct {
	Faults Faults
}
