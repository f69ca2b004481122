// Package command switches the terminal's supply by running programs: for a PDU that has a program of its own, for a
// smart plug's script, for uhubctl.
//
//	on:   [pductl, --outlet, "3", "on"]
//	off:  [pductl, --outlet, "3", "off"]
//	read: [pductl, --outlet, "3", "state"]    # prints on or off; optional
//
// Programs are run as they are given, a word an argument: no shell looks at them. Each has to end by itself with
// status 0 within Config.Limit; one that does not is killed, with what it started. It runs in a process group of its
// own, so that a Ctrl-C at the run does not end the program that gives the terminal its supply back.
//
// Without read, "the program said so" is all that is known: give it where the PDU can tell.
package command
