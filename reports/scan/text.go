package scan

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// digitAt gives the digit at i, of any script, and its size; size 0 when there is none.
func digitAt(b []byte, i int) (digit byte, size int) {
	if i >= len(b) {
		return 0, 0
	}
	if c := b[i]; c < utf8.RuneSelf {
		if c >= '0' && c <= '9' {
			return c, 1
		}
		return 0, 0
	}
	r, size := utf8.DecodeRune(b[i:])
	if !unicode.Is(unicode.Nd, r) {
		return 0, 0
	}
	zero := r // the digits of a script are ten in a row
	for n := 0; n < 10 && unicode.Is(unicode.Nd, zero-1); n++ {
		zero--
	}
	if r-zero > 9 { // two scripts without a gap: which digit it is does not matter to the shape
		zero = r - (r-zero)%10
	}
	return '0' + byte(r-zero), size
}

// gapAt is the size of what groups digits at i, or stands between them in UTF-16; 0 when there is none.
func gapAt(b []byte, i int) int {
	if i >= len(b) {
		return 0
	}
	switch c := b[i]; {
	case c == ' ', c == '-', c == 0:
		return 1
	case c < utf8.RuneSelf:
		return 0
	}
	if r, size := utf8.DecodeRune(b[i:]); unicode.Is(unicode.Zs, r) || unicode.Is(unicode.Pd, r) {
		return size
	}
	return 0
}

// maxRun bounds the digits of one run that are kept; what is longer is looked at in pieces that overlap.
const maxRun = 4096

// digits looks for runs of digits in a text, and at what stands before and behind them.
func (l *look) digits(b []byte, at int, how string) {
	var run []byte
	for i := 0; i < len(b); {
		if c := b[i]; c < '0' || c > '9' && c < utf8.RuneSelf { // most bytes
			i++
			continue
		}
		_, size := digitAt(b, i)
		if size == 0 {
			i++
			continue
		}
		start := i
		run = run[:0]
		for len(run) < maxRun {
			d, size := digitAt(b, i)
			if size == 0 {
				next := i + gapAt(b, i)
				if d, size = digitAt(b, next); size == 0 || next == i {
					break
				}
				i = next
			}
			run = append(run, d)
			i += size
		}
		if len(run) >= shortest {
			l.run(b, start, i, run, at, how)
		}
		if len(run) == maxRun {
			i -= longest + 2 // these are single bytes, or the next look begins a little off
		}
	}
}

// run judges a run of digits from start to end.
func (l *look) run(b []byte, start, end int, run []byte, at int, how string) {
	switch {
	case l.scanner.knows(run):
		l.found("card number", how, at+start)
	case len(run) > longest:
	case track1(b, start, end):
		l.found("track 1", how, at+start)
	case insideHex(b, start, end):
		if !isDigest(b, start, end) && plausible(run) && track2(b, end) {
			l.found("track 2", how, at+start)
		}
	case track2(b, end):
		l.found("track 2", how, at+start)
	case l.cut, fraction(b, start), !plausible(run):
	default:
		l.found("card number", how, at+start)
	}
}

func track1(b []byte, start, end int) bool {
	return start > 0 && (b[start-1] == 'B' || b[start-1] == 'b') && end < len(b) && b[end] == '^'
}

// track2 says whether a separator and at least a date and a service code stand at i.
func track2(b []byte, i int) bool {
	if i >= len(b) || b[i] != '=' && b[i] != 'D' && b[i] != 'd' {
		return false
	}
	for n := 1; n <= 7; n++ {
		if _, size := digitAt(b, i+n); size == 0 {
			return false
		}
	}
	return true
}

// fraction says whether the digits are those behind a decimal point.
func fraction(b []byte, start int) bool {
	return start > 1 && b[start-1] == '.' && b[start-2] >= '0' && b[start-2] <= '9'
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// insideHex says whether the digits are part of a longer hexadecimal number.
func insideHex(b []byte, start, end int) bool {
	return start > 0 && isHex(b[start-1]) || end < len(b) && isHex(b[end])
}

// isDigest says whether the digits are part of a SHA-256 in hexadecimal.
func isDigest(b []byte, start, end int) bool {
	for start > 0 && isHex(b[start-1]) {
		start--
	}
	for end < len(b) && isHex(b[end]) {
		end++
	}
	return end-start == 64
}

// unescape resolves what JSON and XML write instead of characters, as far as digits can be hidden so. It
// says whether there was anything.
func unescape(b []byte) ([]byte, bool) {
	if !bytes.Contains(b, []byte(`\u`)) && !bytes.Contains(b, []byte("&#")) {
		return b, false
	}
	out := make([]byte, 0, len(b))
	changed := false
	for i := 0; i < len(b); {
		if r, size := escapedAt(b[i:]); size > 0 {
			out = utf8.AppendRune(out, r)
			i += size
			changed = true
			continue
		}
		out = append(out, b[i])
		i++
	}
	return out, changed
}

// escapedAt reads one escaped character: \uXXXX, &#N; or &#xN;.
func escapedAt(b []byte) (r rune, size int) {
	if len(b) >= 6 && b[0] == '\\' && b[1] == 'u' {
		if n, ok := number(b[2:6], 16); ok {
			return n, 6
		}
	}
	if len(b) < 4 || b[0] != '&' || b[1] != '#' {
		return 0, 0
	}
	end := bytes.IndexByte(b[:min(len(b), 12)], ';')
	if end < 0 {
		return 0, 0
	}
	digits, base := b[2:end], rune(10)
	if len(digits) > 0 && (digits[0] == 'x' || digits[0] == 'X') {
		digits, base = digits[1:], 16
	}
	if n, ok := number(digits, base); ok {
		return n, end + 1
	}
	return 0, 0
}

func number(digits []byte, base rune) (n rune, ok bool) {
	for _, c := range digits {
		if !isHex(c) {
			return 0, false
		}
		d := rune(c - '0')
		if c > '9' {
			d = rune(c|0x20-'a') + 10
		}
		if d >= base {
			return 0, false
		}
		if n = n*base + d; n > unicode.MaxRune {
			return 0, false
		}
	}
	return n, len(digits) > 0
}
