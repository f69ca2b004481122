package rigs

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"time"

	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/fixtures/terminals"
)

// File describes a lab's rig: which instrument is on which device, which terminal is under
// test, and where the terminal finds its host.
type File struct {
	Path    string `yaml:"-"`
	Name    string `yaml:"name,required"`
	Profile string `yaml:"profile,required"`
	Lang    string `yaml:"lang"` // the language set on the terminal; "" is the profile's first
	// Listen is the address that the terminal dials, for example 0.0.0.0:8583.
	Listen string `yaml:"listen,required"`
	// Uncertainty of a time measured between two instruments.
	Uncertainty time.Duration `yaml:"uncertainty"`
	Instruments Instruments   `yaml:"instruments,required"`
}

// Instruments are the lines of a rig; one that is not there is nil.
type Instruments struct {
	Keypad  *KeypadLine `yaml:"keypad"`
	Card    *Line       `yaml:"card"`
	Display *Line       `yaml:"display"`
	Power   *PowerLine  `yaml:"power"`
	Printer *Line       `yaml:"printer"`
}

// Line is where an instrument is.
type Line struct {
	Driver string `yaml:"driver,required"`
	Port   string `yaml:"port,required"` // a device that keeps its name: /dev/serial/by-id/…
	Baud   int    `yaml:"baud"`          // 0: the driver's usual
}

// KeypadLine is a robot and where the keypad lies in its coordinates.
type KeypadLine struct {
	Driver  string        `yaml:"driver,required"`
	Port    string        `yaml:"port,required"`
	Baud    int           `yaml:"baud"`
	Origin  Origin        `yaml:"origin"`
	Contact time.Duration `yaml:"contact"` // how long a key is held; 0: the driver's usual
}

// Origin is the keypad's zero in the robot's machine coordinates, mm.
type Origin struct {
	X float64 `yaml:"x,required"`
	Y float64 `yaml:"y,required"`
	Z float64 `yaml:"z,required"`
}

// PowerLine is a relay board and the relay that carries the terminal's supply.
type PowerLine struct {
	Driver         string `yaml:"driver,required"`
	Port           string `yaml:"port,required"`
	Baud           int    `yaml:"baud"`
	Channel        int    `yaml:"channel"`
	NormallyClosed bool   `yaml:"normally-closed"`
}

// defaultUncertainty is assumed where a rig file gives none: a USB frame and a scheduler at each end.
const defaultUncertainty = 20 * time.Millisecond

// drivers are the driver of each instrument.
var drivers = map[string][]string{
	"keypad": {"grbl"}, "card": {"relay"}, "display": {"debug-line"}, "power": {"numato"}, "printer": {"esc-pos"},
}

// LoadFile reads a rig file. All complaints come at once, each with its place.
func LoadFile(path string) (*File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f := &File{Path: path}
	if err := strict.Decode(path, data, f); err != nil {
		return nil, err
	}
	if f.Uncertainty == 0 {
		f.Uncertainty = defaultUncertainty
	}
	return f, f.check()
}

func (f *File) check() error {
	var errs []error
	complain := func(message string) {
		errs = append(errs, &strict.Error{File: f.Path, Line: 1, Column: 1, Message: message})
	}
	p, err := terminals.Load(f.Profile)
	if err != nil {
		complain(err.Error())
	}
	if f.Lang != "" && p != nil && !slices.Contains(p.Languages, f.Lang) {
		complain(strict.UnknownMessage("language", f.Lang, p.Languages))
	}
	if _, _, err := net.SplitHostPort(f.Listen); err != nil {
		complain(fmt.Sprintf("listen: %q is not an address such as 0.0.0.0:8583", f.Listen))
	}
	given := f.Drivers()
	if len(given) == 0 {
		complain("instruments: a rig without any proves nothing")
	}
	ports := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		l := given[name]
		if !slices.Contains(drivers[name], l.Driver) {
			complain("instruments: " + name + ": " + strict.UnknownMessage("driver", l.Driver, drivers[name]))
		}
		if other, twice := ports[l.Port]; twice {
			complain(fmt.Sprintf("instruments: %s and %s have the same port %s", other, name, l.Port))
		}
		ports[l.Port] = name
	}
	return errors.Join(errs...)
}

// Drivers gives the line of each instrument that the rig has, by name.
func (f *File) Drivers() map[string]Line {
	all := map[string]Line{}
	if k := f.Instruments.Keypad; k != nil {
		all["keypad"] = Line{Driver: k.Driver, Port: k.Port, Baud: k.Baud}
	}
	if p := f.Instruments.Power; p != nil {
		all["power"] = Line{Driver: p.Driver, Port: p.Port, Baud: p.Baud}
	}
	for name, l := range map[string]*Line{"card": f.Instruments.Card, "display": f.Instruments.Display, "printer": f.Instruments.Printer} {
		if l != nil {
			all[name] = *l
		}
	}
	return all
}
