package relay

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// maxLine is the longest line without its LF, PROTOCOL.md §1.
const maxLine = 1100

// kind is the first character of a line, PROTOCOL.md §1.
type kind byte

const (
	request kind = '>'
	reply   kind = '<'
	event   kind = '!'
	ack     kind = '='
)

// message is one line without its checksum.
type message struct {
	kind kind
	seq  byte
	// words are the verb and its arguments; never empty.
	words []string
}

// errLine is returned for a line that must be dropped in silence: its form, kind, length or
// checksum is wrong. It holds nothing of the line, which may be card data.
var errLine = errors.New("not a line of the card relay protocol")

// encode gives the line with its checksum and LF. It fails when the line would be longer
// than the protocol allows.
func (m message) encode() ([]byte, error) {
	text := fmt.Sprintf("%c%02X %s", m.kind, m.seq, strings.Join(m.words, " "))
	line := fmt.Appendf(nil, "%s*%04X\n", text, checksum([]byte(text)))
	if len(line)-1 > maxLine {
		return nil, fmt.Errorf("%s: %d bytes, a line holds %d", m.words[0], len(line)-1, maxLine)
	}
	return line, nil
}

// parseLine reads one line without its LF. A CR is ignored wherever it stands. A line that is
// wrong in any way gives errLine; an empty one gives a message without words and no error.
func parseLine(line []byte) (message, error) {
	line = bytes.ReplaceAll(line, []byte("\r"), nil)
	if len(line) == 0 {
		return message{}, nil
	}
	// The shortest line is ">00 A*FFFF".
	if len(line) < 10 || len(line) > maxLine || line[len(line)-5] != '*' {
		return message{}, errLine
	}
	text, sum := line[:len(line)-5], line[len(line)-4:]
	if want, ok := unhex(string(sum)); !ok || uint16(want[0])<<8|uint16(want[1]) != checksum(text) {
		return message{}, errLine
	}
	seq, ok := unhex(string(text[1:3]))
	if !ok || text[3] != ' ' || !strings.ContainsRune("><!=", rune(text[0])) {
		return message{}, errLine
	}
	words := strings.Split(string(text[4:]), " ")
	for _, w := range words {
		if !isWord(w) {
			return message{}, errLine
		}
	}
	return message{kind: kind(text[0]), seq: seq[0], words: words}, nil
}

// isWord says whether w is not empty and printable 7-bit ASCII.
func isWord(w string) bool {
	for i := range len(w) {
		if w[i] <= ' ' || w[i] > '~' {
			return false
		}
	}
	return w != ""
}

// checksum is CRC-16/CCITT-FALSE, PROTOCOL.md §1.
func checksum(p []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, b := range p {
		crc = crc<<8 ^ checksums[byte(crc>>8)^b]
	}
	return crc
}

// checksums are the remainders of each byte.
var checksums = func() (table [256]uint16) {
	for b := range table {
		crc := uint16(b) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
		table[b] = crc
	}
	return table
}()

// byteString gives a word for bytes: upper case hexadecimal, "-" for none.
func byteString(p []byte) string {
	if len(p) == 0 {
		return "-"
	}
	return strings.ToUpper(hex.EncodeToString(p))
}

// parseBytes is the inverse of byteString.
func parseBytes(word string) ([]byte, bool) {
	if word == "-" {
		return nil, true
	}
	return unhex(word)
}

// unhex reads upper case hexadecimal digits, at least one pair.
func unhex(word string) ([]byte, bool) {
	if word == "" || strings.ContainsAny(word, "abcdef") {
		return nil, false
	}
	p, err := hex.DecodeString(word)
	return p, err == nil
}
