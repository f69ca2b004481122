// Package track codes magnetic stripe tracks 1 and 2: ISO/IEC 7813 content, ISO/IEC 7811-2 symbols.
//
// A track is a byte slice with one byte a symbol, in the order in which the symbols go over the
// head, the least significant bit first:
//
//	track 1: 7 bits; bits 5…0 hold the character code minus 0x20, bit 6 odd parity
//	track 2: 5 bits; bits 3…0 hold the character code minus 0x30, bit 4 odd parity
//
// The start sentinel, the end sentinel and the LRC are symbols of the slice; clocking zeros are
// not. The LRC's data bits are the XOR of the data bits of all characters from the start sentinel
// to the end sentinel, both included; its parity bit is the odd parity of the LRC symbol itself.
//
// Errors of this package contain no digit, so nothing of a card can leak through one.
package track

import "errors"

// The ways in which a track can be unreadable.
var (
	// ErrBlank means that there is no symbol at all, or none that is not zero.
	ErrBlank = errors.New("track: blank")
	// ErrParity means that a symbol has even parity.
	ErrParity = errors.New("track: parity error")
	// ErrLRC means that the check symbol is missing or wrong.
	ErrLRC = errors.New("track: LRC error")
	// ErrSentinel means that the start sentinel is not first or that there is no end sentinel.
	ErrSentinel = errors.New("track: sentinel error")
	// ErrFormat means that the track reads well but its content is not that of a bank card:
	// a field with a wrong length or character, too many symbols, bits above the symbol's width.
	ErrFormat = errors.New("track: format error")
	// ErrDamage means that Damage does not know the kind, or got too short a track.
	ErrDamage = errors.New("track: damage not possible")
)

// Kinds of damage, as test card files name them.
const (
	DamageNone   = ""
	DamageParity = "parity"
	DamageLRC    = "lrc"
	DamageBlank  = "blank"
	DamageStart  = "start-sentinel"
	DamageEnd    = "end-sentinel"
)

// Damages lists the kinds of damage, sorted.
func Damages() []string {
	return []string{DamageBlank, DamageEnd, DamageLRC, DamageParity, DamageStart}
}

// minDamage is the shortest track that Damage takes: both sentinels, a character and the LRC.
const minDamage = 4

// Damage returns a copy of a track (1 or 2) with one defect, so that a reader reports exactly it:
//
//	"parity"  one bit of a symbol in the middle is flipped
//	"lrc"     two bits of the LRC are flipped: its own parity stays right
//	"blank"   every symbol is zero: there is clocking and nothing else
//	"start-sentinel", "end-sentinel"
//	          another character is in the sentinel's place, parity and LRC are right
//	""        none
//
// Error: ErrDamage.
func Damage(symbols []byte, kind string) ([]byte, error) {
	if len(symbols) < minDamage {
		return nil, ErrDamage
	}
	out := append([]byte(nil), symbols...)
	switch kind {
	case DamageNone:
	case DamageParity:
		out[len(out)/2] ^= 0b01
	case DamageLRC:
		out[len(out)-1] ^= 0b11
	case DamageBlank:
		clear(out)
	case DamageStart:
		return withoutSentinel(out, 0), nil
	case DamageEnd:
		return withoutSentinel(out, len(out)-2), nil
	default:
		return nil, ErrDamage
	}
	return out, nil
}

// withoutSentinel puts another character in the place of the sentinel at i: two bits are flipped, in it and in the LRC, so that
// both keep their parity and the LRC stays right. The LRC must not become an end sentinel by it, which would be found in its place.
func withoutSentinel(symbols []byte, i int) []byte {
	last := len(symbols) - 1
	end := symbols[last-1]
	for _, bits := range []byte{0b101, 0b110} {
		if symbols[last]^bits == end {
			continue
		}
		symbols[i] ^= bits
		symbols[last] ^= bits
		break
	}
	return symbols
}

// alphabet is one track's symbol coding.
type alphabet struct {
	base       byte // character of symbol 0
	bits       uint // data bits; the parity bit is the next one
	start, end byte // sentinels, as characters
}

var (
	alpha   = alphabet{base: 0x20, bits: 6, start: '%', end: '?'}
	numeric = alphabet{base: 0x30, bits: 4, start: ';', end: '?'}
)

// encode adds sentinels, parity and LRC to the text, whose characters must be in the alphabet.
func (a alphabet) encode(text string) []byte {
	symbols := make([]byte, 0, len(text)+3)
	var lrc byte
	add := func(char byte) {
		data := char - a.base
		lrc ^= data
		symbols = append(symbols, a.withParity(data))
	}
	add(a.start)
	for i := range len(text) {
		add(text[i])
	}
	add(a.end)
	return append(symbols, a.withParity(lrc))
}

// decode returns the text between the sentinels.
func (a alphabet) decode(symbols []byte, limit int) (string, error) {
	if blank(symbols) {
		return "", ErrBlank
	}
	if len(symbols) > limit {
		return "", ErrFormat
	}
	mask := byte(1)<<a.bits - 1
	text := make([]byte, len(symbols))
	for i, s := range symbols {
		if s>>(a.bits+1) != 0 {
			return "", ErrFormat
		}
		if s != a.withParity(s&mask) {
			return "", ErrParity
		}
		text[i] = s&mask + a.base
	}
	return a.frame(text)
}

// frame checks sentinels and LRC of the characters and returns what is between the sentinels.
func (a alphabet) frame(text []byte) (string, error) {
	if text[0] != a.start {
		return "", ErrSentinel
	}
	var lrc byte
	for i, char := range text {
		lrc ^= char - a.base
		if char != a.end {
			continue
		}
		switch rest := text[i+1:]; {
		case len(rest) == 0, rest[0]-a.base != lrc:
			return "", ErrLRC
		case len(rest) > 1:
			return "", ErrFormat
		}
		return string(text[1:i]), nil
	}
	return "", ErrSentinel
}

func (a alphabet) withParity(data byte) byte {
	parity := byte(1)
	for d := data; d != 0; d >>= 1 {
		parity ^= d & 1
	}
	return data | parity<<a.bits
}

func blank(symbols []byte) bool {
	for _, s := range symbols {
		if s != 0 {
			return false
		}
	}
	return true
}
