package calibration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/fixtures/terminals"
)

// Validity is how long a calibration counts where nothing else is said: plates creep, screws loosen.
const Validity = 30 * 24 * time.Hour

// Record is a calibration as it is kept: what was taught, for which terminal, and when. The map is
// computed from it each time, so that it can't disagree with the profile.
type Record struct {
	Terminal string // profile id
	Made     time.Time
	Expires  time.Time
	Contact  time.Duration // how long a key is held; 0: the driver's usual
	Taught   Taught
}

// file is a Record as it is written.
type file struct {
	Terminal string        `yaml:"terminal,required"`
	Made     string        `yaml:"made,required"`
	Expires  string        `yaml:"expires,required"`
	Contact  time.Duration `yaml:"contact"`
	Keys     []taught      `yaml:"keys,required"`
	Check    taught        `yaml:"check,required"`
}

type taught struct {
	Key string  `yaml:"key,required"`
	X   float64 `yaml:"x,required"`
	Y   float64 `yaml:"y,required"`
	Z   float64 `yaml:"z,required"`
}

// ExpiredError is returned for a calibration that is too old to be trusted.
type ExpiredError struct {
	Path    string
	Expired time.Time
}

func (e *ExpiredError) Error() string {
	return fmt.Sprintf("%s: the calibration expired on %s; run assay rigs calibrate again", e.Path, e.Expired.Format(time.DateOnly))
}

// Load reads a record and computes its calibration for a terminal. Errors: *ExpiredError; another
// terminal's record; whatever Solve finds wrong.
func Load(path string, p *terminals.Profile, now time.Time) (Record, Calibration, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Record{}, Calibration{}, err
	}
	var f file
	if err := strict.Decode(path, data, &f); err != nil {
		return Record{}, Calibration{}, err
	}
	r, err := f.record(path)
	if err != nil {
		return r, Calibration{}, err
	}
	if r.Terminal != p.ID {
		return r, Calibration{}, fmt.Errorf("%s: the calibration is for the terminal %s, and the rig's profile is %s; run assay rigs calibrate", path, r.Terminal, p.ID)
	}
	if !now.Before(r.Expires) {
		return r, Calibration{}, &ExpiredError{Path: path, Expired: r.Expires}
	}
	c, err := Solve(p.Keypad, r.Taught)
	if err != nil {
		return r, c, fmt.Errorf("%s: %w", path, err)
	}
	return r, c, nil
}

func (f file) record(path string) (Record, error) {
	r := Record{Terminal: f.Terminal, Contact: f.Contact, Taught: Taught{Check: Key{f.Check.Key, Point{f.Check.X, f.Check.Y, f.Check.Z}}}}
	for _, k := range f.Keys {
		r.Taught.Keys = append(r.Taught.Keys, Key{k.Key, Point{k.X, k.Y, k.Z}})
	}
	for _, d := range []struct {
		key, text string
		to        *time.Time
	}{{"made", f.Made, &r.Made}, {"expires", f.Expires, &r.Expires}} {
		at, err := time.Parse(time.RFC3339, d.text)
		if err != nil {
			return r, fmt.Errorf("%s: %s: %q is not a time such as 2026-01-31T12:00:00Z", path, d.key, d.text)
		}
		*d.to = at
	}
	return r, nil
}

// Save writes the record, as a whole or not at all.
func (r Record) Save(path string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Where the keypad lies under the finger. Written by assay rigs calibrate; teach anew rather than edit.\n"+
		"# Places are machine coordinates in mm, the fingertip just touching the key's top.\n"+
		"terminal: %q\nmade: %s\nexpires: %s\n", r.Terminal, r.Made.UTC().Format(time.RFC3339), r.Expires.UTC().Format(time.RFC3339))
	if r.Contact > 0 {
		fmt.Fprintf(&b, "contact: %s\n", r.Contact)
	}
	line := func(k Key) string {
		return fmt.Sprintf("{key: %q, x: %.3f, y: %.3f, z: %.3f}", k.Name, k.At.X, k.At.Y, k.At.Z)
	}
	b.WriteString("keys:\n")
	for _, k := range r.Taught.Keys {
		fmt.Fprintf(&b, "  - %s\n", line(k))
	}
	fmt.Fprintf(&b, "check: %s\n", line(r.Taught.Check))
	return replace(path, []byte(b.String()))
}

// replace writes a file beside and renames it, so that nobody sees half of it.
func replace(path string, data []byte) error {
	beside, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(beside.Name()) }() // without effect once it is renamed
	_, err = beside.Write(data)
	if err == nil {
		err = beside.Chmod(0o644)
	}
	if err == nil {
		err = beside.Sync()
	}
	if closed := beside.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(beside.Name(), path)
}
