package grbl

import (
	"strings"
	"testing"
)

// Unanswered lines never need more room than the controller has, and one that is too long alone goes out alone.
func TestFitting(t *testing.T) {
	line := func(size int) order { return order{line: strings.Repeat("G", size-1)} } // and its LF
	for name, tt := range map[string]struct {
		orders []order
		want   int
	}{
		"one":                {[]order{line(10)}, 1},
		"all":                {[]order{line(60), line(60), line(7)}, 3},
		"one byte too many":  {[]order{line(60), line(60), line(8)}, 2},
		"the first too long": {[]order{line(200), line(5)}, 1},
	} {
		if got := fitting(tt.orders); got != tt.want {
			t.Errorf("%s: %d lines, want %d", name, got, tt.want)
		}
	}
}
