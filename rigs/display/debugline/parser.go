package debugline

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs"
)

// maxRows is the most rows that one screen may have. A row beyond is noise.
const maxRows = 64

// maxHeld is how much noise may wait for the screen that it interrupts.
const maxHeld = 64

// parser turns decoded lines into screens. It has no clock: the driver tells it when the line
// went quiet.
type parser struct {
	screen terminals.Screen
	open   bool // a Begin was seen and no End yet
	at     time.Time
	rows   []string
	held   []rigs.Screen // noise inside the open screen
}

// line takes one line and returns the screens that it completes, in order of arrival.
func (p *parser) line(at time.Time, text string) []rigs.Screen {
	switch {
	case matches(p.screen.Begin, text):
		done := p.flush()
		p.open, p.at = true, at
		return done
	case p.open && matches(p.screen.End, text):
		return p.flush()
	case p.open && p.row(text):
		return nil
	}
	if rows, ok := p.single(text); ok {
		return append(p.flush(), rigs.Screen{At: at, Lines: trim(rows)})
	}
	return p.noise(at, text)
}

// flush ends the open screen, if there is one, and hands out the noise that it held back.
func (p *parser) flush() []rigs.Screen {
	if !p.open {
		return nil
	}
	done := append([]rigs.Screen{{At: p.at, Lines: trim(p.rows)}}, p.held...)
	p.open, p.rows, p.held = false, nil, nil
	return done
}

// noise hands out a line that no pattern knows, or holds it back while a screen is open.
func (p *parser) noise(at time.Time, text string) []rigs.Screen {
	if text == "" {
		return nil
	}
	s := rigs.Screen{At: at, Noise: text}
	if !p.open {
		return []rigs.Screen{s}
	}
	p.held = append(p.held, s)
	if len(p.held) >= maxHeld {
		return p.flush()
	}
	return nil
}

// row adds a row to the open screen; false when the line is none.
func (p *parser) row(text string) bool {
	number, text, ok := capture(p.screen.Row, text)
	if !ok {
		return false
	}
	index := len(p.rows)
	if number != "" {
		var err error
		if index, err = strconv.Atoi(number); err != nil || index < 0 {
			return false
		}
	}
	if index >= maxRows {
		return false
	}
	for len(p.rows) <= index {
		p.rows = append(p.rows, "")
	}
	p.rows[index] = text
	return true
}

// single reads a screen that is one line.
func (p *parser) single(text string) ([]string, bool) {
	_, text, ok := capture(p.screen.Single, text)
	if !ok {
		return nil, false
	}
	if p.screen.Separator == "" {
		return []string{text}, true
	}
	return strings.SplitN(text, p.screen.Separator, maxRows), true
}

func matches(pattern *regexp.Regexp, text string) bool {
	return pattern != nil && pattern.MatchString(text)
}

// capture gives a pattern's groups "row" and "text". A pattern without a group "text" gives its whole match as text.
func capture(pattern *regexp.Regexp, line string) (row, text string, ok bool) {
	if pattern == nil {
		return "", "", false
	}
	found := pattern.FindStringSubmatch(line)
	if found == nil {
		return "", "", false
	}
	text = found[0]
	for i, name := range pattern.SubexpNames() {
		switch name {
		case "row":
			row = found[i]
		case "text":
			text = found[i]
		}
	}
	return row, text, true
}

// trim drops trailing blanks of each row and trailing empty rows.
func trim(rows []string) []string {
	lines := make([]string, 0, len(rows))
	for _, r := range rows {
		lines = append(lines, strings.TrimRight(r, " \t\u3000"))
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}
