// Package debugline reads what a payment terminal shows from its debug serial line, by the patterns of
// its profile (terminals.Screen). It only listens.
//
// A screen is a Begin line, Row lines and an End line, or one Single line. Its time is the
// arrival of its first byte, so a screen that takes 50 ms to print is not dated 50 ms late.
// How odd input is read:
//
//   - A screen that never sees its End is handed out when the next Begin comes, or when the
//     line was quiet for Limits.Quiet. Rows that come after that are noise.
//   - A line that no pattern knows is a screen with Noise. Noise in the middle of a screen is
//     handed out after it, so that the stream stays in the order of arrival. Masking is the
//     caller's: nothing is left out here.
//   - A line that stops in the middle (the terminal lost its power) is noise after
//     Limits.Quiet, so that the first line after the restart is read from its own beginning.
//   - Bytes that are not of the encoding become U+FFFD. Control characters at both ends of a
//     line are dropped, as a terminal that powers up sends a few.
//   - Rows lose their trailing blanks, screens their trailing empty rows.
package debugline
