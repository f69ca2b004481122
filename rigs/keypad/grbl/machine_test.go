package grbl

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/assay-hil/assay/fixtures/terminals"
)

func TestDwell(t *testing.T) {
	tests := []struct {
		name             string
		accel, rate      float64 // mm/s², mm/min
		wanted           time.Duration
		overtravel, feed float64
		want             time.Duration
	}{
		// Measured on GRBL 1.1h: 1 mm below the plane at 300 mm/s² takes 2 × 82 ms.
		{"all braking", 300, 3000, 300 * time.Millisecond, 1, 2000, 300*time.Millisecond - 2*81650*time.Microsecond},
		{"clamped: braking alone is longer", 10, 500, 80 * time.Millisecond, 0.2, 1500, 0},
		{"feed too slow for all of it to be braking", 300, 6000, time.Second, 1, 600, time.Second - 116667*time.Microsecond - 81650*time.Microsecond},
		{"feed capped by the rate", 300, 600, time.Second, 1, 6000, time.Second - 2*116667*time.Microsecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := Machine{Rate: [3]float64{2: tt.rate}, Accel: [3]float64{2: tt.accel}}
			if got := m.dwell(tt.wanted, tt.overtravel, tt.feed); (got - tt.want).Abs() > 10*time.Microsecond {
				t.Errorf("dwell = %v, want %v", got, tt.want)
			}
		})
	}
}

// Where all is braking, the time is 2·sqrt(2·overtravel/a) in all.
func TestBrakeIsTheFormulaOfConstantAcceleration(t *testing.T) {
	if got, want := brake(0.2, 1000, 300), math.Sqrt(2*0.2/300); math.Abs(got-want) > 1e-12 {
		t.Errorf("brake = %v, want %v", got, want)
	}
	if a, b := brake(1, math.Sqrt(2*300), 300), brake(1, math.Sqrt(2*300)*0.9999, 300); math.Abs(a-b) > 1e-4 {
		t.Errorf("the two cases don't meet: %v and %v", a, b)
	}
}

func TestHomingLimit(t *testing.T) {
	stock := Machine{HomingSeek: 500, HomingFeed: 25, PullOff: 1, Travel: [3]float64{200, 200, 200}, Accel: [3]float64{10, 10, 10}}
	long, endless, untold, fast := stock, stock, stock, stock
	long.Travel = [3]float64{1000, 1200, 400}
	endless.HomingSeek = 10
	untold.HomingSeek = 0
	fast.HomingSeek, fast.HomingFeed = 5000, 500
	for name, c := range map[string]struct {
		machine     Machine
		least, most time.Duration
	}{
		// 1.5 × 200 mm at 500 mm/min and 5 mm at 25 mm/min, twice, and half as much again.
		"stock":            {stock, 140 * time.Second, 160 * time.Second},
		"long axes":        {long, 7 * time.Minute, 9 * time.Minute},
		"too slow":         {endless, homingMax, homingMax},
		"nothing is known": {untold, homingMin, homingMin},
		"fast":             {fast, homingMin, homingMin},
	} {
		if got := c.machine.homingLimit(); got < c.least || got > c.most {
			t.Errorf("%s: %v, want %v to %v", name, got, c.least, c.most)
		}
	}
}

func TestTravelIsAnUpperBound(t *testing.T) {
	m := Machine{Rate: [3]float64{600, 600, 300}, Accel: [3]float64{10, 10, 10}}
	if got := m.travel(Point{}, Point{}); got != 0 {
		t.Errorf("no way takes %v", got)
	}
	// 100 mm at 10 mm/s, and 1 s to speed up and brake.
	if got := m.travel(Point{X: -100}, Point{}); got != 11*time.Second {
		t.Errorf("100 mm take %v", got)
	}
	if got := m.travel(Point{}, Point{X: 1e300, Y: math.Inf(1)}); got != travelMax {
		t.Errorf("an endless way takes %v", got)
	}
}

func TestUnknownKeyNamesTheNearest(t *testing.T) {
	keys := map[string]terminals.Key{"1": {}, "2": {}, "enter": {}, "cancel": {}, "clear": {}}
	for name, want := range map[string]string{
		"Entre": "enter", "cancle": "cancel", "CLEAR": "clear", "ent": "enter", "": "1",
	} {
		if got, text := unknownKey(keys, name), `the nearest name is "`+want+`"`; !strings.Contains(got.Error(), text) {
			t.Errorf("%q: %v, want %s", name, got, text)
		}
	}
}
