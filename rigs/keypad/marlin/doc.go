// Package marlin drives a robot finger over a controller with Marlin 1.1 or 2.x, the firmware of most 3D
// printers, as a rigs.Keypad.
//
//	line, err := serial.Open("/dev/serial/by-id/usb-…", serial.Mode{Baud: 250000})
//	pad, err := marlin.Open(ctx, line, marlin.Config{
//		Keypad: profile.Keypad,
//		Origin: marlin.Point{X: 40, Y: 60, Z: 20},
//	})
//	defer pad.Close()
//	err = pad.Home(ctx)
//	press, err := pad.Press(ctx, "5")
//
// # How it talks
//
// One line at a time, numbered and with a checksum (N<n> … *<xor>), so that a line that was cut or
// garbled is refused instead of carried out as something else. Each line is answered by `ok`; what comes
// before it (`echo:busy: processing`, temperatures, `echo:…`) is no answer. `Resend: n` makes the
// driver send a line again that presses nothing; some versions put an `ok` behind it that answers nothing.
// `ok` to a movement means queued: M400 is answered when all movements have ended, and M114 then says where.
// That is checked after each movement, because Marlin clips a target outside its soft endstops without a word.
//
// # A press is never repeated
//
// After the plunge line has been sent, every error wraps ErrMaybePressed and the driver is not
// homed any more: Press fails with ErrNotHomed until Home. That holds for a Resend of the plunge line too.
// Errors of a press name neither the key nor its place.
//
// # Contact time
//
// The finger goes Overtravel below the contact plane, and what braking and starting again do not take of
// the wanted contact time is dwelled (G4). Marlin holds the first movement after a rest back for up to 100 ms
// (BLOCK_DELAY_FOR_1ST_MOVE), and the line adds a few: contact is at least the wanted time and up to
// some 130 ms longer. Contact gives the range for the machine at hand.
//
// # What the machine must be like
//
// Z must home upwards, away from the keys (a z_max switch): with a z_min alone Home refuses with
// ErrHomesDown, and nothing moves. Z is homed before X and Y. Motors must stay powered: Home switches the idle
// timeout off (M84 S0), for a finger without power sinks onto the keys.
//
// # Errors, cancelled calls and Halt
//
// Any error, restart, endstop hit or lost answer ends the trust in the position until Home. A call whose context
// ends while the machine may move stops it with M410, which acts at once where the firmware has EMERGENCY_PARSER
// and otherwise when it next reads a line. Marlin that has halted itself ("kill() called") answers nothing until
// its reset button is pressed: every call then fails with ErrKilled.
package marlin
