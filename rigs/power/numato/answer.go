package numato

import (
	"bytes"
	"errors"
	"strings"
)

// prompt ends every answer. No answer contains it.
const prompt = '>'

// maxAnswer is the longest answer, prompt included, that is waited for.
const maxAnswer = 1024

// ErrAnswer is returned for an answer that is too long or not one that the command can have.
var ErrAnswer = errors.New("answer makes no sense")

// answer collects what the board says up to its prompt.
type answer struct {
	bytes []byte
}

// feed takes more bytes. It is complete at the first prompt; rest is what follows that.
func (a *answer) feed(p []byte) (rest []byte, complete bool, err error) {
	if end := bytes.IndexByte(p, prompt); end >= 0 {
		p, rest, complete = p[:end], p[end+1:], true
	}
	if len(a.bytes)+len(p) > maxAnswer {
		return nil, false, ErrAnswer
	}
	a.bytes = append(a.bytes, p...)
	return rest, complete, nil
}

// lines gives the answer's lines without the command's echo, blanks and empty lines.
func (a *answer) lines(command string) []string {
	var lines []string
	for _, l := range strings.FieldsFunc(string(a.bytes), func(r rune) bool { return r == '\r' || r == '\n' }) {
		l = strings.Trim(l, " \t\x00")
		if l == "" || len(lines) == 0 && l == command {
			continue
		}
		lines = append(lines, l)
	}
	return lines
}

// state reads the answer to "relay read": exactly one line, "on" or "off".
func (a *answer) state(command string) (on, ok bool) {
	lines := a.lines(command)
	if len(lines) != 1 {
		return false, false
	}
	on = strings.EqualFold(lines[0], "on")
	return on, on || strings.EqualFold(lines[0], "off")
}
