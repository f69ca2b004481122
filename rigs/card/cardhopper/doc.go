// Package cardhopper drives a Proxmark3 in its stand-alone mode CardHopper as a contactless card whose
// application runs live on our side. README.md beside this file describes the line's packets.
//
// The Proxmark answers what has to be answered within microseconds: anticollision, the answer to
// select, bit rates. Every other frame of the terminal comes to the driver, which is the card's half of
// the block protocol of ISO/IEC 14443-4: block numbers, chaining in both directions, repeats,
// waiting-time extensions, deselection. Comments name its clauses.
//
// One goroutine owns the line and the protocol; a second runs the chip, so that a slow chip can be
// covered by a waiting-time extension. What goes wrong while no call is running is kept as the
// fault of the card's session: Probe and Leave return it until the next Tap or Halt.
//
// Packets hold card data. Nothing of a packet ever goes into an error.
package cardhopper
