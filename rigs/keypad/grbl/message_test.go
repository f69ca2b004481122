package grbl

import (
	"reflect"
	"strings"
	"testing"
)

func TestClassify(t *testing.T) {
	tests := []struct {
		line string
		kind kind
		code int
	}{
		{"ok", ok, 0},
		{"ok ", noise, 0},
		{"okay", noise, 0},
		{"", noise, 0},
		{"error:9", refused, 9},
		{"error:", refused, unknownCode},
		{"error: Bad number format", refused, unknownCode},
		{"ALARM:1", alarm, 1},
		{"ALARM:-1", alarm, unknownCode},
		{"Grbl 1.1h ['$' for help]", banner, 0},
		{"Grbl 3.9 [FluidNC v3.9.1 (wifi) '$' for help]", banner, 0},
		{"Grblish", noise, 0},
		{"<Idle|MPos:0.000,0.000,0.000|FS:0,0>", report, 0},
		{"<Idle|MPos:0.0", noise, 0},
		{"$122=300.000", setting, 0},
		{"$N0=G20", noise, 0},
		{"$", noise, 0},
		{">G20G54:ok", info, 0},
		{">G20G54:error:7", info, 0},
		{"[MSG:'$H'|'$X' to unlock]", info, 0},
		{"[GC:G0 G54 G17 G21 G90 G94 M5 M9 T0 F0 S0]", info, 0},
		{"[PRB:-1.000,-1.000,-4.900:1]", info, 0},
		{"[VER:1.1h.20190830:]", version, 0},
		{"$/stepping/idle_ms=255", setting, 0},
		{"[echo:ok]", info, 0},
	}
	for _, tt := range tests {
		if m := classify(tt.line); m.kind != tt.kind || m.code != tt.code || m.text != tt.line {
			t.Errorf("classify(%q) = %+v, want kind %d, code %d", tt.line, m, tt.kind, tt.code)
		}
	}
}

func TestParseStatus(t *testing.T) {
	p := func(x, y, z float64) *Point { return &Point{X: x, Y: y, Z: z} }
	tests := []struct {
		line string
		want status
		bad  bool
	}{
		{line: "<Idle|MPos:1.000,-2.500,3.000|FS:0,0|WCO:0.000,0.000,1.000>", want: status{state: "Idle", mpos: p(1, -2.5, 3), wco: p(0, 0, 1)}},
		{line: "<Hold:1|Ov:100,100,100|FS:0,0|WPos:1,2,3|Pn:XYZ>", want: status{state: "Hold", wpos: p(1, 2, 3)}},
		{line: "<Run|Bf:15,128|Ln:99|MPos:0,0,0,7.5|A:SFM>", want: status{state: "Run", mpos: p(0, 0, 0)}}, // a 4th axis
		{line: "<Sleep>", want: status{state: "Sleep"}},
		{line: "<>", bad: true},
		{line: "<|MPos:1,2,3>", bad: true},
		{line: "<Idle|MPos:1.000,2.000>", bad: true},
		{line: "<Idle|MPos:1.000,2.0x0,3.000>", bad: true},
		{line: "<Idle|MPos:1,NaN,3>", bad: true},
		{line: "<Idle|MPos:1,2,Inf>", bad: true},
		{line: "Idle|MPos:1,2,3", bad: true},
	}
	for _, tt := range tests {
		got, valid := parseStatus(tt.line)
		if valid == tt.bad || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("parseStatus(%q) = %+v, %t", tt.line, got, valid)
		}
	}
}

func TestParseSetting(t *testing.T) {
	for line, want := range map[string]float64{
		"$122=300.000": 300, "$22=1": 1, "$110=500.000 (x max rate, mm/min)": 500,
		"$/stepping/idle_ms=255": 255, "$/axes/x/soft_limits=true": 1, "$/axes/y/soft_limits=false": 0,
	} {
		if _, v, valid := parseSetting(line); !valid || v != want {
			t.Errorf("parseSetting(%q) = %v, %t", line, v, valid)
		}
	}
	for _, line := range []string{"$N0=", "$=1", "$1", "$1=", "$-1=5", "$1=NaN", "ok"} {
		if n, v, valid := parseSetting(line); valid {
			t.Errorf("parseSetting(%q) = %q, %v", line, n, v)
		}
	}
}

// FuzzParse: no line from outside breaks the driver, and only a line that is wholly an answer
// counts as one.
func FuzzParse(f *testing.F) {
	for _, line := range []string{
		"ok", "error:9", "ALARM:1", "<Idle|MPos:0.000,0.000,0.000|FS:0,0|WCO:1,2,3>", "$122=300.000",
		"Grbl 1.1h ['$' for help]", ">G20:ok", "[MSG:Reset to continue]", "<Hold:1|WPos:1,2,3>", "error:99999999999999999999",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		m := classify(line)
		if m.code < unknownCode {
			t.Errorf("code %d", m.code)
		}
		if (m.kind == ok) != (line == "ok") || (m.kind == refused) != strings.HasPrefix(line, "error:") {
			t.Errorf("%q is of kind %d", line, m.kind)
		}
		if s, valid := parseStatus(line); valid {
			if m.kind != report || s.state == "" {
				t.Errorf("status %+v out of %q, kind %d", s, line, m.kind)
			}
			for _, p := range []*Point{s.mpos, s.wpos, s.wco} {
				if p != nil && !(finite(p.X) && finite(p.Y) && finite(p.Z)) {
					t.Errorf("place %v out of %q", *p, line)
				}
			}
		}
		if n, v, valid := parseSetting(line); valid && (n == "" || !finite(v)) {
			t.Errorf("setting %q = %v out of %q", n, v, line)
		}
	})
}

func BenchmarkParseStatus(b *testing.B) {
	for b.Loop() {
		parseStatus("<Idle|MPos:-180.000,-70.000,-40.000|FS:0,0|WCO:0.000,0.000,0.000>")
	}
}
