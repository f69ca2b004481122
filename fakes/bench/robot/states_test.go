package robot

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestHold(t *testing.T) {
	bubble(t, "hold, resume", func(t *testing.T, h *host) {
		h.do("G53 G1 X96 F6000")
		pass(500 * time.Millisecond)
		h.send("!")
		h.wantStatus("Hold:1")
		h.send("G4 P0\n")
		h.silent(time.Minute)
		h.wantStatus("Hold:0")
		h.send("~")
		h.wantStatus("Run")
		h.expect("ok")
		h.wantStatus("Idle|MPos:96.000,")
	})
	bubble(t, "hold when idle", func(t *testing.T, h *host) {
		h.send("!")
		h.wantStatus("Hold:0")
		h.send("G21\n")
		h.silent(time.Second)
		h.send("~")
		h.expect("ok")
	})
	bubble(t, "hold lifts nothing", func(t *testing.T, h *host) {
		h.do("G53 G0 X10 Y50", "G53 G1 Z-10 F600")
		for h.touched() == "" {
			pass(10 * time.Millisecond)
		}
		h.send("!")
		h.silent(time.Minute)
		if got := h.touched(); got != "+1" {
			t.Errorf("got %q", got)
		}
	})
	bubble(t, "door", func(t *testing.T, h *host) {
		h.do("G53 G1 X96 F6000")
		pass(500 * time.Millisecond)
		h.send("\x84")
		h.expect("[MSG:Check Door]")
		h.wantStatus("Door:2")
		pass(time.Second)
		h.wantStatus("Door:0")
		h.send("~")
		h.expect("[MSG:Restoring spindle]")
		h.wantStatus("Door:3")
		pass(doorRestore)
		h.wantStatus("Run")
	})
}

func TestJogOverridesAndPauses(t *testing.T) {
	bubble(t, "jog and cancel", func(t *testing.T, h *host) {
		h.do("$J=G91 X50 F3000")
		h.wantStatus("Jog")
		h.send("G21\n")
		h.expect("error:9")
		pass(500 * time.Millisecond)
		h.send("\x85")
		pass(500 * time.Millisecond)
		h.wantStatus("Idle")
		h.do("G90 G53 G0 X10", "G4 P0")
		h.wantStatus("Idle|MPos:10.000,")
		h.send("\x85")
		h.wantStatus("Idle")
	})
	bubble(t, "overrides", func(t *testing.T, h *host) {
		h.status()
		h.send("\x92\x94\x97")
		if got := h.status(); !strings.Contains(got, "|Ov:89,25,100") {
			t.Errorf("status %s", got)
		}
		h.do("G53 G1 X96 F1000")
		pass(time.Second)
		if got := h.status(); !strings.Contains(got, "|FS:890,0") {
			t.Errorf("status %s", got)
		}
	})
	bubble(t, "program pause", func(t *testing.T, h *host) {
		h.send("M0\n")
		h.silent(time.Minute)
		h.wantStatus("Hold:0")
		h.send("~")
		h.expect("ok")
		h.send("M30\n")
		h.expect("[MSG:Pgm End]", "ok")
	})
	bubble(t, "sleep", func(t *testing.T, h *host) {
		h.send("$SLP\n")
		h.expect("ok", "[MSG:Sleeping]")
		h.wantStatus("Sleep")
		h.send("\x18")
		h.expect("", banner, unlock)
	})
}

func TestHoming(t *testing.T) {
	t.Run("time and place", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := power(t, Config{})
			h.expect("", banner, unlock)
			h.send("G0 X1\n$J=X1 F100\n$C\n")
			h.expect("error:9", "error:8", "error:8")
			h.wantStatus("Alarm|MPos:0.000,0.000,0.000")
			start := time.Now()
			h.send("$H\n")
			pass(time.Second)
			h.send("?") // not answered before the end
			if got := h.read(); !strings.HasPrefix(got, "<Home|") {
				t.Errorf("got %s", got)
			}
			h.expect("ok")
			if took := time.Since(start); took < 5*time.Second || took > 7*time.Second {
				t.Errorf("homing took %v", took)
			}
			h.wantStatus("Idle|MPos:-4.000,-4.000,29.000")
		})
	})
	t.Run("lifts the finger first", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := ready(t, Config{})
			h.do("G53 G0 X30 Y50", "G53 G0 Z-2", "G4 P0", "$H")
			if got := h.touched(); got != "+2 -2" {
				t.Errorf("got %q", got)
			}
		})
	})
	bubble(t, "reset meanwhile", func(t *testing.T, h *host) {
		h.send("$H\n")
		pass(time.Second)
		h.send("\x18")
		h.expect("ALARM:6", "ok", "", banner, unlock)
	})
	bubble(t, "door meanwhile", func(t *testing.T, h *host) {
		h.send("$H\n")
		pass(time.Second)
		h.send("\x84")
		h.expect("ALARM:7", "ok", "", banner, unlock)
	})
	bubble(t, "no switch within reach", func(t *testing.T, h *host) {
		h.do("G53 G0 X140", "G4 P0", "$130=20")
		h.send("$H\n")
		h.expect("ALARM:9", "ok", "", banner, unlock)
	})
	bubble(t, "other corner", func(t *testing.T, h *host) {
		h.do("$23=0", "$H")
		h.wantStatus("Idle|MPos:149.000,149.000,29.000")
		h.press(10, 50)
		if got := h.touched(); got != "+1 -1" {
			t.Errorf("got %q", got)
		}
	})
}

func TestLimits(t *testing.T) {
	bubble(t, "soft limit", func(t *testing.T, h *host) {
		h.do("G53 G1 X96 F6000")
		h.send("G53 G0 X1000\n")
		h.expect("ALARM:2", "[MSG:Reset to continue]")
		h.send("?$X\n$$\n")
		h.silent(time.Minute)
		h.send("\x18")
		h.expect("ok", "", banner, unlock)
		h.send("$X\n")
		h.expect("[MSG:Caution: Unlocked]", "ok")
		h.press(10, 50) // the position was kept
		if got := h.touched(); got != "+1 -1" {
			t.Errorf("got %q", got)
		}
	})
	bubble(t, "reset before the alarm is out is lost", func(t *testing.T, h *host) {
		h.send("G53 G0 X1000\n")
		h.expect("ALARM:2")
		h.send("\x18")
		h.expect("[MSG:Reset to continue]")
		h.silent(time.Minute)
		h.send("\x18")
		h.expect("ok", "", banner, unlock)
	})
	bubble(t, "hard limit", func(t *testing.T, h *host) {
		h.do("$20=0", "G53 G0 X1000")
		h.expect("ALARM:1", "[MSG:Reset to continue]")
		h.send("\x18")
		h.expect("", banner, unlock)
		if got := h.status(); !strings.Contains(got, "|Pn:X|") {
			t.Errorf("status %s", got)
		}
	})
	bubble(t, "no limits at all", func(t *testing.T, h *host) {
		h.do("$20=0", "$21=0", "G53 G0 Y1000", "G4 P0", "G53 G0 Y50 X10", "G53 G0 Z-2", "G53 G0 Z5", "G4 P0")
		h.wantStatus("Idle|MPos:10.000,50.000,5.000") // the firmware knows nothing of the crash
		if got := h.touched(); got != "" {
			t.Errorf("got %q", got)
		}
	})
}

func TestResets(t *testing.T) {
	bubble(t, "reset in motion", func(t *testing.T, h *host) {
		h.do("G53 G1 X96 F5000")
		pass(500 * time.Millisecond)
		h.send("\x18")
		h.expect("ALARM:3", "", banner, unlock)
		h.send("G0 X1\n")
		h.expect("error:9")
		h.send("$X\n")
		h.expect("[MSG:Caution: Unlocked]", "ok")
		h.press(10, 50)
		if got := h.touched(); got != "" {
			t.Errorf("got %q although the finger slid on by 11 mm", got)
		}
		h.do("$H")
		h.press(10, 50)
		if got := h.touched(); got != "+1 -1" {
			t.Errorf("got %q", got)
		}
	})
	bubble(t, "reset in a dwell", func(t *testing.T, h *host) {
		h.send("G4 P100\n")
		pass(time.Second)
		h.send("\x18")
		h.expect("ok", "", banner)
	})
	bubble(t, "reset when idle", func(t *testing.T, h *host) {
		h.do("G91 G1 F100 X1", "G4 P0")
		h.send("G0 X5\x18")
		h.expect("", banner)
		h.wantStatus("Idle|MPos:-3.000,")
		h.send("G1 X1\n") // modes are back at their defaults
		h.expect("error:22")
	})
}

func TestCoordinates(t *testing.T) {
	bubble(t, "home positions", func(t *testing.T, h *host) {
		h.do("G53 G0 X20 Y20", "G28.1", "G53 G0 X40 Y30", "G91 G28 X0", "G4 P0")
		h.wantStatus("Idle|MPos:20.000,30.000,")
	})
	bubble(t, "work coordinates", func(t *testing.T, h *host) {
		h.do("G10 L2 P2 X5 Y5", "G55", "G20", "G0 X1 Y1 Z0", "G4 P0", "G91 G0 X0.5", "G4 P0")
		h.wantStatus("Idle|MPos:43.100,30.400,0.000")
	})
}

func TestHostThatDoesNotRead(t *testing.T) {
	m := newMachine(Config{Keypad: pad(), Motion: Fast()}, func(string, bool, time.Time) {})
	m.powerUp(epoch)
	for range 10000 {
		m.feed([]byte("\x18$$\n?\x84"), epoch)
	}
	if n := len(m.tx); n > txMost {
		t.Errorf("%d bytes are kept", n)
	}
}
