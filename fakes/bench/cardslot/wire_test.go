package cardslot

import (
	"bytes"
	"strings"
	"testing"
)

// protocolLines are the lines of PROTOCOL.md §6, letter by letter.
var protocolLines = []string{
	">00 HELLO*ED84",
	"<00 OK relay 1 sim-1.0 stripe,chip,field,crowd*5A0E",
	">01 SWIPE - 1B05 -*69E1",
	"<01 OK*1E57",
	">02 INSERT 3B6500002063CB6800*06EA",
	"<02 OK*858B",
	"!00 RESET COLD*CA67",
	"=00 ACK*DDC8",
	"!01 CAPDU 00A4040007A0000000031010*CD44",
	"=01 ACK*7799",
	">03 RAPDU 01 6A82*9EDF",
	"<03 OK*F33F",
	">04 REMOVE*B506",
	"<04 OK*A212",
	">05 FLY*81C0",
	"<05 ERR VERB*9FFB",
}

func TestProtocolLines(t *testing.T) {
	for _, text := range protocolLines {
		m, ok := parse([]byte(text))
		if !ok {
			t.Errorf("parse refused %q", text)
			continue
		}
		words := strings.Join(append([]string{m.verb}, m.args...), " ")
		if got := string(format(m.kind, m.number, words)); got != text+"\n" {
			t.Errorf("format(parse(%q)) = %q", text, got)
		}
	}
}

func TestCRC(t *testing.T) {
	if got := crc16([]byte("123456789")); got != 0x29B1 {
		t.Errorf("check value %04X, want 29B1", got)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty":           "",
		"no checksum":     ">00 HELLO",
		"wrong checksum":  ">00 HELLO*ED85",
		"small checksum":  ">00 HELLO*ed84",
		"cut":             ">00 HEL",
		"no verb":         seal(">00 "),
		"no space":        seal(">00HELLO"),
		"two spaces":      seal(">00 SWIPE  - - -"),
		"space at end":    seal(">00 HELLO "),
		"small number":    seal(">0a HELLO"),
		"no number":       seal(">xx HELLO"),
		"second star":     seal(">00 HE*LO"),
		"8th bit":         seal(">00 HELL\xcf"),
		"control":         seal(">00 HEL\x01O"),
		"checksum of all": ">00 HELLO*" + strings.Repeat("0", 4),
	} {
		if m, ok := parse([]byte(text)); ok {
			t.Errorf("%s: parse(%q) = %+v", name, text, m)
		}
	}
}

// seal adds the right checksum to any body.
func seal(body string) string {
	const digits = "0123456789ABCDEF"
	sum := crc16([]byte(body))
	return body + "*" + string([]byte{digits[sum>>12], digits[sum>>8&15], digits[sum>>4&15], digits[sum&15]})
}

func TestSplitter(t *testing.T) {
	long := strings.Repeat("x", LineLimit)
	for _, test := range []struct {
		name, in string
		want     []string
	}{
		{"lines", "a\nb\n", []string{"a", "b"}},
		{"CR anywhere", "a\rb\r\n\r\n", []string{"ab"}},
		{"empty", "\n\n\na\n", []string{"a"}},
		{"rest is kept back", "a\nb", []string{"a"}},
		{"longest", long + "\n", []string{long}},
		{"too long", long + "x\nafter\n", []string{"after"}},
		{"far too long", strings.Repeat(long, 20) + "\nafter\n", []string{"after"}},
	} {
		for _, step := range []int{1, 7, len(test.in)} {
			var s splitter
			var got []string
			for rest := []byte(test.in); len(rest) > 0; {
				n := min(step, len(rest))
				s.feed(rest[:n], func(line []byte) { got = append(got, string(line)) })
				rest = rest[n:]
			}
			if strings.Join(got, "\n") != strings.Join(test.want, "\n") || len(got) != len(test.want) {
				t.Errorf("%s, %d at a time: %d lines, want %d", test.name, step, len(got), len(test.want))
			}
		}
	}
}

func FuzzCardslotLine(f *testing.F) {
	for _, text := range protocolLines {
		f.Add([]byte(text + "\n"))
	}
	f.Add([]byte("\r\n\r\n>00 \n*\n"))
	f.Add([]byte(seal(">07 TAP 01020304 0578807002") + "\n"))
	f.Add([]byte(seal(">07 SWIPE 45 1B 1F") + "\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		var s splitter
		s.feed(in, func(line []byte) {
			if len(line) == 0 || len(line) > LineLimit || bytes.ContainsAny(line, "\r\n") {
				t.Fatalf("splitter gave %q", line)
			}
			m, ok := parse(line)
			if !ok {
				return
			}
			again := format(m.kind, m.number, strings.Join(append([]string{m.verb}, m.args...), " "))
			if string(again) != string(line)+"\n" {
				t.Fatalf("format(parse(%q)) = %q", line, again)
			}
			for _, word := range m.args {
				if b, ok := byteString(word); ok && len(b) > 0 && toHex(b) != word {
					t.Fatalf("byteString(%q) = %X", word, b)
				}
			}
		})
	})
}

func BenchmarkCommandLine(b *testing.B) {
	line := bytes.TrimSuffix(format(kindRequest, 7, "RAPDU 01 "+strings.Repeat("6F", 258)), []byte("\n"))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := parse(line); !ok {
			b.Fatal("refused")
		}
	}
}
