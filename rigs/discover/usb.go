// Package discover finds out what is plugged into a rig's computer: USB serial devices by what the
// kernel says about them, and what answers on them. It never moves anything: it listens, and asks
// only questions that no instrument acts on.
package discover

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/assay-hil/assay/rigs"
)

// Places are where the kernel shows its devices.
type Places struct {
	Class string // one entry a serial port, a link into the tree of devices
	Dev   string // the devices themselves
	ByID  string // links that keep their names
}

// System are the places on Linux.
var System = Places{Class: "/sys/class/tty", Dev: "/dev", ByID: "/dev/serial/by-id"}

// Device is one USB serial port.
type Device struct {
	Path string // the kernel's name, such as /dev/ttyUSB0; changes when it is plugged in again
	// ByID is its name that stays, "" where the system gives none.
	ByID         string
	VID, PID     string // 4 hexadecimal digits, lower case
	Serial       string
	Manufacturer string
	Product      string
	Interface    string // number of the interface, from 0, two hexadecimal digits
}

// Name is the best path for a rig file.
func (d Device) Name() string {
	if d.ByID != "" {
		return d.ByID
	}
	return d.Path
}

// String is the device in a line for people.
func (d Device) String() string {
	return strings.Join(strings.Fields(fmt.Sprintf("%s (%s:%s %s %s %s)", d.Path, d.VID, d.PID, d.Manufacturer, d.Product, d.Serial)), " ")
}

// List gives the USB serial ports in the order of their names. A system that shows no devices has none.
func List(p Places) ([]Device, error) {
	entries, err := os.ReadDir(p.Class)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	links := byID(p)
	var all []Device
	for _, e := range entries {
		where, err := filepath.EvalSymlinks(filepath.Join(p.Class, e.Name(), "device"))
		if err != nil {
			continue // a console, a pseudo-terminal: no device behind it
		}
		d, ok := describe(where)
		if !ok {
			continue
		}
		d.Path = filepath.Join(p.Dev, e.Name())
		d.ByID = links[d.Path]
		all = append(all, d)
	}
	return all, nil
}

// upMost is how far up the tree the USB device of a port is looked for: port, interface, device.
const upMost = 4

// describe goes up the tree until the USB device and reads what it says about itself.
func describe(where string) (Device, bool) {
	var d Device
	for range upMost {
		if number := attribute(where, "bInterfaceNumber"); number != "" {
			d.Interface = number
		}
		if d.VID = strings.ToLower(attribute(where, "idVendor")); d.VID != "" {
			d.PID = strings.ToLower(attribute(where, "idProduct"))
			d.Serial, d.Manufacturer, d.Product = attribute(where, "serial"), attribute(where, "manufacturer"), attribute(where, "product")
			return d, true
		}
		where = filepath.Dir(where)
	}
	return d, false
}

// attribute reads a file of the kernel's; "" where it isn't there.
func attribute(dir, name string) string {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// byID gives the lasting name of each device that has one.
func byID(p Places) map[string]string {
	links := map[string]string{}
	entries, err := os.ReadDir(p.ByID)
	if err != nil {
		return links // no such folder while nothing is plugged in
	}
	for _, e := range entries {
		link := filepath.Join(p.ByID, e.Name())
		target, err := os.Readlink(link)
		if err != nil {
			continue
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(p.ByID, target)
		}
		links[filepath.Clean(target)] = link
	}
	return links
}

// Find gives the path of the device that a rig file means. An error lists what is plugged in.
func Find(devices []Device, want rigs.USB) (string, error) {
	var found []Device
	for _, d := range devices {
		if strings.EqualFold(d.VID, want.VID) && strings.EqualFold(d.PID, want.PID) &&
			(want.Serial == "" || d.Serial == want.Serial) && (want.Interface == "" || sameNumber(d.Interface, want.Interface)) {
			found = append(found, d)
		}
	}
	switch len(found) {
	case 1:
		return found[0].Path, nil
	case 0:
		return "", fmt.Errorf("no USB device %s:%s%s is plugged in; there is %s", want.VID, want.PID, withSerial(want.Serial), listed(devices))
	default:
		return "", fmt.Errorf("%d USB devices are %s:%s%s; tell them apart by serial or interface: %s", len(found), want.VID, want.PID, withSerial(want.Serial), listed(found))
	}
}

// sameNumber compares an interface's number as the kernel writes it ("01") with one in a rig file ("1").
func sameNumber(kernel, file string) bool {
	return strings.TrimLeft(kernel, "0") == strings.TrimLeft(file, "0")
}

func withSerial(serial string) string {
	if serial == "" {
		return ""
	}
	return " with serial number " + serial
}

func listed(devices []Device) string {
	if len(devices) == 0 {
		return "no USB serial device at all: look at cable and hub"
	}
	var words []string
	for _, d := range devices {
		word := d.String()
		if d.Interface != "" {
			word += " interface " + d.Interface
		}
		words = append(words, word)
	}
	slices.Sort(words)
	return strings.Join(words, "; ")
}
