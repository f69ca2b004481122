package rigs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-hil/assay/rigs"
)

const example = "examples/lab.yaml"

func TestExampleLoads(t *testing.T) {
	f, err := rigs.LoadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(f.Drivers()); got != 5 {
		t.Errorf("%d instruments, want 5", got)
	}
}

func TestBrokenRigFiles(t *testing.T) {
	good, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown key", "listen:", "lisen:", `unknown key "lisen"; did you mean "listen"?`},
		{"unknown profile", "profile: countertop", "profile: countertap", `did you mean "countertop"?`},
		{"unknown language", "lang: zh", "lang: zz", `unknown language "zz"`},
		{"unknown driver", "driver: grbl", "driver: gbrl", `did you mean "grbl"?`},
		{"bad address", "listen: 0.0.0.0:8583", "listen: everywhere", "not an address"},
		{"same port twice", "usb-assay_card-if00", "usb-1a86_USB_Serial-if00-port0", "the same port"},
		{"missing port", "port: /dev/serial/by-id/usb-assay_card-if00", "baud: 9600", "where is it?"},
		{"bad duration", "contact: 80ms", "contact: soon", "not a duration"},
	} {
		text := strings.Replace(string(good), c.old, c.new, 1)
		if text == string(good) {
			t.Errorf("%s: nothing was replaced", c.name)
			continue
		}
		path := filepath.Join(t.TempDir(), "rig.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := rigs.LoadFile(path); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path+":") {
			t.Errorf("%s: %v, want %q with its place", c.name, err, c.want)
		}
	}
}

func TestHas(t *testing.T) {
	without := func(missing string) func(string) bool {
		return func(instrument string) bool { return instrument != missing }
	}
	for _, c := range []struct {
		missing, capability string
		want                bool
	}{
		{"power", "power", false}, {"power", "chip", true}, {"card", "chip", false}, {"card", "stripe", false},
		{"keypad", "pin", false}, {"printer", "printer", false}, {"printer", "customer-id-exact", true},
	} {
		if got := rigs.Has(without(c.missing), c.capability); got != c.want {
			t.Errorf("without %s: %s is %v", c.missing, c.capability, got)
		}
	}
}
