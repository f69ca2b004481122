package robot

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The traps that a driver must be able to survive are really there.

func TestRestartAtPress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := ready(t, Config{Faults: Faults{RestartAtPress: 1}})
		h.do("G53 G0 Z5", "G53 G0 X10 Y50", "G53 G1 Z-2 F2000")
		h.expect("", banner, unlock)
		h.send("G53 G0 Z5\n")
		h.expect("error:9")
		if got := h.touched(); got != "+1" {
			t.Errorf("touched %q: the finger must stay where it is", got)
		}
	})
}

func TestLoseReplyAtPress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := ready(t, Config{Faults: Faults{LoseReplyAtPress: 1}})
		h.do("G53 G0 Z5", "G53 G0 X10 Y50", "G53 G1 Z-2 F2000")
		h.send("G4 P0.05\n")
		h.silent(time.Minute)
		h.do("G53 G0 Z5", "G4 P0")
		if got := h.touched(); got != "+1 -1" {
			t.Errorf("touched %q", got)
		}
	})
}

func TestHomingFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := power(t, Config{Faults: Faults{NoSwitch: true}})
		h.expect("", banner, unlock)
		h.send("$H\n")
		h.expect("ALARM:9", "ok", "", banner, unlock)
	})
	synctest.Test(t, func(t *testing.T) {
		h := power(t, Config{Faults: Faults{EndlessHoming: true}})
		h.expect("", banner, unlock)
		h.send("$H\n")
		pass(time.Second)
		h.send("?")
		h.silent(time.Hour)
		h.send("\x18")
		h.expect("ALARM:6", "ok", "", banner, unlock)
	})
}

func TestLosesFirstReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := power(t, Config{Faults: Faults{LosesFirstReset: true}})
		h.expect("", banner, unlock)
		h.send("\x18")
		h.silent(time.Minute)
		h.send("\x18")
		h.expect("", banner, unlock)
	})
}

// Lines that don't fit the receive buffer are lost without a word: 396 bytes sent blind give fewer answers
// than lines, and no error.
func TestSilentOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := ready(t, Config{})
		line := "G53 G1 X20.000 Y20.000 F1000.0000\n" // 33 bytes and LF
		h.send("G4 P2\n")
		pass(time.Second)
		h.send(strings.Repeat(line, 12))
		answers := 0
		for {
			select {
			case got := <-h.lines:
				if got != "ok" {
					t.Fatalf("got %q", got)
				}
				answers++
				continue
			case <-time.After(patience):
			}
			break
		}
		if answers < 2 || answers > 6 {
			t.Errorf("%d answers to 13 lines", answers)
		}
	})
}

func TestStockMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := power(t, Config{Motion: Stock(), Origin: [3]float64{-150, -150, -60}})
		h.expect("", banner, unlock)
		start := time.Now()
		h.do("$H")
		if took := time.Since(start); took < 20*time.Second || took > time.Minute {
			t.Errorf("homing took %v", took)
		}
		h.wantStatus("Idle|MPos:-199.000,-199.000,-1.000")
	})
}

func TestFluidNC(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := power(t, Config{Firmware: FluidNC})
		h.expect("", "Grbl 3.9 [FluidNC v3.9.1 (noradio) '$' for help]", unlock)
		h.send("$I\n")
		h.expect("[VER:3.9 FluidNC v3.9.1 (noradio):]", "[OPT:PHS]", "[MSG:Machine: finger]", "ok")
		h.send("$/stepping/idle_ms\n")
		h.expect("$/stepping/idle_ms=255.000", "ok")
		h.send("$/stepping/nothing\n$22=0\n$1=255\n")
		h.expect("error:3", "error:162", "error:3")
		h.send("$$\n")
		for line := h.read(); line != "ok"; line = h.read() {
			if strings.HasPrefix(line, "$1=") || strings.HasPrefix(line, "$25=") {
				t.Errorf("FluidNC has no %s", line)
			}
		}
	})
}
