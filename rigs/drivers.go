package rigs

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/assay-hil/assay/fixtures/strict"
)

// Spec is what a rig file may say about a driver.
type Spec struct {
	// Connections are the ways to its instrument, out of "port", "usb" and "tcp"; none for a person or a program.
	Connections []string
	// Options are the keys that it takes besides those of its connection.
	Options []string
	// Baud is its line's usual rate, bits per second; 0: that of package serial.
	Baud int
	// Lacks are capabilities that its kind of instrument usually has and this one has not.
	Lacks []string
}

var (
	device  = []string{"port", "usb"}
	anyLine = []string{"port", "usb", "tcp"}
)

// Drivers is the table of drivers, by instrument and name.
func Drivers() map[string]map[string]Spec {
	robot := []string{"origin", "contact", "overtravel", "plunge-feed", "homing"}
	return map[string]map[string]Spec{
		"keypad": {
			"grbl":    {Connections: anyLine, Options: robot},
			"fluidnc": {Connections: anyLine, Options: robot},
			"marlin":  {Connections: anyLine, Options: robot, Baud: 250000},
			"human":   {Options: []string{"patience"}},
		},
		"card": {
			"relay":           {Connections: anyLine},
			"chameleon-ultra": {Connections: anyLine, Options: []string{"slot", "partial"}, Lacks: []string{"stripe", "chip", "two-cards"}},
			"cardhopper":      {Connections: anyLine, Options: []string{"fwi"}, Lacks: []string{"stripe", "chip", "two-cards"}},
		},
		"display": {
			"debug-line": {Connections: anyLine},
			"human":      {Options: []string{"patience"}},
		},
		"power": {
			"numato":  {Connections: device, Options: []string{"channel", "normally-closed", "parts", "check"}},
			"scpi":    {Connections: anyLine, Options: []string{"channel", "volts", "check"}, Baud: 9600},
			"command": {Options: []string{"on", "off", "read", "limit", "check"}},
		},
		"printer": {"esc-pos": {Connections: anyLine}},
	}
}

// common are the keys that say which driver and where.
var common = []string{"driver", "port", "usb", "tcp", "baud"}

// checkLine holds what a rig file says about one instrument against the table of drivers. complain gets
// the key that is wrong, "" for the instrument as a whole.
func checkLine(name string, l Line, options any, complain func(key, message string)) {
	table := Drivers()[name]
	spec, known := table[l.Driver]
	if !known {
		complain("driver", strict.UnknownMessage("driver", l.Driver, slices.Sorted(maps.Keys(table))))
		return
	}
	given := givenKeys(options)
	var ways []string
	for _, key := range given {
		switch {
		case slices.Contains(anyLine, key) && !slices.Contains(spec.Connections, key),
			key == "baud" && len(spec.Connections) == 0:
			complain(key, fmt.Sprintf("the driver %s has no use for %q; %s", l.Driver, key, connectionsOf(spec)))
		case slices.Contains(anyLine, key):
			ways = append(ways, key)
		case !slices.Contains(common, key) && !slices.Contains(spec.Options, key):
			complain(key, fmt.Sprintf("the driver %s has no option %q; it takes %s", l.Driver, key, listOr(spec.Options, "none")))
		}
	}
	switch {
	case len(ways) == 0 && len(spec.Connections) > 0:
		complain("", fmt.Sprintf("where is it? the driver %s needs one of %s, for example port: /dev/serial/by-id/…", l.Driver, strings.Join(spec.Connections, ", ")))
	case len(ways) > 1:
		complain(ways[1], fmt.Sprintf("%s and %s are both given; one place is enough", ways[0], ways[1]))
	}
	if l.Baud < 0 {
		complain("baud", fmt.Sprintf("%d is not a baud rate", l.Baud))
	}
	if l.Driver == "command" {
		for _, key := range []string{"on", "off"} {
			if !slices.Contains(given, key) {
				complain("", fmt.Sprintf("the driver command needs %q, for example %s: [pductl, outlet, \"3\", %s]", key, key, key))
			}
		}
	}
}

func connectionsOf(s Spec) string {
	if len(s.Connections) == 0 {
		return "it needs no line"
	}
	return "it takes " + strings.Join(s.Connections, " or ")
}

func listOr(words []string, none string) string {
	if len(words) == 0 {
		return none
	}
	return strings.Join(words, ", ")
}

// givenKeys lists the keys of a struct that have a value.
func givenKeys(options any) []string {
	v := reflect.ValueOf(options).Elem()
	var keys []string
	for i := range v.NumField() {
		key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		if !v.Field(i).IsZero() {
			keys = append(keys, key)
		}
	}
	return keys
}
