package harness

import (
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/assay-hil/assay/fixtures/terminals"
)

// inspect looks at raw text, before it is masked, for what the masked record could not show: a card
// number in clear, which is the terminal's failure, and characters that no terminal sends,
// which is the line's.
func (s *Session) inspect(at time.Time, source string, lines ...string) {
	card := s.card()
	for _, line := range lines {
		if card != nil && len(line) >= len(card.PAN) && strings.Contains(digitsOf(line), card.PAN) {
			s.note(at, source, "leak", map[string]string{"what": "the card number in clear", "card": card.ID})
		}
		if strings.ContainsFunc(line, func(r rune) bool { return r == utf8.RuneError || unicode.IsControl(r) }) {
			s.setGarbled(source)
		}
	}
}

// digitsOf keeps the digits of a text: grouping does not hide a number.
func digitsOf(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}

// isGarbled says whether a line brought characters that no terminal sends, in this scenario.
func (s *Session) isGarbled(source string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.garbled[source]
}

// nearlyPrefix is how many characters of a pattern's beginning may be wrong for a line that was meant to
// match it.
const nearlyPrefix = 2

// brokenLine says whether a line that belongs to no screen was once part of one: it matches a
// pattern out of turn, or misses one's literal beginning by a few characters.
func brokenLine(screen terminals.Screen, line string) bool {
	for _, pattern := range []*regexp.Regexp{screen.Begin, screen.Row, screen.End, screen.Single} {
		if pattern == nil {
			continue
		}
		if pattern.MatchString(line) {
			return true
		}
		prefix, _ := pattern.LiteralPrefix()
		if len(prefix) <= 2*nearlyPrefix || len(line) < len(prefix) {
			continue
		}
		wrong := 0
		for i := range len(prefix) {
			if line[i] != prefix[i] {
				wrong++
			}
		}
		if wrong > 0 && wrong <= nearlyPrefix {
			return true
		}
	}
	return false
}

func (s *Session) setGarbled(source string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.garbled[source] = true
}

// tellingPIN is from how many digits on the beginning of a PIN is known for one inside a longer row;
// fewer may be part of an amount.
const tellingPIN = 3

// hidePIN blanks what shows the PIN of the presented card, and records that the terminal showed it.
// The record must not hold a PIN even where the terminal gives it away. A row that is nothing but a beginning
// of the PIN counts on the PIN screen only.
func (s *Session) hidePIN(at time.Time, source, row string, pinScreen bool) string {
	card := s.card()
	if card == nil || !strings.ContainsAny(row, "0123456789") {
		return row
	}
	hidden := digitRun.ReplaceAllStringFunc(row, func(run string) string {
		whole := run == card.PIN
		begun := pinScreen && strings.HasPrefix(card.PIN, run) && (len(run) >= tellingPIN || strings.TrimSpace(row) == run)
		if !whole && !begun {
			return run
		}
		return strings.Repeat("•", len(run))
	})
	if hidden != row {
		s.note(at, source, "leak", map[string]string{"what": "the PIN in clear", "card": card.ID})
	}
	return hidden
}

var digitRun = regexp.MustCompile(`[0-9]+`)
