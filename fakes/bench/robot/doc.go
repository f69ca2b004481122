// Package robot simulates a touch robot: a three-axis machine under GRBL 1.1h whose plunger
// stands over the keypad of a terminal. It speaks GRBL's serial protocol on one side and closes
// and opens keys on the other, at the time and the place where the finger really is.
//
// # Coordinates
//
// All lengths are millimetres; Z grows upwards. Three systems matter:
//   - The keypad's own: keys, Surface, Travel as in the terminal profile.
//   - The machine's, true: the box Motion.Min … Motion.Max with a switch at both ends of every axis.
//     Config.Origin is the place of the keypad's zero in it.
//   - MPos, what the firmware believes. It equals the true place only after homing; power-up,
//     an abrupt stop or changed settings part the two, and then the robot presses beside the keys.
//
// Stock GRBL puts machine zero at the upper end of every axis, so that all MPos are negative. Here
// Max is where that end lies: with Max zero this is stock GRBL, and the default box is shifted so that a
// keypad's positive coordinates can be used as they are. The soft limits are Max − $13x … Max. With $23=3
// (the default) X and Y home at Min and end at Min + $27, Z homes at Max and ends at Max − $27.
//
// # Time
//
// Motion is a trapezoid of speed for each block. All instants (a key closes, a block ends, a
// dwell is over) are computed in closed form and a timer is set for the next one: nothing ticks,
// so that a run in virtual time (testing/synctest) is exact.
//
// # Where it differs from the firmware
//
// Every block ends at speed zero (no look-ahead through corners; sharp corners, the only ones a
// keypad needs, are within milliseconds of it). Overrides act from the next block on. G2, G3, G38.x
// and G93 are refused (error:20). Bytes that arrive during an EEPROM write are not lost. The safety door is
// always shut, so that Door:1 does not occur. There is no spindle: its words only change the modal state.
//
// Facts are from gnea/grbl (doc/markdown: interface, commands, jogging, settings; doc/csv) and from
// runs of the real firmware.
package robot
