package bringup_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs/calibration"
	"github.com/assay-hil/assay/rungs"
	"github.com/assay-hil/assay/rungs/bringup"
)

// person answers each question with the next of some answers.
type person struct {
	in      *io.PipeWriter
	answers []string
}

// Write hears a question; the console asks one at a time.
func (p *person) Write(text []byte) (int, error) {
	if strings.Contains(string(text), "[X ") || strings.Contains(string(text), "Did the terminal") {
		next := "quit"
		if len(p.answers) > 0 {
			next, p.answers = p.answers[0], p.answers[1:]
		}
		go func() { _, _ = io.WriteString(p.in, next+"\n") }() // the console reads it, or has ended
	}
	return len(text), nil
}

func asked(t *testing.T, answers ...string) *bringup.Console {
	t.Helper()
	r, w := io.Pipe()
	console := bringup.NewConsole(r, &person{in: w, answers: answers})
	t.Cleanup(func() { _, _ = console.Close(), w.Close() })
	return console
}

// shown are the answers of a person who leads the finger to where the keys of the simulated bench are,
// some of them a little off.
func shown(t *testing.T, off map[string]float64, keys ...string) []string {
	t.Helper()
	p, err := terminals.Load("countertop")
	if err != nil {
		t.Fatal(err)
	}
	var answers []string
	for _, key := range keys {
		k := p.Keypad.Keys[key]
		answers = append(answers, "sideways", fmt.Sprintf("@%g,%g,%g", k.X+off[key], k.Y, p.Keypad.Surface), "x0.1 z0.1", "x-0.1 z-0.1", "ok")
	}
	return answers
}

const robotAndScreen = `name: x
profile: countertop
listen: 127.0.0.1:0
calibration: found.yaml
instruments:
  keypad: {driver: grbl, port: LINK/keypad, origin: {x: 0, y: 0, z: 0.01}}
  display: {driver: debug-line, port: LINK/display}
`

func TestCalibrate(t *testing.T) {
	s := bench(t)
	path := with(t, s, robotAndScreen)
	keys := []string{"1", "CANCEL", "ENTER", "5"}
	c, err := bringup.Calibrate(t.Context(), path, bringup.CalibrateOptions{Console: asked(t, shown(t, map[string]float64{"5": 0.3}, keys...)...), Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	if c.Path != filepath.Join(filepath.Dir(path), "found.yaml") || !c.Named || c.Residual < 0.29 || c.Residual > 0.31 || c.Contact == 0 {
		t.Errorf("%+v", c)
	}
	if err := bringup.Press(t.Context(), path, []string{"1", "CANCEL"}, bringup.PressOptions{}); err != nil {
		t.Errorf("with the calibration: %v", err)
	}
}

func TestCalibrateSavesNothingThatIsWrong(t *testing.T) {
	s := bench(t)
	keys := []string{"1", "CANCEL", "ENTER", "5"}
	for _, c := range []struct {
		name    string
		answers []string
		want    string
		is      error
	}{
		{"fourth key off", shown(t, map[string]float64{"5": 0.6}, keys...), "key 5 is 0.60 mm off", calibration.ErrResidual},
		{"person gives up", []string{"x1", "quit"}, "nothing was saved", nil},
	} {
		path := with(t, s, robotAndScreen)
		_, err := bringup.Calibrate(t.Context(), path, bringup.CalibrateOptions{Console: asked(t, c.answers...), Keys: keys})
		if err == nil || !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) || !bringup.IsRig(err) {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), "found.yaml")); !os.IsNotExist(err) {
			t.Errorf("%s: a file was left: %v", c.name, err)
		}
	}
	_, err := bringup.Calibrate(t.Context(), with(t, s, robotAndScreen), bringup.CalibrateOptions{Keys: []string{"1", "2", "3", "FNUC"}})
	if err == nil || !strings.Contains(err.Error(), `did you mean "FUNC"?`) {
		t.Errorf("unknown key: %v", err)
	}
}

func TestChooseKeys(t *testing.T) {
	p, err := terminals.Load("countertop")
	if err != nil {
		t.Fatal(err)
	}
	keys := bringup.ChooseKeys(p.Keypad)
	if len(keys) != 4 {
		t.Fatalf("%v", keys)
	}
	taught := calibration.Taught{Check: calibration.Key{Name: keys[3]}}
	for i, name := range keys {
		at := calibration.Point{X: p.Keypad.Keys[name].X, Y: p.Keypad.Keys[name].Y}
		if i == 3 {
			taught.Check.At = at
		} else {
			taught.Keys = append(taught.Keys, calibration.Key{Name: name, At: at})
		}
	}
	if _, err := calibration.Solve(p.Keypad, taught); err != nil {
		t.Errorf("%v: %v", keys, err)
	}
}

// TestACalibrationThatExpiredStopsARun before anything moves.
func TestACalibrationThatExpiredStopsARun(t *testing.T) {
	path := with(t, bench(t), robotAndScreen)
	made := time.Now().Add(-2 * time.Hour)
	r := calibration.Record{Terminal: "countertop", Made: made, Expires: made.Add(time.Hour),
		Taught: calibration.Taught{Keys: []calibration.Key{{Name: "1"}, {Name: "CANCEL"}, {Name: "ENTER"}}, Check: calibration.Key{Name: "5"}}}
	if err := r.Save(filepath.Join(filepath.Dir(path), "found.yaml")); err != nil {
		t.Fatal(err)
	}
	if _, err := rungs.OpenLab(path, rungs.LabOptions{Doing: "test"}); !errors.As(err, new(*calibration.ExpiredError)) {
		t.Errorf("%v", err)
	}
}
