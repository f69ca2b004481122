package bringup

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/calibration"
	"github.com/assay-hil/assay/rigs/keypad/grbl"
	"github.com/assay-hil/assay/rigs/keypad/marlin"
)

// Jogger is a keypad whose finger can be led by hand.
type Jogger interface {
	rigs.Keypad
	// Jog moves the finger by a way in mm, Lift raises it to the safe height; both give the place then.
	Jog(ctx context.Context, by grbl.Point) (grbl.Point, error)
	Lift(ctx context.Context) (grbl.Point, error)
}

var (
	_ Jogger = (*grbl.Driver)(nil)
	_ Jogger = (*marlin.Driver)(nil)
)

// errQuit is the end of a teaching by the person.
var errQuit = errors.New("ended by the person; nothing was saved")

// movesMax bounds how many moves a person may type for one key.
const movesMax = 1000

// teacher leads the finger as a person says.
type teacher struct {
	pad    Jogger
	answer func(ctx context.Context, text string) (string, error)
	at     grbl.Point
}

// key lets the person bring the fingertip onto a key, and gives the place.
func (t *teacher) key(ctx context.Context, name string) (calibration.Key, error) {
	text := fmt.Sprintf("Bring the fingertip onto the centre of key %s until it just touches.\nMoves in mm: x1.5 y-0.2 z-1; a place: @-180,-140,-40; `up`, `ok` when it touches, `quit`.", name)
	for range movesMax {
		typed, err := t.answer(ctx, fmt.Sprintf("%s\n[X %.2f Y %.2f Z %.2f]", text, t.at.X, t.at.Y, t.at.Z))
		if err != nil {
			return calibration.Key{}, err
		}
		text = "key " + name
		said, err := parseMove(typed)
		switch {
		case err != nil:
			text = err.Error()
			continue
		case said.quit:
			return calibration.Key{}, errQuit
		case said.ok:
			return calibration.Key{Name: name, At: calibration.Point(t.at)}, nil
		}
		if err := t.move(ctx, said); err != nil {
			return calibration.Key{}, err
		}
	}
	return calibration.Key{}, fmt.Errorf("key %s: not taught after %d moves", name, movesMax)
}

func (t *teacher) move(ctx context.Context, said move) (err error) {
	switch {
	case said.up:
		t.at, err = t.pad.Lift(ctx)
	case said.to != nil:
		err = t.place(ctx, *said.to)
	default:
		t.at, err = t.pad.Jog(ctx, said.by)
	}
	return err
}

// place goes to a place from above.
func (t *teacher) place(ctx context.Context, to grbl.Point) (err error) {
	if err := t.over(ctx, to.X, to.Y); err != nil {
		return err
	}
	t.at, err = t.pad.Jog(ctx, grbl.Point{Z: to.Z - t.at.Z})
	return err
}

// over goes above a place at the safe height.
func (t *teacher) over(ctx context.Context, x, y float64) (err error) {
	if t.at, err = t.pad.Lift(ctx); err != nil {
		return err
	}
	t.at, err = t.pad.Jog(ctx, grbl.Point{X: x - t.at.X, Y: y - t.at.Y})
	return err
}

// move is what a person typed.
type move struct {
	ok, quit, up bool
	by           grbl.Point
	to           *grbl.Point
}

// parseMove reads what a person typed: "ok", "quit", "up", "@x,y,z", or ways such as "x1 z-0.2".
func parseMove(typed string) (move, error) {
	typed = strings.ToLower(strings.TrimSpace(typed))
	switch typed {
	case "ok":
		return move{ok: true}, nil
	case "quit":
		return move{quit: true}, nil
	case "up":
		return move{up: true}, nil
	case "":
		return move{}, errors.New("type a move such as z-0.5, or ok when the fingertip touches the key")
	}
	if place, is := strings.CutPrefix(typed, "@"); is {
		var v [3]float64
		parts := strings.Split(place, ",")
		for i, part := range parts {
			n, err := number(part)
			if err != nil || len(parts) != 3 {
				return move{}, fmt.Errorf("%q is no place; three numbers are needed: @-180,-140,-40", typed)
			}
			v[i] = n
		}
		return move{to: &grbl.Point{X: v[0], Y: v[1], Z: v[2]}}, nil
	}
	var m move
	for _, word := range strings.Fields(typed) {
		n, err := number(word[1:])
		axis := strings.IndexByte("xyz", word[0])
		if err != nil || axis < 0 {
			return move{}, fmt.Errorf("%q is no move; axis and mm are needed, such as x1.5 or z-0.2", word)
		}
		*[]*float64{&m.by.X, &m.by.Y, &m.by.Z}[axis] += n
	}
	return m, nil
}

func number(text string) (float64, error) {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err == nil && (math.IsNaN(n) || math.IsInf(n, 0)) {
		err = strconv.ErrRange
	}
	return n, err
}

// ChooseKeys gives the three keys that lie furthest apart, and a fourth to check them, as far from them as
// there is one.
func ChooseKeys(k terminals.Keypad) []string {
	names := sortedKeys(k)
	var three []string
	largest := 0.0
	for i, a := range names {
		for j, b := range names[i+1:] {
			for _, c := range names[i+j+2:] {
				if area := triangle(k.Keys[a], k.Keys[b], k.Keys[c]); area > largest {
					largest, three = area, []string{a, b, c}
				}
			}
		}
	}
	check, furthest := "", 0.0
	for _, name := range names {
		nearest := math.Inf(1)
		for _, other := range three {
			nearest = min(nearest, math.Hypot(k.Keys[name].X-k.Keys[other].X, k.Keys[name].Y-k.Keys[other].Y))
		}
		if nearest > furthest {
			check, furthest = name, nearest
		}
	}
	return append(three, check)
}

func triangle(a, b, c terminals.Key) float64 {
	return math.Abs((b.X-a.X)*(c.Y-a.Y)-(c.X-a.X)*(b.Y-a.Y)) / 2
}
