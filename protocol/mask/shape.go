package mask

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Each function here says what stands at a place in a text; sizes and places are in bytes.

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isHex(c byte) bool {
	return isDigit(c) || c >= 'A' && c <= 'F' || c >= 'a' && c <= 'f'
}

// digitAt is the size of the decimal digit at i, of any script; 0 when there is none.
func digitAt(s string, i int) int {
	if i >= len(s) {
		return 0
	}
	if s[i] < utf8.RuneSelf {
		if isDigit(s[i]) {
			return 1
		}
		return 0
	}
	r, size := utf8.DecodeRuneInString(s[i:])
	if !unicode.Is(unicode.Nd, r) {
		return 0
	}
	return size
}

// gapAt is the size of the character at i if such characters group digits: spaces and hyphens,
// the typographic ones too; 0 otherwise.
func gapAt(s string, i int) int {
	if i >= len(s) {
		return 0
	}
	if s[i] < utf8.RuneSelf {
		if s[i] == ' ' || s[i] == '-' {
			return 1
		}
		return 0
	}
	r, size := utf8.DecodeRuneInString(s[i:])
	if !unicode.Is(unicode.Zs, r) && !unicode.Is(unicode.Pd, r) && r != '\u2212' {
		return 0
	}
	return size
}

// digitsAt returns the end of the digits that begin at i, single gaps between them included,
// and their count. A time stamp after a gap is not part of them.
func digitsAt(s string, i int) (end, count int) {
	for {
		for size := digitAt(s, i); size > 0; size = digitAt(s, i) {
			i += size
			count++
		}
		next := i + gapAt(s, i)
		if next == i || digitAt(s, next) == 0 || timestampAt(s, next) > 0 {
			return i, count
		}
		i = next
	}
}

// track1At returns the end of the track 1 that begins at i: "%B", a number (masked or not),
// '^', then anything up to the end sentinel '?', a quote, a control character or the text's end.
// It returns 0 when there is none.
func track1At(s string, i int) int {
	if s[i] != '%' || i+1 >= len(s) || s[i+1]|0x20 != 'b' {
		return 0
	}
	number := i + len("%B")
	j := number
	for size := 1; size > 0; j += size {
		if size = digitAt(s, j) + gapAt(s, j); size == 0 && j < len(s) && s[j] == star {
			size = 1
		}
	}
	if j == number || j >= len(s) || s[j] != '^' {
		return 0
	}
	return track1End(s, j)
}

// track1End returns the end of track 1 data that begins at i.
func track1End(s string, i int) int {
	for i < len(s) && s[i] != '?' && s[i] != '"' && s[i] >= ' ' {
		i++
	}
	return i
}

// trackDataAt tells which track separator follows the number that ends at i, and where the data
// after it begins; 0 when there is none. Single gaps around the separator are allowed.
func trackDataAt(s string, i int) (begin int, separator byte) {
	i += gapAt(s, i)
	if i >= len(s) || strings.IndexByte("=^Dd", s[i]) < 0 {
		return 0, 0
	}
	begin = i + 1
	if first := begin + gapAt(s, begin); digitAt(s, first) > 0 || first < len(s) && s[first] == star {
		return first, s[i]
	}
	if s[i]|0x20 == 'd' { // a word may begin with D
		return 0, 0
	}
	return begin, s[i]
}

// track2End returns the end of track 2 data that begins at i.
func track2End(s string, i int) int {
	for i < len(s) {
		if size := track2CharAt(s, i); size > 0 {
			i += size
			continue
		}
		next := i + gapAt(s, i)
		if next == i && strings.IndexByte(":;<>", s[i]) >= 0 {
			next = i + 1
		}
		if next == i || digitAt(s, next) == 0 && (next >= len(s) || s[next] != '=' && s[next] != star) {
			return i
		}
		i = next
	}
	return i
}

// track2CharAt is the size of the character at i if it is one of track 2's data, its separator
// or a hexadecimal digit, or masked; 0 otherwise.
func track2CharAt(s string, i int) int {
	if s[i] == '=' || s[i] == star || isHex(s[i]) {
		return 1
	}
	return digitAt(s, i)
}

// timestampAt is the length of the RFC 3339 time stamp at i ('T' or a space between date and
// time; seconds, their fraction and the zone may be missing), 0 when there is none or digits
// touch it.
func timestampAt(s string, i int) int {
	if i > 0 && isDigit(s[i-1]) {
		return 0
	}
	t := s[i:]
	const shape = "dddd-dd-ddTdd:dd"
	if !fits(t, shape) || !between(t[5:7], "01", "12") || !between(t[8:10], "01", "31") {
		return 0
	}
	n := len(shape)
	if fits(t[n:], ":dd") {
		n += len(":dd")
		n += fractionAt(t[n:])
	}
	switch {
	case n < len(t) && (t[n] == 'Z' || t[n] == 'z'):
		n++
	case fits(t[n:], "+dd:dd"), fits(t[n:], "-dd:dd"):
		n += len("+dd:dd")
	}
	if digitAt(t, n) > 0 {
		return 0
	}
	return n
}

// fractionAt is the length of a fraction of a second, at most nine digits.
func fractionAt(t string) int {
	if !fits(t, ".d") {
		return 0
	}
	n := 2
	for n < len(t) && n < len(".123456789") && isDigit(t[n]) {
		n++
	}
	return n
}

// fits tells if t begins with shape, in which d is a digit and T is T, t or a space.
func fits(t, shape string) bool {
	if len(t) < len(shape) {
		return false
	}
	for i := range len(shape) {
		switch c := t[i]; shape[i] {
		case 'd':
			if !isDigit(c) {
				return false
			}
		case 'T':
			if c != 'T' && c != 't' && c != ' ' {
				return false
			}
		default:
			if c != shape[i] {
				return false
			}
		}
	}
	return true
}

func between(s, low, high string) bool { return s >= low && s <= high }
