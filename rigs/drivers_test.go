package rigs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assay-hil/assay/rigs"
)

// load writes a rig file and loads it.
func load(t *testing.T, text string) (*rigs.File, string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rig.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := rigs.LoadFile(path)
	return f, path, err
}

func TestExamplesLoad(t *testing.T) {
	names, err := filepath.Glob("examples/*.yaml")
	if err != nil || len(names) < 3 {
		t.Fatalf("%v, %v", names, err)
	}
	for _, name := range names {
		if _, err := rigs.LoadFile(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeypadAloneIsARig(t *testing.T) {
	f, _, err := load(t, "name: x\nprofile: countertop\ninstruments:\n  keypad: {driver: grbl, port: /dev/x}\n")
	if err != nil {
		t.Fatal(err)
	}
	if have := f.Capabilities(); !slices.Contains(have, "keypad") || slices.Contains(have, "display") || slices.Contains(have, "chip") {
		t.Errorf("capabilities %v", have)
	}
}

// TLS and names are the file's to give, where the profile has them.
func TestNetworkDecidesCapabilities(t *testing.T) {
	const text = "name: x\nprofile: countertop-tls\nlisten: 127.0.0.1:1\ntls: certs\n%sinstruments:\n  keypad: {driver: grbl, port: /dev/x}\n"
	for names, want := range map[string]bool{"": false, "listen-names: 0.0.0.0:53\n": true} {
		f, _, err := load(t, fmt.Sprintf(text, names))
		if err != nil {
			t.Fatal(err)
		}
		if f.Has("dns-name") != want || !f.Has("tls") {
			t.Errorf("%q: dns-name %v, tls %v", names, f.Has("dns-name"), f.Has("tls"))
		}
	}
}

func TestDriverDecidesCapabilities(t *testing.T) {
	for driver, chip := range map[string]bool{"relay": true, "chameleon-ultra": false, "cardhopper": false} {
		f, _, err := load(t, "name: x\nprofile: countertop\ninstruments:\n  card: {driver: "+driver+", port: /dev/x}\n")
		if err != nil {
			t.Fatal(err)
		}
		if f.Has("chip") != chip || f.Has("stripe") != chip || !f.Has("card-emulator") {
			t.Errorf("%s: chip %v, stripe %v, card %v", driver, f.Has("chip"), f.Has("stripe"), f.Has("card-emulator"))
		}
	}
}

// TestWhatIsWrongIsNamedWithItsPlace in the instruments of a rig file.
func TestWhatIsWrongIsNamedWithItsPlace(t *testing.T) {
	const head = "name: x\nprofile: countertop\ninstruments:\n"
	for _, c := range []struct{ name, text, want string }{
		{"driver of another", head + "  keypad: {driver: relay, port: /dev/x}", `:4:12: instruments: keypad: driver: unknown driver "relay"`},
		{"no place", head + "  keypad: {driver: grbl}", ":4:3: instruments: keypad: where is it?"},
		{"two places", head + "  keypad: {driver: grbl, port: /dev/x, tcp: \"h:1\"}", "port and tcp are both given"},
		{"port of a person", head + "  keypad:\n    driver: human\n    port: /dev/x", `:6:5: instruments: keypad: port: the driver human has no use for "port"; it needs no line`},
		{"option of another driver", head + "  card: {driver: relay, port: /dev/x, slot: 2}", `the driver relay has no option "slot"; it takes none`},
		{"relay board on the network", head + "  power: {driver: numato, tcp: \"h:1\"}", "it takes port or usb"},
		{"USB id", head + "  keypad: {driver: grbl, usb: {vid: 1a8, pid: \"7523\"}}", "usb: vid: \"1a8\" is not 4 hexadecimal digits"},
		{"program without off", head + "  power: {driver: command, on: [x]}", `the driver command needs "off"`},
		{"waiting time", head + "  card: {driver: cardhopper, port: /dev/x, fwi: 15}", "fwi: 15 is not between 0 and 14"},
		{"baud", head + "  keypad: {driver: grbl, port: /dev/x, baud: -1}", "-1 is not a baud rate"},
		{"backup without primary", "listen-backup: 0.0.0.0:1\n" + head + "  keypad: {driver: grbl, port: /dev/x}", ":1:1: listen-backup: a backup uplink needs a primary"},
		{"TLS without an authority", "name: x\nprofile: countertop-tls\nlisten: 0.0.0.0:1\ninstruments:\n  keypad: {driver: grbl, port: /dev/x}", ":3:1: listen: the terminal countertop-tls speaks TLS: add tls"},
		{"authority without TLS", "tls: certs\nlisten: 0.0.0.0:1\n" + head + "  keypad: {driver: grbl, port: /dev/x}", ":1:1: tls: the terminal countertop does not speak TLS"},
		{"name server", "listen-names: here\n" + head + "  keypad: {driver: grbl, port: /dev/x}", `listen-names: "here" is not an address such as 0.0.0.0:53`},
		{"name server for any address", "listen-names: 0.0.0.0:53\nlisten: 0.0.0.0:1\n" + head + "  keypad: {driver: grbl, port: /dev/x}", ":1:1: listen-names: the name server has to tell an address"},
		{"part that no terminal has", head + "  power: {driver: numato, port: /dev/x, parts: {papr: 1}}", `unknown part of the terminal "papr"; did you mean "paper"?`},
		{"relay of a part and of the supply", head + "  power: {driver: numato, port: /dev/x, channel: 2, parts: {paper: 2}}", "relay 2 is that of the supply already"},
		{"interface without its address", "listen: 0.0.0.0:8583\ninterface: eth1\n" + head + "  keypad: {driver: grbl, port: /dev/x}", ":1:1: listen: with interface it is at the interface's own IPv4 address"},
		{"interface and another address", "listen: 10.0.0.1:1\nlisten-backup: 10.0.0.2:1\ninterface: eth1\n" + head + "  keypad: {driver: grbl, port: /dev/x}", ":2:1: listen-backup: with interface it is at the interface's own"},
		{"dialect", "host: {dialect: iso87-asci}\n" + head + "  keypad: {driver: grbl, port: /dev/x}", `:1:8: host: dialect: unknown dialect "iso87-asci"; did you mean "iso87-ascii"?`},
		{"profile file", "name: x\nprofile: ./none.yaml\ninstruments:\n  keypad: {driver: grbl, port: /dev/x}", "none.yaml:1:1: can't be read: no such file"},
		{"empty", "name: x\nprofile: countertop\ninstruments: {}", "a rig without any proves nothing"},
	} {
		_, path, err := load(t, c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path+":") {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestProfileByPath(t *testing.T) {
	dir := t.TempDir()
	profile, err := os.ReadFile("../fixtures/terminals/countertop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"mine.yaml": strings.Replace(string(profile), "id: countertop", "id: mine", 1),
		"rig.yaml":  "name: x\nprofile: ./mine.yaml\ninstruments:\n  keypad: {driver: human}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := rigs.LoadFile(filepath.Join(dir, "rig.yaml"))
	if err != nil || f.Terminal.ID != "mine" {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestReveal(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"secret": "s3cret\n", "empty": "\n", "long": strings.Repeat("x", 5000)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("ASSAY_TEST_WORD", "w0rd")
	for _, c := range []struct{ word, want, wrong string }{
		{"plain", "plain", ""}, {"${ASSAY_TEST_WORD}", "w0rd", ""}, {"a=${ASSAY_TEST_WORD};", "a=w0rd;", ""}, {"file:secret", "s3cret", ""},
		{"$HOME", "$HOME", ""}, {"${ASSAY_TEST_NONE}", "", "ASSAY_TEST_NONE is not set"}, {"file:none", "", "no such file"},
		{"file:empty", "", "is empty"}, {"file:long", "", "longer than"},
	} {
		got, secrets, err := rigs.Reveal(dir, c.word)
		if got != c.want || (c.wrong == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: %q, %v", c.word, got, err)
		}
		if err == nil && (len(secrets) > 0) != (c.want != c.word) {
			t.Errorf("%s: %d secrets to mask", c.word, len(secrets))
		}
	}
}

func TestKeysAreNeverQuoted(t *testing.T) {
	const secret = "0123456789ABCDEFFEDCBA9876543210"
	dir := t.TempDir()
	path := filepath.Join(dir, "keys.yaml")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("ASSAY_TEST_KEY", secret)
	write("pin-key: \"${ASSAY_TEST_KEY}\"\nmaster: " + secret + "\n")
	keys, err := rigs.LoadKeys(path)
	if err != nil || len(keys.PINKey) != 16 || len(keys.Master) != 16 || keys.BDK != nil {
		t.Fatalf("%d %d bytes, %v", len(keys.PINKey), len(keys.Master), err)
	}
	for _, text := range []string{"master: " + secret + "0", "master: [" + secret + "]", "master: {" + secret + ": 1}", "mster: " + secret} {
		write(text)
		if _, err := rigs.LoadKeys(path); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%v", err)
		}
	}
}
