// Package relay drives a card emulator that speaks the card relay protocol, version 1
// (PROTOCOL.md beside this file, which is the contract; comments here name its sections).
//
// The emulator only transports. The card's application is a rigs.Chip on our side: the
// driver resets it when the terminal does and answers each of the terminal's commands with it.
//
// Three goroutines share the work. The caller's sends requests, one at a time. The reader
// parses lines and acknowledges events at once. The worker runs the chip, so that a slow
// chip never delays an acknowledgement. Both of the driver's own end with Close.
//
// What goes wrong while no call is running (a chip that panics, an answer that the emulator
// never took, events that it dropped) is kept as the card session's fault: Probe, Remove and
// Leave return it until the next Insert, Tap or Halt. So a fault of the rig is never taken for
// one of the terminal. An answer that came too late because the card was pulled is no fault;
// Stats counts it. One that the emulator calls stale for no such reason is ErrStale, and a card that it
// says is out while its own state or the terminal's doing shows that it is not is ErrHeld.
//
// Lines hold card data. Nothing of a line ever goes into an error.
package relay
