package judge

import (
	"testing"

	"github.com/assay-hil/assay/harness/record"
)

func TestTakenBack(t *testing.T) {
	undone := func(e record.Event) record.Event { e.Kind = "undelivered"; return e }
	first, again := with(reaches(2000, "0210", "7"), "connection", "1"), with(reaches(3000, "0210", "7"), "connection", "2")
	for name, c := range map[string]struct {
		events []record.Event
		want   int
	}{
		"delivered":               {[]record.Event{first, again}, 2},
		"one taken back":          {[]record.Event{first, again, undone(again)}, 2},
		"the other connection's":  {[]record.Event{first, undone(again)}, 2},
		"both":                    {[]record.Event{first, undone(first), again, undone(again)}, 2},
		"told again after it was": {[]record.Event{first, undone(first), first}, 2},
	} {
		kept := handedOn(c.events)
		if len(kept) != c.want {
			t.Errorf("%s: %d events are left, not %d", name, len(kept), c.want)
		}
	}
	if left := handedOn([]record.Event{first, undone(first)}); len(left) != 1 || left[0].Kind != "undelivered" {
		t.Errorf("a delivery that was taken back stands: %v", left)
	}
}
