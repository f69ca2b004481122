package escpos

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/assay-hil/assay/rigs"
)

const (
	// maxText is the longest line in bytes; a longer one is broken.
	maxText = 1024
	// maxUntilNUL is the most data that is skipped in search of a NUL.
	maxUntilNUL = 256
)

// The printer's answers. Online, no error, paper there.
const (
	statusRealTime = 0x12 // DLE EOT: bits 1 and 4 are always set
	statusPaper    = 0x00 // GS r, ESC v
)

// charset gives the encoding by its name in the profile; nil for UTF-8.
func charset(name string) (encoding.Encoding, error) {
	switch strings.ToLower(name) {
	case "", "utf-8":
		return nil, nil
	case "gbk":
		return simplifiedchinese.GBK, nil
	case "gb18030":
		return simplifiedchinese.GB18030, nil
	}
	return nil, fmt.Errorf("unknown encoding %q: want utf-8, gbk or gb18030", name)
}

// sink turns printer bytes into paper, a byte at a time, so that it does not matter how the
// bytes were cut into reads. It has no clock and does no I/O.
type sink struct {
	charset encoding.Encoding

	text    []byte    // the line that is not printed yet
	textAt  time.Time // arrival of its first byte
	afterCR bool      // the last byte was a CR that ended a line

	cmd   []byte    // header of a command that is under way
	cmdAt time.Time // arrival of its first byte
	skip  int       // bytes of data still to be skipped
	scan  int       // the same, but a NUL ends it

	paper   []rigs.Paper // finished since the last take
	answers []byte       // to be sent back since the last take
}

// write takes bytes that arrived at one time.
func (s *sink) write(at time.Time, p []byte) {
	for len(p) > 0 {
		if s.skip > 0 {
			n := min(s.skip, len(p))
			s.skip -= n
			p = p[n:]
			continue
		}
		s.byte(at, p[0])
		p = p[1:]
	}
}

// take hands out what was finished: paper, and bytes for the terminal.
func (s *sink) take() ([]rigs.Paper, []byte) {
	paper, answers := s.paper, s.answers
	s.paper, s.answers = nil, nil
	return paper, answers
}

// midway says whether a command or its data is incomplete.
func (s *sink) midway() bool { return len(s.cmd) > 0 || s.skip > 0 || s.scan > 0 }

// abandon forgets an incomplete command.
func (s *sink) abandon() { s.cmd, s.skip, s.scan = s.cmd[:0], 0, 0 }

func (s *sink) byte(at time.Time, b byte) {
	switch {
	case s.scan > 0:
		s.scan--
		if b == 0 {
			s.scan = 0
		}
	case len(s.cmd) > 0:
		s.cmd = append(s.cmd, b)
		s.command()
	case b == esc || b == gs || b == fs || b == dle:
		s.afterCR = false
		s.cmd, s.cmdAt = append(s.cmd, b), at
	default:
		s.plain(at, b)
	}
}

// plain takes a byte that is no part of a command.
func (s *sink) plain(at time.Time, b byte) {
	afterCR := s.afterCR
	s.afterCR = false
	switch {
	case b == '\n' && afterCR:
	case b == '\n':
		s.endLine(at)
	case b == '\r' && len(s.text) > 0:
		s.endLine(at)
		s.afterCR = true
	case b == '\t':
		s.add(at, ' ')
	case b >= ' ' && b != 0x7F:
		s.add(at, b)
	}
}

func (s *sink) add(at time.Time, b byte) {
	if len(s.text) == 0 {
		s.textAt = at
	}
	s.text = append(s.text, b)
	if len(s.text) >= maxText {
		s.endLine(at)
	}
}

// endLine prints the line. at is used for a line without text.
func (s *sink) endLine(at time.Time) {
	if len(s.text) > 0 {
		at = s.textAt
	}
	s.paper = append(s.paper, rigs.Paper{At: at, Text: s.decode(s.text)})
	s.text = s.text[:0]
}

// endText prints the line if there is one.
func (s *sink) endText() {
	if len(s.text) > 0 {
		s.endLine(s.textAt)
	}
}

// decode gives a line's text without trailing blanks; wrong bytes become U+FFFD. No character
// of the encodings contains a byte below blank, so a line can be decoded by itself.
func (s *sink) decode(line []byte) string {
	text := string(line)
	if s.charset != nil {
		if decoded, err := s.charset.NewDecoder().String(text); err == nil {
			text = decoded
		}
	}
	return strings.TrimRight(strings.ToValidUTF8(text, "\uFFFD"), " \u3000")
}

// command carries out the command under way once its header is complete.
func (s *sink) command() {
	if headerLength(s.cmd) > len(s.cmd) {
		return
	}
	s.act()
	if n := payload(s.cmd); n <= maxPayload {
		s.skip = n
	}
	if untilNUL(s.cmd) {
		s.scan = maxUntilNUL
	}
	s.cmd = s.cmd[:0]
}

// act does what a command does to paper or line; all others only change how print looks.
func (s *sink) act() {
	switch c := s.cmd[1]; s.cmd[0] {
	case dle:
		if c == 0x04 {
			s.answers = append(s.answers, statusRealTime)
		}
	case esc:
		switch c {
		case '@':
			s.text = s.text[:0]
		case 'd', 'J', 'e', 'K':
			s.endText()
		case 'i', 'm':
			s.cut()
		case 'v', 'u':
			s.answers = append(s.answers, statusPaper)
		}
	case gs:
		switch c {
		case 'V':
			s.cut()
		case 'r':
			s.answers = append(s.answers, statusPaper)
		case 'v', 'k', 'Q':
			s.endText() // an image starts on a line of its own
		}
	}
}

func (s *sink) cut() {
	s.endText()
	s.paper = append(s.paper, rigs.Paper{At: s.cmdAt, Cut: true})
}
