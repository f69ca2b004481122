package rules

import (
	"errors"
	"strings"
)

// errStar: a star that is not at the end.
var errStar = errors.New(`"*" stands for the rest and can only be at the end`)

// Pattern is a text in which "?" is any one character. With open set any rest may follow.
type Pattern struct {
	text string
	open bool
}

// ParsePattern reads a pattern; a star can only be at its end.
func ParsePattern(s string) (Pattern, error) {
	text, open := strings.CutSuffix(s, "*")
	if strings.Contains(text, "*") {
		return Pattern{}, errStar
	}
	return Pattern{text, open}, nil
}

// Matches says if a whole text fits.
func (p Pattern) Matches(s string) bool {
	if len(s) < len(p.text) || !p.open && len(s) > len(p.text) {
		return false
	}
	for i := range len(p.text) {
		if p.text[i] != '?' && p.text[i] != s[i] {
			return false
		}
	}
	return true
}

// excludes says that no text matches both.
func (p Pattern) excludes(q Pattern) bool {
	if !p.open && len(q.text) > len(p.text) || !q.open && len(p.text) > len(q.text) {
		return true
	}
	for i := range min(len(p.text), len(q.text)) {
		if a, b := p.text[i], q.text[i]; a != '?' && b != '?' && a != b {
			return true
		}
	}
	return false
}
