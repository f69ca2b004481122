package relay

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func TestChecksumCheckValue(t *testing.T) {
	if got := checksum([]byte("123456789")); got != 0x29B1 {
		t.Fatalf("checksum = %04X, want 29B1", got)
	}
}

// The sample lines of PROTOCOL.md are what somebody with a microcontroller tests against.
func TestProtocolSamples(t *testing.T) {
	doc, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	_, samples, ok := strings.Cut(string(doc), "## 6.")
	if !ok {
		t.Fatal("PROTOCOL.md has no §6")
	}
	seen := 0
	for line := range strings.Lines(samples) {
		if !strings.Contains(line, "*") {
			continue
		}
		seen++
		m, err := parseLine([]byte(strings.TrimSuffix(line, "\n")))
		if err != nil {
			t.Errorf("%q: %v", line, err)
			continue
		}
		again, err := m.encode()
		if err != nil || string(again) != line {
			t.Errorf("encode = %q, %v; want %q", again, err, line)
		}
	}
	if seen != 16 {
		t.Errorf("%d sample lines, want 16", seen)
	}
}

// sum appends a right checksum, so that a test reaches the checks behind it.
func sum(text string) string {
	const digits = "0123456789ABCDEF"
	c := checksum([]byte(text))
	return text + "*" + string([]byte{digits[c>>12], digits[c>>8&15], digits[c>>4&15], digits[c&15]})
}

func TestParseLine(t *testing.T) {
	tests := []struct {
		name, line string
		ok         bool
		words      int
	}{
		{"reply", sum("<0A OK"), true, 1},
		{"event with argument", sum("!FF CAPDU 00A4"), true, 2},
		{"CR anywhere", "<0\r0 OK\r" + strings.TrimPrefix(sum("<00 OK"), "<00 OK") + "\r", true, 1},
		{"empty", "", true, 0},
		{"only CR", "\r", true, 0},
		{"one bit wrong", strings.Replace(sum("<00 OK"), "OK", "OJ", 1), false, 0},
		{"lower case sequence", sum("<0a OK"), false, 0},
		{"lower case checksum", strings.ToLower(sum("<00 RESET COLD")), false, 0},
		{"unknown kind", sum("?00 OK"), false, 0},
		{"no space after sequence", sum("<00OK OK"), false, 0},
		{"two spaces", sum("<00 OK  A"), false, 0},
		{"trailing space", sum("<00 OK "), false, 0},
		{"no verb", sum("<00 "), false, 0},
		{"control character", sum("<00 O\x01K"), false, 0},
		{"eight bits", sum("<00 OK \xC3\xA9"), false, 0},
		{"junk before", "xx" + sum("<00 OK"), false, 0},
		{"no checksum", "<00 OK VERYLONG", false, 0},
		{"at the limit", sum("!00 CAPDU " + strings.Repeat("A", maxLine-15)), true, 2},
		{"over the limit", sum("!00 CAPDU " + strings.Repeat("A", maxLine-14)), false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := parseLine([]byte(tt.line))
			if (err == nil) != tt.ok || len(m.words) != tt.words {
				t.Errorf("parseLine(%q) = %v, %v", tt.line, m, err)
			}
		})
	}
}

func TestEncodeRefusesLongLine(t *testing.T) {
	m := message{kind: request, words: []string{"RAPDU", "00", strings.Repeat("00", 600)}}
	if line, err := m.encode(); err == nil {
		t.Fatalf("%d bytes encoded", len(line))
	} else if strings.Contains(err.Error(), "0000") {
		t.Fatalf("the error holds data of the line: %v", err)
	}
}

func TestByteStrings(t *testing.T) {
	tests := []struct {
		word string
		want []byte
		ok   bool
	}{
		{"-", nil, true},
		{"1B05", []byte{0x1B, 0x05}, true},
		{"1b05", nil, false},
		{"1B0", nil, false},
		{"", nil, false},
		{"XY", nil, false},
	}
	for _, tt := range tests {
		got, ok := parseBytes(tt.word)
		if ok != tt.ok || (ok && !bytes.Equal(got, tt.want)) {
			t.Errorf("parseBytes(%q) = %X, %v", tt.word, got, ok)
		}
		if ok && byteString(got) != tt.word {
			t.Errorf("byteString(%X) = %q, want %q", got, byteString(got), tt.word)
		}
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add([]byte(">00 HELLO*ED84"))
	f.Add([]byte("!01 CAPDU 00A4040007A0000000031010*CD44\r"))
	f.Add([]byte("<00 OK relay 1 sim-1.0 stripe,chip,field*76C6"))
	f.Add([]byte("*****"))
	f.Fuzz(func(t *testing.T, line []byte) {
		m, err := parseLine(line)
		if err != nil || len(m.words) == 0 {
			return
		}
		again, err := m.encode()
		if err != nil {
			t.Fatalf("a line that was read can't be written: %v", err)
		}
		plain := bytes.ReplaceAll(line, []byte("\r"), nil)
		if !bytes.Equal(bytes.TrimSuffix(again, []byte("\n")), plain) {
			t.Fatalf("read %q, wrote %q", plain, again)
		}
	})
}
