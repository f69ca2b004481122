// Package escpos takes what a payment terminal prints: an ESC/POS printer in which the paper
// is a stream of text lines.
//
// Text is decoded as the profile says (terminals.Receipt.Encoding). Commands that only change how print looks
// are understood and dropped, images and bar codes are skipped by their length, and status
// questions are answered at once, because terminals wait for the answer.
//
//   - LF ends a line; one on an empty line gives an empty line. CR ends a line too, but a CR
//     on an empty line and the LF of CR LF add nothing. Feed commands end the line that has text;
//     the blank paper they make is not reported.
//   - ESC @ throws away a line that was not yet printed, as a printer does. So does the end of the line.
//   - A line's time is the arrival of its first character, a cut's that of its first byte.
//   - TAB is a blank. Other control characters are dropped. A line is never wrapped at
//     the paper's width; at maxText bytes it is.
//   - DLE EOT, GS r and ESC v are answered as by a printer that is online and has paper.
//   - An image whose header claims more than maxPayload bytes is taken for garbage: its header
//     is dropped and what follows is read as text.
//   - A command or image that stops in the middle for Limits.Stall is forgotten: the terminal
//     lost its power, and what comes next begins anew.
//   - An unknown ESC, GS or FS command is taken to have one parameter.
//
// Commands and lengths are those of the published ESC/POS command reference (Epson).
package escpos
