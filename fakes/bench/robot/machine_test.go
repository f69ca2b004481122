package robot

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestProfile(t *testing.T) {
	for _, tc := range []struct {
		name                    string
		length, v0, vmax, accel float64
		total, peak             float64
	}{
		{"triangle", 3, 0, 1000, 300, 0.2, 30},
		{"trapezoid", 10, 0, 30, 300, 10.0/30 + 0.1, 30},
		{"already moving", 10, 30, 30, 300, 8.5/30 + 0.1, 30},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newProfile(tc.length, tc.v0, tc.vmax, tc.accel)
			if math.Abs(p.total()-tc.total) > 1e-9 || math.Abs(p.peak-tc.peak) > 1e-9 {
				t.Errorf("took %v at %v, want %v at %v", p.total(), p.peak, tc.total, tc.peak)
			}
			for i := range 101 {
				at := p.total() * float64(i) / 100
				s, v := p.at(at)
				if back := p.when(s); math.Abs(back-at) > 1e-6 {
					t.Errorf("%v s → %v mm → %v s", at, s, back)
				}
				if v < 0 || v > tc.peak+1e-9 {
					t.Errorf("%v mm/s at %v s", v, at)
				}
			}
		})
	}
	if p := stopping(1.5, 30); math.Abs(p.total()-0.1) > 1e-9 {
		t.Errorf("stopping took %v", p.total())
	}
}

func TestNumber(t *testing.T) {
	for _, tc := range []struct {
		text string
		want float64
		rest string
		ok   bool
	}{
		{"1.5X", 1.5, "X", true},
		{"-.25", -0.25, "", true},
		{"+7.", 7, "", true},
		{"1.2.3", 1.2, ".3", true},
		{"1E3", 1, "E3", true},
		{"0.123456789", 0.1234567, "", true}, // eight digits, the leading zero among them
		{"1234567890", 1e9, "", true},
		{strings.Repeat("9", 70), maxValue, "", true},
		{"-", 0, "-", false},
		{"", 0, "", false},
		{"X", 0, "X", false},
	} {
		got, rest, ok := number(tc.text)
		if ok != tc.ok || rest != tc.rest || math.Abs(got-tc.want) > 1e-9 {
			t.Errorf("number(%q) = %v, %q, %v", tc.text, got, rest, ok)
		}
	}
}

// FuzzLine sends any bytes to the firmware, in pieces and with time going by between them. It must
// stay in order: time never runs back, keys close and open in turn, and lines without realtime
// bytes get one response each, at most.
func FuzzLine(f *testing.F) {
	for _, seed := range []string{
		"$H\nG53G0X10Y50\nG53G1Z-2F2000\nG4P0.08\nG53G0Z5\n?",
		"$X\nG91G0X1\n!?~\x18", "$J=G91X1F100\n\x85", "$$\r\n$#\n$G\n$N0=G54\n$RST=*\n", "$100=1\n$120=0\n$110=0\nG0X1\n",
		"$C\nM0\nM30\n$C\n", "$20=0\n$21=0\nG1X99999999999F.001\n", "$SLP\n\x18\x84~", "(a(b)c;d)G0\n", "G92X1\nG10L20P1Z5\nG28\nG30.1\n$27=0\n$H\n",
	} {
		f.Add([]byte(seed), uint8(7), uint16(900))
	}
	f.Fuzz(func(t *testing.T, data []byte, piece uint8, ms uint16) {
		data = data[:min(len(data), 1024)]
		last, closed := epoch, map[string]bool{}
		m := newMachine(Config{Keypad: pad(), Motion: Realistic()}, func(key string, down bool, at time.Time) {
			if at.Before(last) || closed[key] == down {
				t.Fatalf("%s down=%v at %v, after %v", key, down, at, last)
			}
			last, closed[key] = at, down
		})
		m.powerUp(epoch)
		now, out := epoch, m.tx
		step := func(p []byte, d time.Duration) {
			now = now.Add(d)
			m.feed(p, now)
			out = append(out, m.tx...)
			m.tx = nil
		}
		for rest := data; len(rest) > 0; {
			n := min(len(rest), int(piece)+1)
			step(rest[:n], time.Duration(ms)*time.Millisecond)
			rest = rest[n:]
		}
		step(nil, time.Hour)
		if math.IsNaN(m.mpos[0] + m.mpos[1] + m.mpos[2] + m.offset[0] + m.offset[1] + m.offset[2]) {
			t.Fatalf("position lost: %v %v", m.mpos, m.offset)
		}
		if bytes.IndexFunc(data, func(r rune) bool { return r == rtReset || r > 0x7F }) < 0 {
			lines := bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r"))
			if got := responses(out); got > lines {
				t.Fatalf("%d responses to %d lines: %q", got, lines, out)
			}
		}
	})
}

// responses counts ok and error lines.
func responses(out []byte) (n int) {
	for line := range strings.SplitSeq(string(out), "\r\n") {
		if line == "ok" || strings.HasPrefix(line, "error:") {
			n++
		}
	}
	return n
}

// BenchmarkPress is one press, travel included, as bytes through the machine.
func BenchmarkPress(b *testing.B) {
	presses := 0
	m := newMachine(Config{Keypad: pad(), Motion: Realistic()}, func(_ string, down bool, _ time.Time) {
		if down {
			presses++
		}
	})
	now := epoch
	m.powerUp(now)
	send := func(text string) {
		m.feed([]byte(text), now)
		now = now.Add(30 * time.Second)
		m.advance(now)
		m.tx = m.tx[:0]
	}
	send("$H\n")
	for b.Loop() {
		send("G53G0X10Y50\nG53G1Z-2F2000\nG4P0.05\nG53G0Z5\nG53G0X50Y10\nG4P0\n?")
	}
	if presses != b.N {
		b.Fatalf("%d presses in %d rounds", presses, b.N)
	}
}
