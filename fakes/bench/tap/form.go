package tap

import (
	"regexp"

	"github.com/assay-hil/assay/fixtures/terminals"
)

// The lines that this debug line says, as patterns.
var (
	beginForm = regexp.MustCompile(`^\[LCD\] begin$`)
	rowForm   = regexp.MustCompile(`^\[LCD\] (?P<row>\d+)\|(?P<text>.*)$`)
	endForm   = regexp.MustCompile(`^\[LCD\] end$`)
)

// Spoken gives the profile of a terminal that is simulated: its debug line is this one, whatever patterns the real
// terminal's needs. p is not changed, and given back where its patterns read this line anyway.
func Spoken(p *terminals.Profile) *terminals.Profile {
	s := p.Screen
	if s.Single == nil && s.Begin.MatchString("[LCD] begin") && s.End.MatchString("[LCD] end") && reads(s.Row) {
		return p
	}
	q := *p
	q.Screen.Single, q.Screen.Begin, q.Screen.Row, q.Screen.End = nil, beginForm, rowForm, endForm
	return &q
}

// reads says whether a pattern finds the text of a row.
func reads(row *regexp.Regexp) bool {
	const text = "ENTER AMOUNT"
	m := row.FindStringSubmatch("[LCD] 0|" + text)
	return m != nil && m[row.SubexpIndex("text")] == text
}
