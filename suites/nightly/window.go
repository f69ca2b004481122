package nightly

import (
	"fmt"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/assay-hil/assay/fixtures/strict"
)

// Window is the time of day in which scenarios may begin. From 22:00 to 06:00 goes over midnight.
type Window struct {
	From Clock `yaml:"from,required"`
	To   Clock `yaml:"to,required"`
	Zone Zone  `yaml:"zone"` // such as Europe/Berlin; "" is this computer's
}

// Clock is a time of day, in minutes since midnight.
type Clock int

// UnmarshalStrict implements strict.Unmarshaler.
func (c *Clock) UnmarshalStrict(d *strict.Decoder, n *yaml.Node) {
	t, err := time.Parse("15:04", n.Value)
	if n.Kind != yaml.ScalarNode || err != nil {
		d.Errorf(n, "%q is not a time of day such as \"22:00\", in quotes", n.Value)
		return
	}
	*c = Clock(t.Hour()*60 + t.Minute())
}

func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60) }

// on gives the time on the day of t plus some days, in t's zone.
func (c Clock) on(t time.Time, days int) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day()+days, int(c)/60, int(c)%60, 0, 0, t.Location())
}

// Zone is a time zone; its zero value is this computer's.
type Zone struct{ *time.Location }

// UnmarshalStrict implements strict.Unmarshaler.
func (z *Zone) UnmarshalStrict(d *strict.Decoder, n *yaml.Node) {
	l, err := time.LoadLocation(n.Value)
	if n.Kind != yaml.ScalarNode || n.Value == "" || err != nil {
		d.Errorf(n, "%q is not a time zone such as Europe/Berlin or UTC", n.Value)
		return
	}
	z.Location = l
}

func (z Zone) location() *time.Location {
	if z.Location == nil {
		return time.Local
	}
	return z.Location
}

// Next gives the window that is open at now, or else the next to open.
func (w *Window) Next(now time.Time) (from, to time.Time) {
	now = now.In(w.Zone.location())
	length := 0
	if w.To <= w.From {
		length = 1 // it ends on the next day
	}
	for day := -1; ; day++ { // yesterday's may be open still; tomorrow's is not over
		from, to = w.From.on(now, day), w.To.on(now, day+length)
		if now.Before(to) {
			return from, to
		}
	}
}
