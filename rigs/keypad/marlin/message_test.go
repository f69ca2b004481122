package marlin

import (
	"strings"
	"testing"
)

func TestClassify(t *testing.T) {
	for _, tt := range []struct {
		line string
		kind kind
		n    int
	}{
		{"ok", ok, -1}, {"ok N5 P15 B3", ok, -1}, {"ok T:20.0 /0.0", ok, -1}, {"okay", noise, -1}, {"start", started, -1},
		{"Resend: 12", resend, 12}, {"rs 7", resend, 7}, {"Resend: x", resend, -1},
		{"Error:checksum mismatch, Last Line: 11", damaged, -1}, {"Error:Line Number is not Last Line Number+1, Last Line: 3", damaged, -1},
		{"Error:No Checksum with line number, Last Line: 3", damaged, -1},
		{"Error:Printer halted. kill() called!", killed, -1}, {"Error:Homing Failed", failed, -1},
		{"echo:busy: processing", busy, -1}, {"echo:busy: paused for user", paused, -1},
		{`echo:Unknown command: "G99"`, unknown, -1}, {"echo:Home XYZ First", unhomed, -1}, {"echo:endstops hit:  X:1.00", endstop, -1},
		{"X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0", position, -1}, {"FIRMWARE_NAME:Marlin 2.1.2", firmware, -1},
		{"Cap:EMERGENCY_PARSER:1", info, -1}, {"z_max: open", info, -1}, {"echo:  M203 X500.00 Y500.00 Z5.00 E25.00", info, -1},
		{" T:20.1 /0.0 B:20.0 /0.0 @:0", noise, -1}, {"//action:notification", noise, -1}, {"", noise, -1}, {"wait", noise, -1},
	} {
		if m := classify(tt.line); m.kind != tt.kind || m.line != tt.n || m.text != tt.line {
			t.Errorf("classify(%q) = %+v, want kind %d, line %d", tt.line, m, tt.kind, tt.n)
		}
	}
}

func TestParsePosition(t *testing.T) {
	p, valid := parsePosition("X:1.50 Y:-2.25 Z:30.00 E:0.00 Count X:120 Y:-180 Z:12000")
	if !valid || p != (Point{X: 1.5, Y: -2.25, Z: 30}) {
		t.Errorf("%v, %t", p, valid)
	}
	for _, line := range []string{"X:1.00 Y:2.00", "X:1.00 Y:NaN Z:1.00", "X: Y: Z:", "Count X:1 Y:1 Z:1"} {
		if p, valid := parsePosition(line); valid {
			t.Errorf("%q gives %v", line, p)
		}
	}
}

// The checksum of RepRap's own example: N3 T0*57.
func TestFrame(t *testing.T) {
	if got := string(frame(3, "T0")); got != "N3 T0*57\n" {
		t.Errorf("frame = %q", got)
	}
}

func TestMachine(t *testing.T) {
	lines := []string{
		"FIRMWARE_NAME:Marlin 1.1.9 (Github) SOURCE_CODE_URL:https://…", "Cap:EMERGENCY_PARSER:0",
		"z_min: TRIGGERED", "echo:Soft endstops: Off  Min:  X0.00", "echo:  M203 X500.00 Y500.00 Z5.00 E25.00",
		"echo:  M201 X3000 Y3000 Z100 E10000", "echo:  M204 P3000.00 R3000.00 T1500.00",
	}
	m, err := newMachine(lines)
	if err != nil || m.Firmware != "Marlin 1.1.9 (Github)" || m.Accel != [3]float64{1500, 1500, 100} || m.Rate[2] != 5 {
		t.Errorf("%+v, %v", m, err)
	}
	if w := m.Warnings(); len(w) != 3 {
		t.Errorf("warnings %q", w)
	}
	for name, change := range map[string][2]string{
		"not Marlin": {"Marlin 1.1.9", "Smoothieware"}, "no speed": {"M203 X500.00", "M203 X0"}, "no acceleration": {"M201", "M999"},
	} {
		if _, err := newMachine(strings.Split(strings.Replace(strings.Join(lines, "\n"), change[0], change[1], 1), "\n")); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// FuzzClassify: no line from outside breaks the driver, and only a line that is wholly an answer counts as one.
func FuzzClassify(f *testing.F) {
	for _, line := range []string{"ok", "Resend: 5", "X:1 Y:2 Z:3 Count", "Error:x", "echo:  M203 X1 Y2 Z3", "FIRMWARE_NAME:Marlin"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		m := classify(line)
		if m.kind == ok && line != "ok" && !strings.HasPrefix(line, "ok ") {
			t.Errorf("%q is taken for ok", line)
		}
		if p, valid := parsePosition(line); valid && !(finite(p.X) && finite(p.Y) && finite(p.Z)) {
			t.Errorf("%q gives %v", line, p)
		}
		if text := wordless(line); len(text) > 60 || strings.ContainsAny(text, "0123456789") {
			t.Errorf("an error would say %q", text)
		}
		if m, err := newMachine([]string{"FIRMWARE_NAME:Marlin", line}); err == nil && m.Rate[0] <= 0 {
			t.Errorf("%q gives %+v", line, m)
		}
	})
}
