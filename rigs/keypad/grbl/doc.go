// Package grbl drives a robot finger over a GRBL 1.1 controller (grbl, grblHAL, FluidNC) as a
// rigs.Keypad.
//
//	line, err := serial.Open("/dev/serial/by-id/usb-…", serial.Mode{})
//	pad, err := grbl.Open(ctx, line, grbl.Config{
//		Keypad: profile.Keypad,
//		Origin: grbl.Point{X: -280, Y: -190, Z: -60},
//	})
//	defer pad.Close()
//	err = pad.Home(ctx)
//	press, err := pad.Press(ctx, "5")
//
// # How it talks
//
// Each line is answered by exactly one `ok` or `error:N`; everything else is a push message and never counted. Lines that
// belong together go out in one write, and no more than the controller's receive buffer has room for: a press is the way to
// the key, and, when the finger was seen there, the way down, the rest at the bottom and the way up. So the controller has
// the way up before it begins to go down, and a line that breaks does not leave the finger on the key. `ok` means parsed,
// not done, so the end of a movement is found with a short dwell (G4), which is answered when the planner is empty, and
// confirmed with a status report that says Idle at the commanded place. Movements use machine coordinates (G53), so work
// offsets don't matter. The finger goes to the safe height before it goes sideways.
//
// # A press is never repeated
//
// After the plunge line has been sent, every error wraps ErrMaybePressed: the key may or may
// not have been pushed, and no line is sent again. The driver is then not homed: Press fails
// with ErrNotHomed until Home. Errors of a press name neither the key nor its place, because it
// can be a digit of a PIN; so can a recording of the wire, see serial.WithTrace.
//
// # Contact time
//
// The key closes at Surface−Travel; the finger goes Overtravel deeper. Braking and starting
// again below the contact plane already take about 2·sqrt(2·Overtravel/a), with the Z
// acceleration a ($122); only the rest of the wanted contact time is dwelled. GRBL rounds a
// dwell up to steps of 50 ms, and reading two lines adds a few, so contact is at least the
// wanted time and up to some 60 ms longer; where braking alone takes longer than wanted (a
// slow machine), contact is that long.
//
// # FluidNC
//
// The same driver. FluidNC's greeting is a setting, so only its first word counts ("Grbl "; keep
// $Start/Message beginning so); its [VER:…] says what it is. Its machine is in a configuration tree: $20 to $22, $110 and
// $120 are read-only shadows, $1 is not there, and what is missing is asked for by name
// ($/stepping/idle_ms, $/axes/x/max_rate_mm_per_min). Its alarm codes go on after 10.
//
// # Alarms, cancelled calls and Halt
//
// Any ALARM, restart or lost answer ends the trust in the position: only Home (reset when
// needed, then $H) brings it back; $X is never sent. When the context of Home or Press ends
// while the machine may be moving, the driver sends feed hold and soft reset at once. The
// controller then has lost its position and the finger can't be raised without homing: Halt
// therefore waits for the restarted controller and homes it, which lifts Z first. Halt homes
// also when the driver has never homed, because nothing else tells where the finger is.
package grbl
