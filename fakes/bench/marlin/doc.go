// Package marlin simulates a touch robot under Marlin 2.1, the firmware of most 3D printers: a three-axis
// machine whose plunger stands over the keypad of a terminal. It speaks Marlin's serial protocol on one side and
// closes and opens keys on the other, at the time and the place where the finger really is.
//
// Modelled are the things that a driver can fall over: the greeting after a late start, line numbers,
// checksums and Resend (with or without an ok behind it), a receive buffer that loses bytes silently, busy
// messages, ok for a movement that has only been queued, the delay before the first movement of a rest,
// targets clipped to the soft endstops without a word, motors that let go after two minutes, a homing that fails
// and halts everything, and M410 that acts at once.
//
// Machine coordinates are 0 … Box; Z homes at its upper end, X and Y at their lower. Every movement ends at speed zero.
// All instants are computed in closed form and a timer is set for the next one, so that a run in virtual
// time (testing/synctest) is exact. A finger that slides off a key sideways opens it only at its next way up.
//
// Facts are from Marlin's sources (gcode/queue.cpp, module/planner.cpp, gcode/calibrate/G28.cpp) and documentation.
package marlin
