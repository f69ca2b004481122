// Package serial is one bounded, recorded serial line. Drivers see a Line and
// never go.bug.st/serial, whose traps (reads that return nothing, writes that
// never return, a descriptor reused after Close, a panic at descriptor 1024) end here.
package serial
