package discover_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-hil/assay/rigs"
	"github.com/assay-hil/assay/rigs/discover"
)

// plug makes a serial port as Linux shows one: class/NAME/device leads to the port below the interface
// below the device, which has the names.
func plug(t *testing.T, p discover.Places, name, bus string, attributes map[string]string, id string) {
	t.Helper()
	device := filepath.Join(filepath.Dir(p.Class), "devices", bus)
	port := filepath.Join(device, bus+":1.0", name)
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{port, filepath.Join(p.Class, name), p.Dev, p.ByID} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(filepath.Dir(port), "bInterfaceNumber"), attributes["interface"])
	for _, key := range []string{"idVendor", "idProduct", "serial", "manufacturer", "product"} {
		if attributes[key] != "" {
			write(filepath.Join(device, key), attributes[key])
		}
	}
	if err := os.Symlink(port, filepath.Join(p.Class, name, "device")); err != nil {
		t.Fatal(err)
	}
	if id != "" {
		if err := os.Symlink(filepath.Join(p.Dev, name), filepath.Join(p.ByID, id)); err != nil {
			t.Fatal(err)
		}
	}
}

func machine(t *testing.T) discover.Places {
	t.Helper()
	root := t.TempDir()
	p := discover.Places{Class: filepath.Join(root, "class"), Dev: filepath.Join(root, "dev"), ByID: filepath.Join(root, "by-id")}
	plug(t, p, "ttyUSB0", "1-1", map[string]string{"idVendor": "1a86", "idProduct": "7523", "product": "USB Serial", "interface": "00"}, "usb-1a86_USB_Serial-if00-port0")
	plug(t, p, "ttyACM0", "1-2", map[string]string{"idVendor": "2a19", "idProduct": "0c05", "serial": "N1", "manufacturer": "Numato", "interface": "00"}, "")
	plug(t, p, "ttyACM1", "1-3", map[string]string{"idVendor": "2A19", "idProduct": "0C05", "serial": "N2", "interface": "02"}, "")
	if err := os.MkdirAll(filepath.Join(p.Class, "tty0"), 0o755); err != nil { // a console: no device behind it
		t.Fatal(err)
	}
	return p
}

func TestListAndFind(t *testing.T) {
	p := machine(t)
	devices, err := discover.List(p)
	if err != nil || len(devices) != 3 {
		t.Fatalf("%+v, %v", devices, err)
	}
	if name := devices[2].Name(); filepath.Base(name) != "usb-1a86_USB_Serial-if00-port0" {
		t.Errorf("the name that stays is not used: %s", name)
	}
	for _, c := range []struct {
		want   rigs.USB
		path   string
		wrongs []string
	}{
		{want: rigs.USB{VID: "1a86", PID: "7523"}, path: "ttyUSB0"},
		{want: rigs.USB{VID: "1A86", PID: "7523"}, path: "ttyUSB0"},
		{want: rigs.USB{VID: "2a19", PID: "0c05", Serial: "N2"}, path: "ttyACM1"},
		{want: rigs.USB{VID: "2a19", PID: "0c05", Interface: "2"}, path: "ttyACM1"},
		{want: rigs.USB{VID: "2a19", PID: "0c05"}, wrongs: []string{"2 USB devices", "N1", "N2", "tell them apart"}},
		{want: rigs.USB{VID: "6868", PID: "8686"}, wrongs: []string{"no USB device 6868:8686", "1a86:7523", "ttyACM1"}},
		{want: rigs.USB{VID: "2a19", PID: "0c05", Serial: "N3"}, wrongs: []string{"with serial number N3"}},
	} {
		path, err := discover.Find(devices, c.want)
		if filepath.Base(path) != c.path && c.path != "" || (err == nil) != (c.path != "") {
			t.Errorf("%+v: %s, %v", c.want, path, err)
		}
		for _, word := range c.wrongs {
			if err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("%+v: %v, want %q in it", c.want, err, word)
			}
		}
	}
	if _, err := discover.Find(nil, rigs.USB{VID: "1a86", PID: "7523"}); err == nil || !strings.Contains(err.Error(), "no USB serial device at all") {
		t.Errorf("nothing plugged in: %v", err)
	}
}

func TestListWithoutDevices(t *testing.T) {
	if devices, err := discover.List(discover.Places{Class: filepath.Join(t.TempDir(), "none")}); err != nil || devices != nil {
		t.Errorf("%v, %v", devices, err)
	}
}
