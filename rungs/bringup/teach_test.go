package bringup

import (
	"math"
	"strings"
	"testing"

	"github.com/assay-hil/assay/rigs/keypad/grbl"
)

func TestParseMove(t *testing.T) {
	for _, c := range []struct {
		typed string
		by    grbl.Point
		to    *grbl.Point
		wrong string
	}{
		{typed: "x1.5 Z-0.2", by: grbl.Point{X: 1.5, Z: -0.2}}, {typed: " y-1 y-1 ", by: grbl.Point{Y: -2}},
		{typed: "@-180, -140,-40.5", to: &grbl.Point{X: -180, Y: -140, Z: -40.5}},
		{typed: "", wrong: "type a move"}, {typed: "a1", wrong: "is no move"}, {typed: "x", wrong: "is no move"}, {typed: "zNaN", wrong: "is no move"},
		{typed: "@1,2", wrong: "three numbers"}, {typed: "@1,2,inf", wrong: "three numbers"}, {typed: "@1,2,3,4", wrong: "three numbers"},
	} {
		m, err := parseMove(c.typed)
		switch {
		case c.wrong != "":
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%q: %v, want %q", c.typed, err, c.wrong)
			}
		case err != nil || m.by != c.by || (m.to == nil) != (c.to == nil) || m.to != nil && *m.to != *c.to:
			t.Errorf("%q: %+v, %v", c.typed, m, err)
		}
	}
}

func FuzzParseMove(f *testing.F) {
	for _, seed := range []string{"x1 y2 z-3", "@1,2,3", "ok", "up", "quit", "é1", "@,,"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		m, err := parseMove(typed)
		if err == nil && (math.IsNaN(m.by.X) || math.IsNaN(m.by.Y) || math.IsNaN(m.by.Z)) {
			t.Errorf("%q: %+v", typed, m)
		}
	})
}
