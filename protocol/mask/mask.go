// Package mask takes card data out of text before the text reaches a disk or a terminal. It
// knows shapes, not meanings, and when in doubt it masks: a number that is no card number may
// lose its middle, a card number never stays.
//
// Masked are runs of 13 or more digits (ISO/IEC 7812-1: a card number has at most 19; schemes
// issue 13 and more), also when single spaces or hyphens group them and in any script's digits;
// what follows a card number on track 1 and track 2 (ISO/IEC 7813), written with '^', '=' or
// 'D'; and card numbers written as the hexadecimal of their ASCII digits. Not masked are runs
// of up to 12 digits (RRN, customer ID) and time stamps.
package mask

import (
	"strings"
	"unicode/utf8"
)

// How much of a card number may be shown (PCI DSS 4.0, 3.4.1), and what is taken for one.
const (
	shownFirst  = 6
	shownLast   = 4
	shortestPAN = 13
	// shortestTrackPAN is enough between track 2's start sentinel and its separator.
	shortestTrackPAN = 8
)

const star = '*'

// PAN masks a card number: its first 6 and last 4 characters stay. One shorter than 13 is
// masked wholly.
func PAN(pan string) string {
	r := []rune(pan)
	for i := range r {
		if len(r) < shortestPAN || i >= shownFirst && i < len(r)-shownLast {
			r[i] = star
		}
	}
	return string(r)
}

// Text masks all card data in s; see the package's description. Text that has none is returned
// as it is. Text(Text(s)) = Text(s).
func Text(s string) string {
	if harmless(s) {
		return s
	}
	return maskDigits(maskHex(s))
}

// harmless says without looking closely that a text has nothing to mask: it has too few digits for a card number, also for the
// shortest between a track's sentinel and separator; no beginning of track 1; and no rest of a number that was masked before.
func harmless(s string) bool {
	digits := 0
	for i := range len(s) {
		switch c := s[i]; {
		case isDigit(c):
			digits++
		case c >= utf8.RuneSelf, c == '%', c == star:
			return false // digits of another script, perhaps
		}
	}
	return digits < shortestTrackPAN
}

// maskHex masks hexadecimal runs that have a card number's ASCII digits in them, wholly.
func maskHex(s string) string {
	var out editor
	for i := 0; i < len(s); i++ {
		if !isHex(s[i]) {
			continue
		}
		end := i + 1
		for end < len(s) && isHex(s[end]) {
			end++
		}
		if hasASCIIDigits(s[i:end]) {
			out.replace(s, i, end, strings.Repeat(string(star), end-i))
		}
		i = end
	}
	return out.text(s)
}

// hasASCIIDigits tells if a hexadecimal run has 13 bytes 30…39 in a row, at an even or odd
// place: where the run's first byte begins isn't known.
func hasASCIIDigits(run string) bool {
	for from := range min(2, len(run)) {
		bytes := 0
		for i := from; i+1 < len(run); i += 2 {
			if run[i] != '3' || !isDigit(run[i+1]) {
				bytes = 0
			} else if bytes++; bytes == shortestPAN {
				return true
			}
		}
	}
	return false
}

// maskDigits masks card numbers and what follows them on a track.
func maskDigits(s string) string {
	var out editor
	for i := 0; i < len(s); {
		if end := track1At(s, i); end > 0 {
			out.track1(s, i, end)
			i = end
			continue
		}
		size := digitAt(s, i)
		if size == 0 {
			i++
			continue
		}
		if n := timestampAt(s, i); n > 0 {
			i += n
			continue
		}
		i = out.number(s, i)
	}
	return out.text(s)
}

// number handles the digits that begin at start and returns where scanning goes on.
func (out *editor) number(s string, start int) int {
	end, count := digitsAt(s, start)
	data, separator := trackDataAt(s, end)
	sentinel := start > 0 && s[start-1] == ';'
	masked := start > 0 && s[start-1] == star // the rest of a number that was masked before
	switch {
	case count >= shortestPAN:
		out.replace(s, start, end, maskRun(s[start:end], count))
	case separator != 0 && sentinel && count >= shortestTrackPAN:
		out.replace(s, start, end, maskRun(s[start:end], 0))
	case separator != 0 && masked:
	default:
		return end
	}
	var stop int
	switch separator {
	case 0:
		return end
	case '^':
		stop = track1End(s, data)
		out.replace(s, data, stop, strings.Repeat(string(star), stop-data))
	default:
		stop = track2End(s, data)
		out.replace(s, data, stop, maskTrack2(s[data:stop]))
	}
	return stop
}

// track1 masks the track 1 between start ("%B") and end.
func (out *editor) track1(s string, start, end int) {
	number := start + len("%B")
	caret := number + strings.IndexByte(s[number:], '^')
	pan := s[number:caret]
	if !strings.ContainsRune(pan, star) {
		count := 0
		for i := 0; i < len(pan); i++ {
			if digitAt(pan, i) > 0 {
				count++
			}
		}
		out.replace(s, number, caret, maskRun(pan, count))
	} else {
		out.replace(s, number, caret, maskDigits(pan))
	}
	out.replace(s, caret+1, end, strings.Repeat(string(star), end-caret-1))
}

// maskRun masks a number of count digits, grouped or not; one shorter than 13 wholly.
func maskRun(run string, count int) string {
	var b strings.Builder
	k := 0
	for i := 0; i < len(run); {
		size := digitAt(run, i)
		switch {
		case size == 0: // a separator
			size = 1
			b.WriteByte(run[i])
		case count < shortestPAN || k >= shownFirst && k < count-shownLast:
			b.WriteByte(star)
			k++
		default:
			b.WriteString(run[i : i+size])
			k++
		}
		i += size
	}
	return b.String()
}

// maskTrack2 masks all but the characters that stand between digits.
func maskTrack2(data string) string {
	var b strings.Builder
	for i := 0; i < len(data); {
		size := track2CharAt(data, i)
		if size == 0 {
			b.WriteByte(data[i])
			i++
			continue
		}
		b.WriteByte(star)
		i += size
	}
	return b.String()
}

// editor builds a text from another with some parts replaced, from left to right.
type editor struct {
	b    strings.Builder
	done int // so much of the original is dealt with
}

func (out *editor) replace(s string, start, end int, with string) {
	out.b.WriteString(s[out.done:start])
	out.b.WriteString(with)
	out.done = end
}

func (out *editor) text(s string) string {
	if out.done == 0 {
		return s
	}
	out.b.WriteString(s[out.done:])
	return out.b.String()
}
