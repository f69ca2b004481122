package calibration_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs/calibration"
)

func profile(t *testing.T) *terminals.Profile {
	t.Helper()
	p, err := terminals.Load("countertop")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// bench is a keypad that lies turned, shifted and tilted: machine coordinates by trigonometry, not by the
// code under test.
type bench struct{ angle, x, y, z, dx, dy float64 }

func (b bench) at(u, v float64) calibration.Point {
	x := b.x + u*math.Cos(b.angle) - v*math.Sin(b.angle)
	y := b.y + u*math.Sin(b.angle) + v*math.Cos(b.angle)
	return calibration.Point{X: x, Y: y, Z: b.z + b.dx*x + b.dy*y}
}

func (b bench) teach(k terminals.Keypad, names ...string) calibration.Taught {
	var t calibration.Taught
	for _, name := range names[:3] {
		t.Keys = append(t.Keys, calibration.Key{Name: name, At: b.at(k.Keys[name].X, k.Keys[name].Y)})
	}
	t.Check = calibration.Key{Name: names[3], At: b.at(k.Keys[names[3]].X, k.Keys[names[3]].Y)}
	return t
}

func TestSolveFindsEveryKey(t *testing.T) {
	k := profile(t).Keypad
	rapid.Check(t, func(rt *rapid.T) {
		f := func(name string, low, high float64) float64 { return rapid.Float64Range(low, high).Draw(rt, name) }
		b := bench{f("angle", -math.Pi, math.Pi), f("x", -300, 0), f("y", -300, 0), f("z", -80, 0), f("dx", -0.04, 0.04), f("dy", -0.04, 0.04)}
		c, err := calibration.Solve(k, b.teach(k, "1", "CANCEL", "ENTER", "5"))
		if err != nil {
			rt.Fatal(err)
		}
		for name, key := range k.Keys {
			got, want := c.Place(key.X, key.Y), b.at(key.X, key.Y)
			if d := math.Hypot(math.Hypot(got.X-want.X, got.Y-want.Y), got.Z-want.Z); d > 1e-6 {
				rt.Fatalf("key %s is %g mm off", name, d)
			}
		}
		if dx, dy := c.Slope(); math.Abs(dx-b.dx)+math.Abs(dy-b.dy) > 1e-9 {
			rt.Fatalf("slope %g %g, want %g %g", dx, dy, b.dx, b.dy)
		}
	})
}

func TestSolveRefuses(t *testing.T) {
	k := profile(t).Keypad
	b := bench{angle: 0.1, x: -180, y: -140, z: -40}
	for _, c := range []struct {
		name   string
		change func(*calibration.Taught)
		want   string
	}{
		{"check key beside", func(t *calibration.Taught) { t.Check.At.X += 0.6 }, "X +0.60"},
		{"check key lower", func(t *calibration.Taught) { t.Check.At.Z -= 0.6 }, "Z -0.60"},
		{"check key not a number", func(t *calibration.Taught) { t.Check.At.Z = math.NaN() }, "not a number"},
		{"unknown key", func(t *calibration.Taught) { t.Keys[0].Name = "CANCLE" }, `did you mean "CANCEL"?`},
		{"key twice", func(t *calibration.Taught) { t.Check = t.Keys[0] }, "taught twice"},
		{"two keys", func(t *calibration.Taught) { t.Keys = t.Keys[:2] }, "three keys"},
		{"keys in a row", func(t *calibration.Taught) { *t = b.teach(k, "1", "4", "7", "5") }, "in a row"},
		{"mixed up", func(t *calibration.Taught) { t.Keys[0].At, t.Keys[1].At = t.Keys[1].At, t.Keys[0].At }, "mirrored"},
		{"other terminal", func(t *calibration.Taught) {
			for i := range t.Keys {
				t.Keys[i].At.X *= 1.1
			}
		}, "of the profile's width"},
		{"steep", func(t *calibration.Taught) { t.Keys[0].At.Z += 9 }, "steep"},
	} {
		taught := b.teach(k, "1", "CANCEL", "ENTER", "5")
		c.change(&taught)
		if _, err := calibration.Solve(k, taught); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	taught := b.teach(k, "1", "CANCEL", "ENTER", "5")
	taught.Check.At.Y += 0.49
	if c, err := calibration.Solve(k, taught); err != nil || math.Abs(c.Residual-0.49) > 1e-6 {
		t.Errorf("0.49 mm: residual %v, %v", c.Residual, err)
	}
	taught.Check.At.Y += 0.02
	if _, err := calibration.Solve(k, taught); !errors.Is(err, calibration.ErrResidual) {
		t.Errorf("0.51 mm: %v", err)
	}
}

func TestRecordOnDisk(t *testing.T) {
	p := profile(t)
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "c.yaml")
	r := calibration.Record{Terminal: p.ID, Made: now, Expires: now.Add(time.Hour), Contact: 120 * time.Millisecond,
		Taught: bench{x: -180, y: -140, z: -40, dx: 0.01}.teach(p.Keypad, "1", "CANCEL", "ENTER", "5")}
	if err := r.Save(path); err != nil {
		t.Fatal(err)
	}
	got, c, err := calibration.Load(path, p, now)
	if err != nil || got.Contact != r.Contact || len(got.Taught.Keys) != 3 || !got.Expires.Equal(r.Expires) {
		t.Fatalf("%+v, %v", got, err)
	}
	if at := c.Place(10, 60); math.Abs(at.X+170) > 0.01 || math.Abs(at.Y+80) > 0.01 {
		t.Errorf("key 1 at %+v", at)
	}
	if _, _, err := calibration.Load(path, p, now.Add(time.Hour)); !errors.As(err, new(*calibration.ExpiredError)) || !strings.Contains(err.Error(), "assay rigs calibrate") {
		t.Errorf("expired: %v", err)
	}
	other := *p
	other.ID = "handheld"
	if _, _, err := calibration.Load(path, &other, now); err == nil || !strings.Contains(err.Error(), "for the terminal countertop") {
		t.Errorf("other terminal: %v", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	broken := strings.Replace(string(text), "made: 2026", "made: then", 1)
	if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := calibration.Load(path, p, now); err == nil || !strings.Contains(err.Error(), "is not a time") {
		t.Errorf("broken time: %v", err)
	}
}
