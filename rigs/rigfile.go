package rigs

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/fixtures/terminals"
)

// File describes a lab's rig: which instrument is on which device, which terminal is under
// test, and where the terminal finds its host. Paths in it are relative to its own folder.
type File struct {
	Path string `yaml:"-"`
	Name string `yaml:"name,required"`
	// Profile is a terminal profile's name, or the path of a profile file.
	Profile string `yaml:"profile,required"`
	Lang    string `yaml:"lang"` // the language set on the terminal; "" is the profile's first
	// Listen is the address that the terminal dials, for example 0.0.0.0:8583. Bring-up of single
	// instruments works without.
	Listen string `yaml:"listen"`
	// Backup is the address that the terminal dials when its primary uplink is dead; "" where it has
	// no backup uplink.
	Backup string `yaml:"listen-backup"`
	// Names is the address of the name server that a terminal which dials by name asks, UDP; "" where it
	// asks another.
	Names string `yaml:"listen-names"`
	// TLS is the folder of the authority that a terminal with TLS was told to trust; made on first use.
	TLS string `yaml:"tls"`
	// Interface is the network interface of this machine behind which the terminal is, and nothing else; scenarios
	// with packet faults borrow it. "" where there are none.
	Interface string `yaml:"interface"`
	// Host says what the bank behind the uplinks speaks; nil: the profile's dialect with its test keys.
	Host *HostRef `yaml:"host"`
	// Calibration is the file that `assay rigs calibrate` writes; "" where the keypad's origin is in this file.
	Calibration string `yaml:"calibration"`
	// Uncertainty of a time measured between two instruments; 0: as `assay rigs check` measured it.
	Uncertainty time.Duration `yaml:"uncertainty"`
	Instruments Instruments   `yaml:"instruments,required"`

	// Terminal is the profile that Profile names.
	Terminal *terminals.Profile `yaml:"-"`
}

// HostRef refers to a dialect and to the test keys that the terminal was loaded with.
type HostRef struct {
	Dialect string `yaml:"dialect"` // a dialect's name or file; "" is the profile's
	Keys    string `yaml:"keys"`    // a file of keys, hexadecimal by use; "" are the dialect's own
}

// DefaultUncertainty is assumed where a rig file gives none and none was measured: a USB frame and a
// scheduler at each end.
const DefaultUncertainty = 20 * time.Millisecond

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
	c := &checker{file: f}
	if err := yaml.Unmarshal(data, &c.doc); err != nil {
		return nil, err
	}
	c.terminal()
	c.addresses()
	c.host()
	c.instruments()
	return f, errors.Join(c.errs...)
}

// Drivers gives the line of each instrument that the rig has, by name.
func (f *File) Drivers() map[string]Line { return f.Instruments.Lines() }

// Resolve takes a path in the file as relative to the file's folder.
func (f *File) Resolve(path string) string { return relativeTo(folder(f.Path), path) }

func folder(path string) string { return filepath.Dir(path) }

// Has says whether the rig can do what a scenario may need, as far as its instruments decide that.
func (f *File) Has(capability string) bool {
	lines := f.Drivers()
	for name, l := range lines {
		if slices.Contains(Drivers()[name][l.Driver].Lacks, capability) {
			return false
		}
	}
	return Has(func(part string) bool {
		_, there := lines[part]
		return there || f.network()[part] != "" || f.breaks(part)
	}, capability)
}

// breaks says that the power instrument has a channel for a part, as needs has it: "parts: paper".
func (f *File) breaks(need string) bool {
	part, ok := strings.CutPrefix(need, "parts: ")
	if !ok || f.Instruments.Power == nil {
		return false
	}
	_, there := f.Instruments.Power.Parts[part]
	return there
}

// network are the words of the file, by key, without which a capability is missing.
func (f *File) network() map[string]string {
	return map[string]string{"listen-backup": f.Backup, "listen-names": f.Names, "tls": f.TLS}
}

// Capabilities lists what scenarios may need and this rig has: derived from its instruments.
func (f *File) Capabilities() []string {
	var have []string
	for _, capability := range slices.Sorted(maps.Keys(needs)) {
		if f.Has(capability) {
			have = append(have, capability)
		}
	}
	return have
}

// checker collects the complaints about one file.
type checker struct {
	file *File
	doc  yaml.Node
	errs []error
}

// complain gives the place of the last of the keys that is in the file.
func (c *checker) complain(message string, keys ...string) {
	line, column := 1, 1
	if len(c.doc.Content) > 0 {
		if n := find(c.doc.Content[0], keys); n != nil {
			line, column = n.Line, n.Column
		}
	}
	c.errs = append(c.errs, &strict.Error{File: c.file.Path, Line: line, Column: column, Message: strings.Join(append(slices.DeleteFunc(keys, func(k string) bool { return k == "" }), message), ": ")})
}

// find goes down a document by keys, as far as they are there; nil where not even the first is.
func find(n *yaml.Node, keys []string) (found *yaml.Node) {
	for _, key := range keys {
		var next *yaml.Node
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				found, next = n.Content[i], n.Content[i+1]
			}
		}
		if next == nil {
			return found
		}
		n = next
	}
	return found
}

func (c *checker) terminal() {
	f := c.file
	load, where := terminals.Load, f.Profile
	if IsPath(f.Profile) {
		load, where = terminals.LoadFile, f.Resolve(f.Profile)
	}
	p, err := load(where)
	if err != nil {
		c.complain(err.Error(), "profile")
		return
	}
	f.Terminal = p
	if f.Lang != "" && !slices.Contains(p.Languages, f.Lang) {
		c.complain(strict.UnknownMessage("language", f.Lang, p.Languages), "lang")
	}
}

// IsPath tells the path of a YAML file from a name: it has a slash, or the suffix.
func IsPath(word string) bool {
	return strings.ContainsAny(word, `/\`) || strings.HasSuffix(word, ".yaml")
}

func (c *checker) addresses() {
	f := c.file
	for _, a := range []struct{ key, address, example string }{
		{"listen", f.Listen, "0.0.0.0:8583"}, {"listen-backup", f.Backup, "0.0.0.0:8584"}, {"listen-names", f.Names, "0.0.0.0:53"},
	} {
		if _, _, err := net.SplitHostPort(a.address); a.address != "" && err != nil {
			c.complain(fmt.Sprintf("%q is not an address such as %s", a.address, a.example), a.key)
		}
	}
	if p := f.Terminal; p != nil && f.Listen != "" && p.Uplinks.TLS != (f.TLS != "") {
		if p.Uplinks.TLS {
			c.complain(fmt.Sprintf("the terminal %s speaks TLS: add tls, the folder of the authority that it trusts, for example tls: certs", p.ID), "listen")
		} else {
			c.complain(fmt.Sprintf("the terminal %s does not speak TLS, as its profile says: leave tls out", p.ID), "tls")
		}
	}
	if ip := net.ParseIP(hostOf(f.Listen)); f.Names != "" && (ip == nil || ip.IsUnspecified()) {
		c.complain("the name server has to tell an address: give listen one of this machine's, not all of them", "listen-names")
	}
	c.gate()
	switch {
	case f.Backup == "":
	case f.Listen == "":
		c.complain("a backup uplink needs a primary: give listen too", "listen-backup")
	case f.Backup == f.Listen:
		c.complain("the backup uplink needs an address of its own, for example another port", "listen-backup")
	}
}

// gate wants everything that listens at the one address of the interface that is borrowed.
func (c *checker) gate() {
	f := c.file
	if f.Interface == "" {
		return
	}
	own := net.ParseIP(hostOf(f.Listen))
	for _, a := range []struct{ key, address string }{{"listen", f.Listen}, {"listen-backup", f.Backup}, {"listen-names", f.Names}} {
		ip := net.ParseIP(hostOf(a.address))
		if a.address == "" && a.key != "listen" {
			continue
		}
		if ip.To4() == nil || ip.IsUnspecified() || !ip.Equal(own) {
			c.complain("with interface it is at the interface's own IPv4 address, the same for all that listens", a.key)
		}
	}
}

// hostOf is the host of an address; "" where it has none.
func hostOf(address string) string {
	host, _, _ := net.SplitHostPort(address) // what is none was complained about
	return host
}

func (c *checker) host() {
	h := c.file.Host
	if h == nil {
		return
	}
	if h.Dialect != "" && !IsPath(h.Dialect) && !slices.Contains(hosts.Names(), h.Dialect) {
		c.complain(strict.UnknownMessage("dialect", h.Dialect, hosts.Names()), "host", "dialect")
	}
}

func (c *checker) instruments() {
	lines := c.file.Drivers()
	if len(lines) == 0 {
		c.complain("a rig without any proves nothing", "instruments")
	}
	places := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		l := lines[name]
		checkLine(name, l, c.file.Instruments.options(name), func(key, message string) {
			c.complain(message, "instruments", name, key)
		})
		if l.USB != nil {
			c.usb(name, *l.USB)
		}
		c.ranges(name)
		place := l.place()
		if other, twice := places[place]; twice && place != "" {
			c.complain(fmt.Sprintf("%s and %s have the same port %s", other, name, place), "instruments", name)
		}
		places[place] = name
	}
}

// ranges holds the numbers of an instrument's options against what they can be.
func (c *checker) ranges(name string) {
	within := func(key string, value, most float64) {
		if value < 0 || value > most {
			c.complain(fmt.Sprintf("%g is not between 0 and %g", value, most), "instruments", name, key)
		}
	}
	i := c.file.Instruments
	switch name {
	case "keypad":
		within("overtravel", i.Keypad.Overtravel, maxOvertravel)
		within("plunge-feed", i.Keypad.PlungeFeed, maxPlungeFeed)
	case "card":
		within("slot", float64(i.Card.Slot), maxSlot)
		within("fwi", float64(i.Card.FWI), maxFWI)
	case "power":
		within("channel", float64(i.Power.Channel), maxChannel)
		within("volts", i.Power.Volts, maxVolts)
		c.parts(i.Power)
	}
}

// parts makes sure that each relay breaks one part that there is.
func (c *checker) parts(p *PowerLine) {
	taken := map[int]string{p.Channel: "the supply"}
	for _, part := range slices.Sorted(maps.Keys(p.Parts)) {
		channel := p.Parts[part]
		if !slices.Contains(Parts, part) {
			c.complain(strict.UnknownMessage("part of the terminal", part, Parts), "instruments", "power", "parts", part)
		}
		if channel < 0 || channel > maxChannel {
			c.complain(fmt.Sprintf("%d is not between 0 and %d", channel, maxChannel), "instruments", "power", "parts", part)
		}
		if other, twice := taken[channel]; twice {
			c.complain(fmt.Sprintf("relay %d is that of %s already", channel, other), "instruments", "power", "parts", part)
		}
		taken[channel] = part
	}
}

// The largest numbers that a rig file may give.
const (
	maxOvertravel = 5      // mm; more bends a finger or breaks a key
	maxPlungeFeed = 60_000 // mm/min
	maxSlot       = 8      // of a ChameleonUltra
	maxFWI        = 14     // ISO/IEC 14443-4
	maxChannel    = 255    // relays of the largest boards
	maxVolts      = 60     // beyond it is no terminal's supply
)

func (c *checker) usb(name string, u USB) {
	for key, value := range map[string]string{"vid": u.VID, "pid": u.PID} {
		if len(value) != 4 || strings.Trim(strings.ToLower(value), "0123456789abcdef") != "" {
			c.complain(fmt.Sprintf("%q is not 4 hexadecimal digits, in quotes, such as \"1a86\"", value), "instruments", name, "usb", key)
		}
	}
}

// place is where a line goes to, in words; "" for a driver without.
func (l Line) place() string {
	switch {
	case l.Port != "":
		return l.Port
	case l.TCP != "":
		return "tcp " + l.TCP
	case l.USB != nil:
		return strings.TrimRight(fmt.Sprintf("usb %s:%s %s %s", l.USB.VID, l.USB.PID, l.USB.Serial, l.USB.Interface), " ")
	}
	return ""
}

// String is where the line goes to, for people.
func (l Line) String() string {
	if p := l.place(); p != "" {
		return l.Driver + " on " + p
	}
	return l.Driver
}
