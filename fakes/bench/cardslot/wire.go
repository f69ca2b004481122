package cardslot

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
)

// Kinds of lines (PROTOCOL.md §1).
const (
	kindRequest = '>'
	kindReply   = '<'
	kindEvent   = '!'
	kindAck     = '='
)

// tailLength is "*" and the four digits of the checksum.
const tailLength = 5

// message is one valid line.
type message struct {
	kind   byte
	number byte
	verb   string
	args   []string
	body   string // everything before the '*': a repeat has the same
}

// parse reads one line without its LF and CRs; false when it can't be trusted.
func parse(text []byte) (message, bool) {
	cut := len(text) - tailLength
	if cut < len(">00 X") || text[cut] != '*' || !printable(text) {
		return message{}, false
	}
	body := text[:cut]
	sum, ok := unhex(string(text[cut+1:]))
	if !ok || crc16(body) != uint16(sum[0])<<8|uint16(sum[1]) {
		return message{}, false
	}
	number, ok := unhex(string(body[1:3]))
	if !ok || body[3] != ' ' || bytes.IndexByte(body, '*') >= 0 {
		return message{}, false
	}
	words := strings.Split(string(body[4:]), " ")
	for _, word := range words {
		if word == "" {
			return message{}, false
		}
	}
	return message{kind: body[0], number: number[0], verb: words[0], args: words[1:], body: string(body)}, true
}

// format makes a line with its checksum and LF.
func format(kind, number byte, text string) []byte {
	body := fmt.Sprintf("%c%02X %s", kind, number, text)
	return fmt.Appendf(nil, "%s*%04X\n", body, crc16([]byte(body)))
}

func printable(text []byte) bool {
	for _, c := range text {
		if c < 0x20 || c > 0x7E {
			return false
		}
	}
	return true
}

// unhex takes upper-case digits only.
func unhex(text string) ([]byte, bool) {
	if strings.ToUpper(text) != text {
		return nil, false
	}
	b, err := hex.DecodeString(text)
	return b, err == nil
}

// byteString reads an argument; "-" is the empty string.
func byteString(word string) ([]byte, bool) {
	if word == "-" {
		return nil, true
	}
	b, ok := unhex(word)
	return b, ok && len(b) > 0
}

// toHex writes a byte string that is not empty.
func toHex(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }

// crc16 is CRC-16/CCITT-FALSE, four bits at a time.
func crc16(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, c := range b {
		crc = crc<<4 ^ nibbles[crc>>12^uint16(c>>4)]
		crc = crc<<4 ^ nibbles[crc>>12^uint16(c&0xF)]
	}
	return crc
}

// nibbles are the multiples of the polynomial 0x1021.
var nibbles = [16]uint16{
	0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50A5, 0x60C6, 0x70E7,
	0x8108, 0x9129, 0xA14A, 0xB16B, 0xC18C, 0xD1AD, 0xE1CE, 0xF1EF,
}

// splitter cuts a stream into lines. The zero value is ready.
type splitter struct {
	line []byte
	over bool // the line has outgrown LineLimit: skip to its LF
}

// feed calls take with each line that is complete; take must not keep it.
func (s *splitter) feed(chunk []byte, take func(line []byte)) {
	for _, c := range chunk {
		switch {
		case c == '\r':
		case c == '\n':
			if !s.over && len(s.line) > 0 {
				take(s.line)
			}
			s.line, s.over = s.line[:0], false
		case len(s.line) == LineLimit:
			s.over = true
		default:
			s.line = append(s.line, c)
		}
	}
}
