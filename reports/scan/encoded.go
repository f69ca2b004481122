package scan

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"unicode/utf8"
)

// Shortest tokens that are worth decoding: base64 of a packed number and its tag, hexadecimal of an 8-byte PIN block.
const (
	shortestBase64 = 14
	shortestHex    = 16
)

const (
	notToken = iota
	hexToken
	otherToken // of base64's alphabet
)

var tokenClass = func() (class [256]byte) {
	for c := range 256 {
		switch b := byte(c); {
		case isHex(b):
			class[c] = hexToken
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b == '+', b == '/', b == '_', b == '-':
			class[c] = otherToken
		}
	}
	return class
}()

// tokens decodes whatever could be hexadecimal or base64, and looks inside.
func (l *look) tokens(b []byte, at int, how string, nested int) {
	for i := 0; i < len(b); i++ {
		if tokenClass[b[i]] == notToken {
			continue
		}
		start, allHex := i, true
		for i < len(b) && tokenClass[b[i]] != notToken {
			allHex = allHex && tokenClass[b[i]] == hexToken
			i++
		}
		token := b[start:i]
		if allHex && len(token) >= shortestHex {
			l.hexadecimal(token, at+start, how)
		} else if len(token) >= shortestHex {
			l.hexParts(token, at+start, how)
		}
		if len(token) >= shortestBase64 && nested > 0 {
			l.base64(token, at+start, start == 0, nested)
		}
	}
}

// hexParts looks at the hexadecimal within a token of base64's alphabet: dashes and slashes group it.
func (l *look) hexParts(token []byte, at int, how string) {
	var joined []byte
	for i := 0; i <= len(token); i++ {
		if i < len(token) && isHex(token[i]) {
			joined = append(joined, token[i])
			continue
		}
		if i < len(token) && (token[i] == '/' || token[i] == '-') {
			continue
		}
		if len(joined) >= shortestHex {
			l.hexadecimal(joined, at, how)
		}
		joined = joined[:0]
	}
}

// hexadecimal looks for digits behind hexadecimal: those of ASCII, UTF-16 and EBCDIC, and packed ones.
func (l *look) hexadecimal(token []byte, at int, how string) {
	for odd := range min(2, len(token)) {
		raw, err := hex.DecodeString(string(token[odd : odd+(len(token)-odd)&^1]))
		if err != nil {
			return
		}
		l.digits(raw, at, "hexadecimal")
		l.ebcdic(raw, at, "hexadecimal")
		l.blocks(raw, at, "hexadecimal")
		for i := range l.scanner.cards {
			if bytes.Contains(raw, l.scanner.cards[i].packed[0]) {
				l.found("card number", joined("packed digits, hexadecimal", how), at)
			}
		}
		if odd == 0 && len(token) != 64 {
			l.tagged(raw, at, "hexadecimal")
			if len(token) <= 4*shortestHex {
				l.format2(raw, at, "hexadecimal")
			}
		}
	}
}

// base64 decodes a token in both alphabets. One that begins a piece may have lost its beginning: then each
// of the four alignments is tried.
func (l *look) base64(token []byte, at int, cut bool, nested int) {
	alignments := 1
	if cut {
		alignments = 4
	}
	for skip := range min(alignments, len(token)) {
		t := token[skip:]
		t = t[:len(t)&^3+[4]int{0, 0, 2, 3}[len(t)&3]]
		encoding := base64.RawStdEncoding
		if bytes.ContainsAny(t, "-_") {
			encoding = base64.RawURLEncoding
		}
		raw, err := encoding.DecodeString(string(t))
		if err != nil || len(raw) < 8 {
			continue
		}
		l.all(raw, at, "base64", nested-1)
	}
}

// packed looks at bytes as packed digits, where no text is.
func (l *look) packed(b []byte, at int, how string) {
	name := "packed digits"
	if how != "" {
		name += ", " + how
	}
	plain := text(b)
	for i := range l.scanner.cards {
		k := &l.scanner.cards[i]
		if plain && !text(k.packed[0]) && !text(k.packed[1]) {
			continue // and no PIN block in clear is text either: it ends in FF, or in the number
		}
		if n := bytes.Index(b, k.packed[0]); n >= 0 {
			l.found("card number", name, at+n)
		}
		if n := odd(b, k); n >= 0 {
			l.found("card number", name, at+n)
		}
	}
	if plain {
		return // neither a length nor a tag in binary is in it
	}
	l.blocks(b, at, how)
	if l.cut {
		return // checksums and sequence numbers of packets look like anything
	}
	l.ebcdic(b, at, how)
	l.tagged(b, at, how)
}

// text says that there is nothing but characters that a text has: what we write as text has no other.
func text(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7F {
			return false
		}
	}
	return utf8.Valid(b)
}

// odd finds a known number whose digits begin in the low nibble of a byte.
func odd(b []byte, k *known) int {
	inner := k.packed[1]
	for from := 0; from < len(b); {
		n := bytes.Index(b[from:], inner)
		if n < 0 {
			return -1
		}
		n += from
		if n > 0 && b[n-1]&15 == k.edge[0] {
			return n - 1
		}
		from = n + 1
	}
	return -1
}

// blocks finds the PIN blocks of known cards.
func (l *look) blocks(b []byte, at int, how string) {
	for i := range l.scanner.cards {
		for _, block := range l.scanner.cards[i].blocks {
			if n := bytes.Index(b, block); n >= 0 {
				l.found("PIN block", how, at+n)
			}
		}
	}
}

// format2 finds PIN blocks of ISO 9564-1 format 2, which hide nothing of the PIN.
func (l *look) format2(b []byte, at int, how string) {
	for i := 0; i+8 <= len(b); i++ {
		if isFormat2(b[i : i+8]) {
			l.found("PIN block", how, at+i)
			return
		}
	}
}

func isFormat2(block []byte) bool {
	n := int(block[0] & 15)
	if block[0]>>4 != 2 || n < 4 || n > 12 {
		return false
	}
	for i := range 14 {
		nibble := block[1+i/2] >> (4 * (1 - i%2)) & 15
		if i < n && nibble > 9 || i >= n && nibble != 15 {
			return false
		}
	}
	return true
}

// ebcdic looks for runs of EBCDIC digits.
func (l *look) ebcdic(b []byte, at int, how string) {
	name := "EBCDIC"
	if how != "" {
		name += ", " + how
	}
	for i := 0; i < len(b); i++ {
		start := i
		var run []byte
		for i < len(b) && b[i] >= 0xF0 && b[i] <= 0xF9 && len(run) < maxRun {
			run = append(run, '0'+b[i]&15)
			i++
		}
		if l.scanner.knows(run) || len(run) <= longest && len(run) >= shortest && plausible(run) {
			l.found("card number", name, at+start)
		}
	}
}

// tagged looks for numbers that stand behind their tag (EMV 5A, 57) or their length (ISO 8583, packed), and for
// packed track 2.
func (l *look) tagged(b []byte, at int, how string) {
	for i := 0; i+1 < len(b); i++ {
		switch length := int(b[i+1]); {
		case b[i] == 0x5A && length >= 7 && length <= 10 && i+2+length <= len(b):
			if plausible(nibbles(b[i+2:i+2+length], longest+1)) {
				l.found("card number", joined("tag 5A", how), at+i)
			}
		case b[i] >= 0x13 && b[i] <= 0x19 && afterBitmap(b, i):
			n := int(b[i]>>4)*10 + int(b[i]&15)
			if i+1+(n+1)/2 > len(b) {
				continue
			}
			value := b[i+1 : i+1+(n+1)/2]
			if d := nibbles(value, n); len(d) == n && plausible(d) {
				l.found("card number", joined("packed digits", how), at+i)
			} else if n%2 == 1 { // filled on the left
				if d := nibbles(value, n+1); len(d) == n+1 && d[0] == '0' && plausible(d[1:]) {
					l.found("card number", joined("packed digits", how), at+i)
				}
			}
		}
	}
	l.packedTrack(b, at, how)
}

// afterBitmap says whether an ISO 8583 message type and a bitmap with field 2 in it end at i. A length alone proves nothing: times and
// dates look the same.
func afterBitmap(b []byte, i int) bool {
	for _, size := range []int{8, 16} {
		start := i - size - 2
		if start < 0 || b[start+2]&0x40 == 0 || (size == 16) != (b[start+2]&0x80 != 0) {
			continue
		}
		if mti := b[start : start+2]; mti[0]>>4 <= 1 && mti[0]&15 >= 1 && mti[0]&15 <= 8 && mti[1]>>4 <= 9 && mti[1]&15 <= 5 {
			return true
		}
	}
	return false
}

func joined(what, how string) string {
	if how == "" {
		return what
	}
	return what + ", " + how
}

// nibbles are the packed digits that b begins with, at most n.
func nibbles(b []byte, n int) []byte {
	d := make([]byte, 0, longest+1)
	for i := 0; i < 2*len(b) && len(d) < n; i++ {
		nibble := b[i/2] >> (4 * (1 - i%2)) & 15
		if nibble > 9 {
			break
		}
		d = append(d, '0'+nibble)
	}
	return d
}

// packedTrack looks for track 2 as EMV and ISO 8583 pack it: digits, D, date and service code. It counts where the digits
// begin, or behind its length: anywhere in a longer run of digits, as a message of amounts, dates and zeros is, a few bytes of a
// MAC look like a separator and a date every few thousand messages.
func (l *look) packedTrack(b []byte, at int, how string) {
	run := make([]byte, 0, longest+1)
	for i := 0; i < 2*len(b); i++ {
		nibble := nibbleAt(b, i)
		switch {
		case nibble <= 9:
			if len(run) <= longest {
				run = append(run, '0'+nibble)
			} else {
				copy(run, run[1:])
				run[longest] = '0' + nibble
			}
			continue
		case nibble == 0xD && len(run) >= shortest && dated(b, i+1):
			for n := shortest; n <= min(longest, len(run)); n++ {
				if plausible(run[len(run)-n:]) && (n == len(run) || trackMeasured(b, i-n, i)) {
					l.found("track 2", joined("packed digits", how), at+i/2)
				}
			}
		}
		run = run[:0]
	}
}

// nibbleAt is the nth nibble, the upper one of a byte first.
func nibbleAt(b []byte, n int) byte { return b[n/2] >> (4 * (1 - n%2)) & 15 }

// trackMeasured says whether the length of a track 2 stands before it: that of ISO 8583 field 35, in digits, or that of EMV's
// tag 57 or 9F6B, in bytes. start and separator are nibbles.
func trackMeasured(b []byte, start, separator int) bool {
	const mostTrack = 37 // digits, ISO/IEC 7813
	before := start/2 - 1
	if start%2 != 0 || before < 0 {
		return false
	}
	length := int(b[before])
	if before > 0 && (b[before-1] == 0x57 || b[before-1] == 0x6B) && 2*length > separator-start && 2*length <= mostTrack+1 {
		return true
	}
	digits := length>>4*10 + length&15
	if length>>4 > 9 || length&15 > 9 || digits > mostTrack || start+digits < separator+8 || start+digits > 2*len(b) {
		return false
	}
	for i := separator + 1; i < start+digits; i++ {
		if nibbleAt(b, i) > 9 {
			return false
		}
	}
	return true
}

// dated says whether a date (YYMM) and a service code stand at a nibble.
func dated(b []byte, at int) bool {
	for i := at; i < at+7; i++ {
		if i >= 2*len(b) || b[i/2]>>(4*(1-i%2))&15 > 9 {
			return false
		}
	}
	month := (b[(at+2)/2]>>(4*(1-at%2))&15)*10 + b[(at+3)/2]>>(4*(1-(at+3)%2))&15
	return month >= 1 && month <= 12
}
