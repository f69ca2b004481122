// Package scpi switches the terminal's supply on a programmable bench supply that speaks SCPI: lines of text that
// end with LF, over RS-232, USB or TCP.
//
//	*IDN?        →  ACME,PS3005,1234,2.0     who is it (IEEE 488.2, 10.14)
//	SYST:REM                                  leave the front panel's rule; no answer
//	*CLS                                      forget old errors; no answer
//	INST:NSEL 2                               which output the rest is about; no answer
//	INST:NSEL?   →  2
//	OUTP 1                                    no answer: a set is never acknowledged
//	OUTP?        →  1
//	MEAS:VOLT?   →  +5.01230000E+00           volts at the output
//	SYST:ERR?    →  0,"No error"              the oldest error that a set left behind
//
// (IEEE 488.2; SCPI 1999, volume 2: INSTrument, MEASure, OUTPut, SYSTem.) Because sets are not answered, On and Off
// read the output's state back, and On also waits until the output really has its volts: a supply that is on at 0 V,
// or that limits its current, does not feed a terminal. When the read-back does not agree, the supply's own error says
// why.
//
// An answer that comes after its question was given up would pass for the next one's: the line must be quiet before
// the conversation goes on.
//
//	line, err := serial.Open("/dev/serial/by-id/usb-…", serial.Mode{Baud: scpi.Baud})
//	supply, err := scpi.Open(ctx, line, scpi.Config{Channel: 1, Volts: 5})
//	err = supply.Off(ctx)
//	err = supply.On(ctx)
package scpi
