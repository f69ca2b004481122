// Package chameleon drives a ChameleonUltra as a contactless card (ISO/IEC 14443-4 type A) by the
// frames of its firmware, which README.md beside this file describes.
//
// The emulator answers the terminal by itself, from a table of at most 12 commands and answers that
// is loaded before the card goes into the field. So Tap first asks the chip everything that a
// terminal will ask and that does not depend on the terminal's data. What depends on it, a
// cryptogram above all, can't be in a table: Tap refuses such a chip with a *LimitError before
// anything is sent, unless Config.Partial says that the scenario ends before the cryptogram.
//
// The firmware can relay commands to the host, but with a waiting-time extension that a terminal must
// not accept, so the driver never answers live. It only listens there: the commands that it
// catches become events, and a command that the table lacks becomes the fault of the card's session,
// which Probe and Leave return until the next Tap or Halt.
//
// Frames hold card data. Nothing of a frame ever goes into an error.
package chameleon
