package robot

import "math"

const (
	maxLineNumber = 10000000
	maxTool       = 255
	maxDigits     = 8   // of a number; the rest only moves the decimal point
	maxValue      = 1e9 // bound for numbers, far beyond any machine
	noMotion      = 80  // G80
)

// modal is the parser's state that lasts from line to line, as $G shows it.
type modal struct {
	motion      int // 0, 1, 80
	coord       int // 0 is G54
	plane       int // 17, 18, 19
	inch        bool
	incremental bool
	feedUnits   int // 94
	spindle     int // M3, M4, M5
	flood       bool
	tool        int
	feed, speed float64 // mm/min, rpm
}

// axisUse says which command of a block takes the axis words.
type axisUse int

const (
	axisNone axisUse = iota
	axisMotion
	axisNonModal
	axisTool
)

// G words by hundred times their number: G28.1 is 2810.
const (
	gDwell   = 400
	gSetData = 1000
	gHome28  = 2800
	gSet28   = 2810
	gHome30  = 3000
	gSet30   = 3010
	gTool    = 4310
	gNoTool  = 4900
	gMachine = 5300
	gOffset  = 9200
	gNoShift = 9210
)

// block is a parsed line.
type block struct {
	modal
	nonModal int // one of the constants above, or 0
	axes     axisUse
	toolWord int // gTool, gNoTool or 0
	flow     int // M0 is 0 with hasFlow
	hasFlow  bool
	groups   uint32 // modal groups with a command in this block, a bit each
	words    uint32 // value words that no command has used yet, a bit a letter
	given    [axisCount]bool
	value    [26]float64
}

func (b *block) has(letter byte) bool       { return b.words&(1<<(letter-'A')) != 0 }
func (b *block) val(letter byte) float64    { return b.value[letter-'A'] }
func (b *block) set(letter byte, v float64) { b.value[letter-'A'] = v }
func (b *block) used(letters string) {
	for _, c := range letters {
		b.words &^= 1 << (c - 'A')
	}
}

func (b *block) anyAxis() bool { return b.given != [axisCount]bool{} }

// number reads a decimal number at the start of text and gives what follows it. There is no
// exponent: E is a letter of its own.
func number(text string) (value float64, rest string, ok bool) {
	i, negative := 0, false
	if i < len(text) && (text[i] == '-' || text[i] == '+') {
		negative = text[i] == '-'
		i++
	}
	digits, exponent, point := 0, 0, false
scan:
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			digits++
			if digits <= maxDigits {
				value = value*10 + float64(c-'0')
				if point {
					exponent--
				}
			} else if !point {
				exponent++
			}
		case c == '.' && !point:
			point = true
		default:
			break scan
		}
	}
	if digits == 0 {
		return 0, text, false
	}
	value = min(value*math.Pow10(exponent), maxValue)
	if negative {
		value = -value
	}
	return value, text[i:], true
}

// parse reads the words of a line. It gives an error code, 0 for none.
func (b *block) parse(text string, current modal) int {
	*b = block{modal: current}
	for text != "" {
		letter := text[0]
		if letter < 'A' || letter > 'Z' {
			return errLetter
		}
		value, rest, ok := number(text[1:])
		if !ok {
			return errNumber
		}
		text = rest
		code := 0
		switch letter {
		case 'G':
			code = b.gWord(value)
		case 'M':
			code = b.mWord(value)
		default:
			code = b.valueWord(letter, value)
		}
		if code != 0 {
			return code
		}
	}
	return 0
}

// valueWord keeps the value of any letter but G and M.
func (b *block) valueWord(letter byte, value float64) int {
	switch letter {
	case 'F', 'N', 'P', 'S', 'T':
		if b.has(letter) {
			return errRepeated
		}
		if letter == 'T' && value > maxTool {
			return errTool
		}
		if value < 0 {
			return errNegative
		}
	case 'I', 'J', 'K', 'L', 'R', 'X', 'Y', 'Z':
		if b.has(letter) {
			return errRepeated
		}
	default:
		return errUnsupported
	}
	if letter >= 'X' {
		b.given[letter-'X'] = true
	}
	b.words |= 1 << (letter - 'A')
	b.set(letter, value)
	return 0
}

// Modal groups, NIST RS274/NGC table 4.
const (
	groupNonModal = iota
	groupMotion
	groupPlane
	groupDistance
	groupArc
	groupFeed
	groupUnits
	groupCutter
	groupTool
	groupCoord
	groupPath
	groupFlow
	groupSpindle
	groupCoolant
)

// gWord takes a G command.
func (b *block) gWord(value float64) int {
	code := int(math.Round(value * 100))
	group, use := 0, axisNone
	switch code {
	case gSetData, gHome28, gHome30, gOffset:
		group, use, b.nonModal = groupNonModal, axisNonModal, code
	case gDwell, gMachine, gSet28, gSet30, gNoShift:
		group, b.nonModal = groupNonModal, code
	case 0, 100:
		group, use, b.motion = groupMotion, axisMotion, code/100
	case 8000:
		group, b.motion = groupMotion, noMotion
	case 1700, 1800, 1900:
		group, b.plane = groupPlane, code/100
	case 9000, 9100:
		group, b.incremental = groupDistance, code == 9100
	case 9110:
		group = groupArc // incremental arc distances, the only ones there are
	case 9400:
		group, b.feedUnits = groupFeed, 94
	case 2000, 2100:
		group, b.inch = groupUnits, code == 2000
	case 4000:
		group = groupCutter
	case gTool, gNoTool:
		group, use, b.toolWord = groupTool, axisTool, code
	case 5400, 5500, 5600, 5700, 5800, 5900:
		group, b.coord = groupCoord, code/100-54
	case 6100:
		group = groupPath
	default:
		return refuseG(code)
	}
	if use != axisNone {
		if b.axes != axisNone {
			return errAxisClash
		}
		b.axes = use
	}
	return b.inGroup(group)
}

// refuseG tells a G command that does not exist from a known one with a wrong decimal.
func refuseG(code int) int {
	switch whole := code / 100; whole {
	case 0, 1, 4, 10, 17, 18, 19, 20, 21, 40, 53, 54, 55, 56, 57, 58, 59, 80, 94:
		if code > 0 {
			return errNotInteger
		}
	}
	return errUnsupported
}

// inGroup marks a modal group as used; a second command of one group is an error.
func (b *block) inGroup(group int) int {
	if b.groups&(1<<group) != 0 {
		return errModalGroup
	}
	b.groups |= 1 << group
	return 0
}

// mWord takes an M command.
func (b *block) mWord(value float64) int {
	if value != math.Trunc(value) && math.Round(100*(value-math.Trunc(value))) > 0 {
		return errNotInteger
	}
	switch code := int(value); code {
	case 0, 1, 2, 30:
		b.flow, b.hasFlow = code, code != 1 // M1, the optional stop, is ignored
		return b.inGroup(groupFlow)
	case 3, 4, 5:
		b.spindle = code
		return b.inGroup(groupSpindle)
	case 8, 9:
		b.flood = code == 8
		return b.inGroup(groupCoolant)
	}
	return errUnsupported
}
