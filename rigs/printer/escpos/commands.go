package escpos

// The bytes that begin a command.
const (
	dle = 0x10
	esc = 0x1B
	fs  = 0x1C
	gs  = 0x1D
)

// maxPayload is the longest image that is skipped: the widest paper in use (72 bytes, 576
// dots) times the most lines that a header can claim fits.
const maxPayload = 8 << 20

// headerLength gives the length that a command's header has in all, as far as its bytes so far
// tell: a result beyond len(cmd) means that more must come, and then the question is asked again.
func headerLength(cmd []byte) int {
	if len(cmd) < 2 {
		return 2
	}
	switch cmd[0] {
	case esc:
		return escLength(cmd)
	case gs:
		return gsLength(cmd)
	case fs:
		return fsLength(cmd)
	}
	return dleLength(cmd)
}

// dleLength: DLE EOT n [a], DLE ENQ n, DLE DC4 fn …; any other second byte is dropped with the DLE.
func dleLength(cmd []byte) int {
	switch cmd[1] {
	case 0x04:
		if len(cmd) > 2 && (cmd[2] == 7 || cmd[2] == 8) {
			return 4
		}
		return 3
	case 0x05:
		return 3
	case 0x14:
		if len(cmd) < 3 {
			return 3
		}
		if cmd[2] == 8 {
			return 10
		}
		return 5
	}
	return 2
}

func escLength(cmd []byte) int {
	switch cmd[1] {
	case '@', '2', 0x0C, 'L', 'S', 'i', 'm', 'v', '<':
		return 2
	case 'D': // tab stops, up to a NUL
		return 2
	case '$', '\\', 'c', 'B':
		return 4
	case 'p', '*': // ESC * m nL nH data
		return 5
	case 'W':
		return 10
	case '(':
		return 5
	}
	return 3
}

func gsLength(cmd []byte) int {
	switch cmd[1] {
	case ':', 'c':
		return 2
	case '$', '*', '\\', 'L', 'P', 'W':
		return 4
	case '(', '^', 'z': // GS ( X pL pH data
		return 5
	case '8': // GS 8 L p1 p2 p3 p4 data
		return 7
	case 'v': // GS v 0 m xL xH yL yH data
		return 8
	case 'Q': // GS Q 0 m xL xH yL yH data
		return 8
	case 'g':
		return 6
	case 'V':
		return cutLength(cmd)
	case 'k':
		return barcodeLength(cmd)
	case 'C':
		return counterLength(cmd)
	}
	return 3
}

// cutLength: functions B, C and D of GS V have a second parameter.
func cutLength(cmd []byte) int {
	if len(cmd) > 2 {
		switch cmd[2] {
		case 65, 66, 97, 98, 103, 104:
			return 4
		}
	}
	return 3
}

// barcodeLength: GS k m data NUL for m below 7, GS k m n data from 65 on.
func barcodeLength(cmd []byte) int {
	if len(cmd) > 2 && cmd[2] >= 65 {
		return 4
	}
	return 3
}

// counterLength: GS C 0 n m, GS C 1 aL aH bL bH n r, GS C 2 nL nH.
func counterLength(cmd []byte) int {
	if len(cmd) > 2 && (cmd[2] == 1 || cmd[2] == '1') {
		return 9
	}
	return 5
}

func fsLength(cmd []byte) int {
	switch cmd[1] {
	case '&', '.':
		return 2
	case 'S', '2', 'p': // FS 2 c1 c2 data
		return 4
	case '(': // FS ( X pL pH data
		return 5
	case 'g': // FS g 1 m a1 a2 a3 a4 nL nH data
		return 10
	}
	return 3
}

// payload gives how many bytes of data follow a complete header.
func payload(cmd []byte) int {
	le := func(i int) int { return int(cmd[i]) | int(cmd[i+1])<<8 }
	switch {
	case cmd[0] == dle:
		return 0
	case cmd[1] == '(':
		return le(3)
	case cmd[0] == esc && cmd[1] == '*':
		if cmd[2] >= 32 { // 24 dots high
			return 3 * le(3)
		}
		return le(3)
	case cmd[0] == gs && cmd[1] == '*':
		return int(cmd[2]) * int(cmd[3]) * 8
	case cmd[0] == gs && (cmd[1] == 'v' || cmd[1] == 'Q'):
		return le(4) * le(6)
	case cmd[0] == gs && cmd[1] == '8':
		return le(3) | le(5)<<16
	case cmd[0] == gs && cmd[1] == 'k' && len(cmd) == 4:
		return int(cmd[3])
	case cmd[0] == fs && cmd[1] == '2':
		return 72 // 24 × 24 dots
	case cmd[0] == fs && cmd[1] == 'g' && cmd[2] == '1':
		return le(8)
	}
	return 0
}

// untilNUL says whether data follows that a NUL ends.
func untilNUL(cmd []byte) bool {
	return cmd[0] == esc && cmd[1] == 'D' || cmd[0] == gs && cmd[1] == 'k' && len(cmd) == 3
}
