// Package numato switches the terminal's supply with a Numato USB relay board.
//
// The board takes commands that end with CR ("relay on 0", "relay off 0", "relay read 0",
// "ver"). It echoes each, answers with lines, and ends with the prompt ">". Boards and their
// firmware differ in detail, so the driver accepts an answer with or without echo, with any
// order of CR and LF and with spare blanks.
//
// A relay that was commanded is read back: a board that says "on" to "relay off" is a fault of
// the rig and must not look like a terminal that survives a power cut. The board reads back what it drives,
// not its contacts.
//
// Relays 0 to 9 are supported. Larger boards name the others with letters in a way that their
// documents do not agree on.
package numato
