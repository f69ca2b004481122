package tap_test

import (
	"regexp"
	"testing"

	"github.com/assay-hil/assay/fakes/bench/tap"
	"github.com/assay-hil/assay/fixtures/terminals"
)

// A terminal whose debug line has a form of its own is simulated all the same; one whose patterns fit keeps them.
func TestSpoken(t *testing.T) {
	p, err := terminals.Load("countertop")
	if err != nil {
		t.Fatal(err)
	}
	if tap.Spoken(p) != p {
		t.Error("the patterns fit, and were replaced")
	}
	own := *p
	own.Screen.Single, own.Screen.Begin, own.Screen.Row, own.Screen.End = regexp.MustCompile(`^SCREEN (?P<text>.*)$`), nil, nil, nil
	s := tap.Spoken(&own).Screen
	if s.Single != nil || !s.Begin.MatchString("[LCD] begin") || !s.End.MatchString("[LCD] end") {
		t.Errorf("%+v", s)
	}
	if m := s.Row.FindStringSubmatch("[LCD] 1|12.50"); m == nil || m[s.Row.SubexpIndex("text")] != "12.50" || m[s.Row.SubexpIndex("row")] != "1" {
		t.Errorf("row: %v", m)
	}
	if own.Screen.Single == nil {
		t.Error("the profile itself was changed")
	}
	own.Screen = p.Screen
	own.Screen.Row = regexp.MustCompile(`^(?P<text>L).*$`)
	if tap.Spoken(&own) == &own {
		t.Error("a pattern that finds another text was kept")
	}
}
