package bringup

import (
	"context"
	"fmt"
	"strings"

	"github.com/assay-hil/assay/rigs/discover"
)

// Port is what was found on one serial port, in words.
type Port struct {
	Path, What string
	Known      bool
}

// Discover asks every USB serial port, or the named ones, what is on it, and gives the beginning of a rig
// file. Nothing moves.
func Discover(ctx context.Context, paths []string) ([]Port, string, error) {
	found, err := discover.All(ctx, discover.System, paths)
	if err != nil {
		return nil, "", err
	}
	var ports []Port
	for _, f := range found {
		p := Port{Path: f.Path, What: f.Says, Known: f.Driver != ""}
		if f.Device != nil {
			p.Path = f.Device.Name()
			p.What = strings.TrimSuffix(f.Says+", "+f.Device.String(), ", ")
		}
		switch {
		case f.Err != nil:
			p.What = f.Err.Error()
		case f.Driver != "":
			p.What = f.Instrument + ", driver " + f.Driver + ": " + p.What
		case f.Says == "":
			p.What = strings.TrimPrefix("answers nothing that is known: a terminal's debug line, a printer port, or switched off"+p.What, ", ")
		}
		ports = append(ports, p)
	}
	return ports, beginning(found), nil
}

// beginning writes the instruments that answered as a rig file.
func beginning(found []discover.Found) string {
	var b strings.Builder
	b.WriteString("name: my-rig\nprofile: countertop   # see `assay rigs new` for the rest\nlisten: 0.0.0.0:8583\ninstruments:\n")
	lines := discover.Instruments(found)
	for _, name := range []string{"keypad", "card", "display", "power", "printer"} {
		l, there := lines[name]
		if !there {
			continue
		}
		fmt.Fprintf(&b, "  %s:\n    driver: %s\n    port: %s\n", name, l.Driver, l.Port)
		if name == "keypad" {
			b.WriteString("    origin: {x: 0, y: 0, z: 0}   # the keypad's zero in machine coordinates, mm; or teach it: assay rigs calibrate\n")
		}
	}
	for _, f := range found {
		if f.Driver == "" && f.Err == nil {
			fmt.Fprintf(&b, "  # display:   # or printer: what is on this port answers nothing\n  #   driver: debug-line\n  #   port: %s\n", f.Path)
		}
	}
	return b.String()
}
