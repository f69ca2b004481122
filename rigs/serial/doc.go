// Package serial is one bounded, recorded serial line. Drivers see a Line and
// never go.bug.st/serial, whose traps (reads that return nothing, writes that
// never return, a descriptor reused after Close, a panic at descriptor 1024) end here.
//
//	line, err := serial.Open("/dev/serial/by-id/usb-…", serial.Mode{Baud: 115200})
//	defer line.Close()
//	lines := serial.Assembler{End: serial.LF, Max: 256}
//	for chunk := range line.Chunks() {
//		for _, row := range lines.Feed(chunk) {
//			fmt.Printf("%s %s\n", row.At, row.Bytes)
//		}
//	}
//	// line.Err() says whether we closed the line (rigs.ErrClosed) or lost it (rigs.ErrLost).
//
// New makes a Line of any stream, such as one end of net.Pipe under testing/synctest: the
// code above a Line is the same on a device, on a pseudo-terminal and in virtual time.
//
// Known limit: the library closes its descriptor before it wakes its reader. A byte that
// arrives in the microseconds between, while another goroutine opens a file, can make that
// last read hit the wrong file; so lines are opened once and held, not opened and closed at will.
package serial
