package bank

import (
	"testing"
	"time"
)

func TestExpired(t *testing.T) {
	shanghai := time.FixedZone("CST", 8*3600)
	last := time.Date(2031, 12, 31, 23, 59, 59, 999_999_999, shanghai)
	for _, c := range []struct {
		expiry string
		now    time.Time
		want   bool
	}{
		{"3112", last, false},
		{"3112", last.Add(1), true},
		{"3112", last.Add(1).UTC(), false}, // the day is that of the clock's place
		{"3201", last.Add(1), false},
		{"3111", last, true},
		{"3012", last, true},
		{"3101", time.Date(2030, 12, 1, 0, 0, 0, 0, time.UTC), false},
		{"3100", time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), true},
		{"3113", time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), true},
		{"", last, true}, {"312", last, true}, {"31x2", last, true}, {"-112", last, true}, {"+312", last, true},
	} {
		if got := expired(c.expiry, c.now); got != c.want {
			t.Errorf("card until %q at %v: expired %v", c.expiry, c.now, got)
		}
	}
}
