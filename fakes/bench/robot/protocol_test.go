package robot

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const banner = "Grbl 1.1h ['$' for help]"
const unlock = "[MSG:'$H'|'$X' to unlock]"

// bubble runs a test on a homed robot in virtual time.
func bubble(t *testing.T, name string, body func(t *testing.T, h *host)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { body(t, ready(t, Config{})) })
	})
}

// answer is a line and the last line of its answer.
type answer struct{ line, want string }

func wantAnswers(t *testing.T, list []answer) {
	t.Helper()
	for _, tc := range list {
		bubble(t, tc.line, func(t *testing.T, h *host) {
			h.send(tc.line + "\n")
			got := h.read()
			for got != "ok" && !strings.HasPrefix(got, "error:") {
				got = h.read()
			}
			if got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
			h.silent(time.Minute) // one response and no more
		})
	}
}

func TestGCodeResponses(t *testing.T) {
	wantAnswers(t, []answer{
		{"", "ok"},
		{"(comment) ; more", "ok"},
		{"G0 x 1 (go) Y2", "ok"},
		{"G53 G0 Z4", "ok"},
		{"G91 G1 X1 F100", "ok"},
		{"G20", "ok"},
		{"G4 P0", "ok"},
		{"M3 S100", "ok"},
		{"G92 X0", "ok"},
		{"G10 L20 P1 X0", "ok"},
		{"G43.1 Z1", "ok"},
		{"G28.1 X3 Y3 Z3", "ok"},
		{"G1 X1", "error:22"},
		{"G1 X1 F0", "error:22"},
		{"G2 X1 Y1 I1 F100", "error:20"},
		{"G38.2 Z-1 F10", "error:20"},
		{"G93", "error:20"},
		{"G99", "error:20"},
		{"G-1", "error:20"},
		{"G0.5", "error:23"},
		{"M3.5", "error:23"},
		{"M7", "error:20"},
		{"A1", "error:20"},
		{"#1", "error:1"},
		{"G0X1#", "error:1"},
		{"G0X", "error:2"},
		{"G0X-", "error:2"},
		{"G0X.", "error:2"},
		{"G0 G1 X1 F1", "error:24"},
		{"G90 G91", "error:21"},
		{"G20 G21", "error:21"},
		{"G0 X1 X2", "error:25"},
		{"F-1", "error:4"},
		{"N99999999", "error:27"},
		{"G4", "error:28"},
		{"G10 X1", "error:28"},
		{"G10 L2 P1", "error:26"},
		{"G10 L2 P7 X1", "error:29"},
		{"G10 L3 P1 X1", "error:20"},
		{"G92", "error:26"},
		{"G0 X1 P1", "error:36"},
		{"I1", "error:36"},
		{"G80 X1", "error:31"},
		{"G80 G53", "error:30"},
		{"G43.1 X1", "error:37"},
		{"T256", "error:38"},
		{"G0 X" + strings.Repeat("0", 77), "error:11"},
		{"G0 X" + strings.Repeat("0", 76), "ok"},
	})
}

func TestSystemResponses(t *testing.T) {
	wantAnswers(t, []answer{
		{"$", "ok"},
		{"$$", "ok"},
		{"$#", "ok"},
		{"$G", "ok"},
		{"$I", "ok"},
		{"$N", "ok"},
		{"$Q", "error:2"},
		{"$$1", "error:3"},
		{"$5", "error:3"},
		{"$5=", "error:2"},
		{"$7=1", "error:3"},
		{"$300=1", "error:3"},
		{"$0=2", "error:6"},
		{"$110=-1", "error:4"},
		{"$110=4000.5", "ok"},
		{"$100=0", "error:3"},
		{"$HX", "error:3"},
		{"$SLPX", "error:3"},
		{"$RST=x", "error:3"},
		{"$N0=G54", "ok"},
		{"$N0=G99", "error:20"},
		{"$N2=G54", "error:3"},
		{"$J=X1 F100", "ok"},
		{"$J=X1", "error:22"},
		{"$JX1 F100", "error:3"},
		{"$J=G1 X1 F100", "error:16"},
		{"$J=F100", "error:26"},
		{"$J=G53 X1000 F100", "error:15"},
	})
}

func TestSettingsThatDependOnOthers(t *testing.T) {
	bubble(t, "soft limits need homing", func(t *testing.T, h *host) {
		h.do("$22=0")
		h.send("$20=1\n$H\n")
		h.expect("error:10", "error:5")
	})
	bubble(t, "list", func(t *testing.T, h *host) {
		h.do("$110=1234.5")
		h.send("$$\n")
		var got []string
		for line := h.read(); line != "ok"; line = h.read() {
			got = append(got, line)
		}
		if len(got) != len(settingNumbers) {
			t.Errorf("%d settings, want %d", len(got), len(settingNumbers))
		}
		for _, want := range []string{"$0=10", "$10=1", "$11=0.010", "$20=1", "$22=1", "$23=3", "$26=250", "$110=1234.500", "$132=50.000"} {
			if !slices.Contains(got, want) {
				t.Errorf("%s is missing in %v", want, got)
			}
		}
	})
	bubble(t, "restore", func(t *testing.T, h *host) {
		h.do("$20=0")
		h.send("$RST=$\n")
		h.expect("[MSG:Restoring defaults]", "ok", "", banner)
		h.do("G0 X0 Y0")
		h.send("G0 X1000\n")
		h.expect("ALARM:2")
	})
	bubble(t, "steps rescale the position", func(t *testing.T, h *host) {
		h.do("G53 G0 X10", "G4 P0", "$100=125")
		if got := h.status(); !strings.Contains(got, "MPos:20.000,") {
			t.Errorf("status %s", got)
		}
	})
}

func TestReports(t *testing.T) {
	bubble(t, "modes", func(t *testing.T, h *host) {
		h.do("G91 G1 X1 F600", "G4 P0")
		h.send("$G\n$I\n")
		h.expect("[GC:G1 G54 G17 G21 G91 G94 M5 M9 T0 F600 S0]", "ok", "[VER:1.1h.20190825:]", "[OPT:V,15,128]", "ok")
	})
	bubble(t, "parameters", func(t *testing.T, h *host) {
		h.do("G10 L2 P1 X1 Y2 Z3", "G92 Z0")
		h.send("$#\n")
		h.expect("[G54:1.000,2.000,3.000]")
		for range 7 {
			h.read()
		}
		h.expect("[G92:0.000,0.000,26.000]", "[TLO:0.000]", "[PRB:0.000,0.000,0.000:0]", "ok")
	})
	bubble(t, "slow fields of a status", func(t *testing.T, h *host) {
		first, second, third := h.status(), h.status(), h.status()
		want := "<Idle|MPos:-4.000,-4.000,29.000|FS:0,0"
		for i, got := range []string{first, second, third} {
			if w := want + [...]string{"|WCO:0.000,0.000,0.000>", "|Ov:100,100,100>", ">"}[i]; got != w {
				t.Errorf("report %d: got %s, want %s", i, got, w)
			}
		}
		for range 7 {
			if got := h.status(); strings.Contains(got, "WCO") {
				t.Errorf("WCO too early: %s", got)
			}
		}
		if got := h.status(); !strings.Contains(got, "WCO") {
			t.Errorf("WCO is due: %s", got)
		}
	})
	bubble(t, "masks and inches", func(t *testing.T, h *host) {
		h.do("$10=2", "$13=1", "G92 X0 Y0 Z0")
		if got := h.status(); !strings.HasPrefix(got, "<Idle|WPos:0.0000,0.0000,0.0000|Bf:15,128|FS:0,0|WCO:-0.1575,") {
			t.Errorf("status %s", got)
		}
	})
	bubble(t, "in motion", func(t *testing.T, h *host) {
		h.do("G53 G1 X96 F3000") // 50 mm/s, after 8.33 mm at 300 mm/s²
		pass(time.Second)
		// −4 + 50²/600 + 50·(1 − 1/6) = 41.8333, on a whole step of 1/250 mm
		if got, want := h.status(), "<Run|MPos:41.832,-4.000,29.000|FS:3000,0"; !strings.HasPrefix(got, want) {
			t.Errorf("got %s, want %s…", got, want)
		}
	})
}

func TestPlannerAndFlow(t *testing.T) {
	bubble(t, "ok means queued", func(t *testing.T, h *host) {
		start := time.Now()
		h.do("G53 G1 X100 F600")
		if took := time.Since(start); took > 50*time.Millisecond {
			t.Errorf("ok after %v", took)
		}
		h.wantStatus("Run")
		h.do("G4 P0.01")
		if took := time.Since(start); took < 10*time.Second {
			t.Errorf("the dwell's ok came after %v, before the end of the move", took)
		}
		h.wantStatus("Idle")
	})
	bubble(t, "a line that waits in the ring has its time there", func(t *testing.T, h *host) {
		start := time.Now()
		h.send("G21\nG21\nG4 P0.05\nG21\n")
		h.expect("ok", "ok", "ok", "ok")
		if took, want := time.Since(start), Realistic().Line+50*time.Millisecond; took != want {
			t.Errorf("four lines took %v, want %v", took, want)
		}
		start = time.Now()
		h.do("G21", "G21")
		if took, want := time.Since(start), 2*Realistic().Line; took != want {
			t.Errorf("two lines one by one took %v, want %v", took, want)
		}
	})
	bubble(t, "dwell in steps of 50 ms", func(t *testing.T, h *host) {
		for wanted, want := range map[string]int{"0": 0, "0.01": 50, "0.05": 50, "0.08": 100, "0.15": 150, "1": 1000} {
			start := time.Now()
			h.do("G4 P" + wanted)
			if got := time.Since(start); got != time.Duration(want)*time.Millisecond+Realistic().Line {
				t.Errorf("G4 P%s took %v, want %d ms and a line", wanted, got, want)
			}
		}
	})
	bubble(t, "fifteen blocks", func(t *testing.T, h *host) {
		for i := range planBlocks {
			h.do(fmt.Sprintf("G53 G1 X%d F60", i*10))
		}
		h.send("G53 G1 X1\n")
		h.silent(2 * time.Second)
		h.wantStatus("Run")
		h.expect("ok")
	})
	bubble(t, "overflow of the ring is silent", func(t *testing.T, h *host) {
		line := "G53 G1 X10.000 Y10.000 Z10 F1000\n" // 33 bytes
		h.send(strings.Repeat(line, 12))
		h.expect("ok", "ok", "ok", "ok") // one being executed, three whole lines in 128 bytes
		h.silent(time.Minute)
	})
	bubble(t, "a second line end is a second line", func(t *testing.T, h *host) {
		h.send("G21\r\n")
		h.expect("ok", "ok")
	})
	bubble(t, "realtime inside a line", func(t *testing.T, h *host) {
		h.send("G2?1\xfe\n")
		if got := h.read(); !strings.HasPrefix(got, "<Idle") {
			t.Errorf("got %s", got)
		}
		h.expect("ok")
	})
	bubble(t, "checking only", func(t *testing.T, h *host) {
		h.send("$C\n")
		h.expect("[MSG:Enabled]", "ok")
		h.do("G53 G0 X50", "G4 P100")
		h.wantStatus("Check|MPos:-4.000")
		h.send("$C\n")
		h.expect("[MSG:Disabled]", "ok", "", banner)
		h.wantStatus("Idle")
	})
	bubble(t, "startup blocks", func(t *testing.T, h *host) {
		h.do("$N0=G20", "$N1=G91")
		h.send("\x18")
		h.expect("", banner, ">G20:ok", ">G91:ok")
		h.send("$H\n")
		h.expect(">G20:ok", ">G91:ok", "ok")
	})
}
