package iso8583

import (
	"errors"
	"maps"
	"strings"
	"testing"
)

func TestGoldenPacked(t *testing.T) {
	c := codec(t, packedDialect())
	wire, err := c.Pack(packedPurchase())
	if err != nil || string(wire) != goldenPacked {
		t.Errorf("Pack = %x, %v\nwant   %x", wire, err, goldenPacked)
	}
	m, err := c.Unpack([]byte(goldenPacked))
	want := packedPurchase()
	if err != nil || m.Header != want.Header || m.MTI != want.MTI || !maps.Equal(m.Fields, want.Fields) {
		t.Errorf("Unpack = %v, %v\nwant     %v", m, err, want)
	}
}

// Code page 037 by hand: digits F0…F9, letters C1 D1 E2 upwards, and what moves: [ is BA, ! is 5A.
func TestGoldenEBCDIC(t *testing.T) {
	c := codec(t, ebcdicDialect())
	m := Message{MTI: "0210", Fields: map[int]string{2: "123456789012345", 35: "12D34=5", 38: "aIJRSz", 48: "[!]"}}
	wire := "\xF0\xF2\xF1\xF0" + "\x40\x00\x00\x00\x24\x01\x00\x00" +
		"\xF1\xF5\xF1\xF2\xF3\xF4\xF5\xF6\xF7\xF8\xF9\xF0\xF1\xF2\xF3\xF4\xF5" +
		"\xF0\xF7\xF1\xF2\xC4\xF3\xF4\x7E\xF5" + "\x81\xC9\xD1\xD9\xE2\xA9" + "\xF0\xF0\xF3\xBA\x5A\xBB"
	got, err := c.Pack(m)
	if err != nil || string(got) != wire {
		t.Errorf("Pack = %x, %v\nwant   %x", got, err, wire)
	}
	back, err := c.Unpack([]byte(wire))
	if err != nil || back.MTI != m.MTI || !maps.Equal(back.Fields, m.Fields) {
		t.Errorf("Unpack = %v, %v", back, err)
	}
	for _, bad := range []string{"\x41", "\x15", "\xFF"} { // no-break space, new line, a control
		if _, err := c.Unpack([]byte(strings.Replace(wire, "\xBA", bad, 1))); !errors.Is(err, ErrCharacters) {
			t.Errorf("%x: %v, want ErrCharacters", bad, err)
		}
	}
}

// Every printable character survives EBCDIC, each as a byte of its own.
func TestEBCDICHasAllOfASCII(t *testing.T) {
	var all strings.Builder
	for c := byte(' '); c <= '~'; c++ {
		all.WriteByte(c)
	}
	c := codec(t, ebcdicDialect())
	wire, err := c.Pack(Message{MTI: "0200", Fields: map[int]string{48: all.String()}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Unpack(wire)
	if err != nil || m.Fields[48] != all.String() {
		t.Errorf("%q, %v", m.Fields[48], err)
	}
}

// Track 2 may have either separator in a message to pack; a packed one comes back with '='.
func TestTrackSeparator(t *testing.T) {
	c := codec(t, packedDialect())
	for _, separator := range []string{"=", "D"} {
		wire, err := c.Pack(Message{MTI: "0200", Fields: map[int]string{35: "12" + separator + "345"}})
		if err != nil || !strings.HasSuffix(string(wire), "\x06\x12\xD3\x45") {
			t.Errorf("%s: %x, %v", separator, wire, err)
		}
		if m, err := c.Unpack(wire); err != nil || m.Fields[35] != "12=345" {
			t.Errorf("%s: %q, %v", separator, m.Fields[35], err)
		}
	}
	m, err := c.Unpack([]byte("\x60\x00\x03\x00\x00\x07\x02\x00\x00\x00\x00\x00\x20\x00\x00\x00\x03\x12\x30"))
	if err != nil || m.Fields[35] != "123" {
		t.Errorf("filled with zero: %v, %v", m.Fields, err)
	}
}

func TestUnpackRefusesPacked(t *testing.T) {
	const header, mti = "\x60\x00\x03\x00\x00\x07", "\x02\x00"
	tests := []struct {
		name, wire string
		field      int
		want       error
	}{
		{"nothing", "", fieldHeader, ErrTruncated},
		{"header cut", header[:5], fieldHeader, ErrTruncated},
		{"header of letters", "\x60\x0A\x03\x00\x00\x07" + mti + "\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", fieldHeader, ErrCharacters},
		{"MTI cut", header + "\x02", 0, ErrTruncated},
		{"MTI with a letter", header + "\x0A\x00" + "\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 0, ErrCharacters},
		{"letter in n", header + mti + "\x20\x00\x00\x00\x00\x00\x00\x00\x00\x0A\x00", 3, ErrCharacters},
		{"separator in n", header + mti + "\x20\x00\x00\x00\x00\x00\x00\x00\x00\xD0\x00", 3, ErrCharacters},
		{"letter in track 2", header + mti + "\x00\x00\x00\x00\x20\x00\x00\x00\x02\x1A", 35, ErrCharacters},
		{"no fill on the left", header + mti + "\x00\x00\x02\x00\x00\x00\x00\x00\x10\x01", 23, ErrMalformed},
		{"no fill on the right", header + mti + "\x00\x00\x04\x00\x00\x00\x00\x00\x05\x11", 22, ErrMalformed},
		{"F after a number", header + mti + "\x00\x00\x04\x00\x00\x00\x00\x00\x05\x1F", 22, ErrMalformed},
		{"fill of a track", header + mti + "\x00\x00\x00\x00\x20\x00\x00\x00\x03\x12\x3E", 35, ErrMalformed},
		{"length with a letter", header + mti + "\x40\x00\x00\x00\x00\x00\x00\x00\x1A\x12\x34\x56\x78\x90", 2, ErrLength},
		{"LLL with a letter in front", header + mti + "\x00\x00\x00\x00\x00\x01\x00\x00\x00\xA0" + strings.Repeat("a", 100), 48, ErrLength},
		{"LLL with four digits", header + mti + "\x00\x00\x00\x00\x00\x01\x00\x00\x10\x01a", 48, ErrLength},
		{"length digits cut", header + mti + "\x00\x00\x00\x00\x00\x01\x00\x00\x00", 48, ErrTruncated},
		{"value cut in the middle of a byte", header + mti + "\x40\x00\x00\x00\x00\x00\x00\x00\x03\x12", 2, ErrTruncated},
		{"odd hexadecimal", header + mti + "\x00\x00\x00\x00\x00\x00\x08\x00\x03ABC", 53, ErrLength},
	}
	c := codec(t, packedDialect())
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := c.Unpack([]byte(tt.wire))
			checkFieldError(t, err, tt.field, tt.want)
			if m.MTI != "" || m.Fields != nil || m.Header != "" {
				t.Errorf("a broken message was returned: %v", m)
			}
		})
	}
}

func TestPackRefusesPacked(t *testing.T) {
	tests := []struct {
		name  string
		m     Message
		field int
		want  error
	}{
		{"header too short", Message{Header: "60", MTI: "0200"}, fieldHeader, ErrLength},
		{"header with a letter", Message{Header: "60000300000A", MTI: "0200"}, fieldHeader, ErrCharacters},
		{"a field beyond all", Message{MTI: "0200", Fields: map[int]string{129: "", 200: ""}}, 129, ErrUnknownField},
		{"a field below all", Message{MTI: "0200", Fields: map[int]string{0: "", -4: "", 3: "x"}}, -4, ErrUnknownField},
		{"the lowest is told", Message{MTI: "0200", Fields: map[int]string{5: "", 3: "x", 4: "y"}}, 3, ErrCharacters},
		{"the lowest is told, unknown", Message{MTI: "0200", Fields: map[int]string{5: "", 11: "y"}}, 5, ErrUnknownField},
	}
	c := codec(t, packedDialect())
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := c.Pack(tt.m)
			checkFieldError(t, err, tt.field, tt.want)
		})
	}
	if _, err := codec(t, dialect()).Pack(Message{Header: "00", MTI: "0200"}); err == nil {
		t.Error("a header in a dialect without one is let through")
	}
}

func TestAppend(t *testing.T) {
	c := codec(t, dialect())
	got, err := c.Append([]byte("kept"), purchase())
	if err != nil || string(got) != "kept"+golden {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := c.Append([]byte("kept"), Message{MTI: "0200", Fields: map[int]string{3: "x"}}); string(got) != "kept" || err == nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestUnpackPartial(t *testing.T) {
	cut := func(n int) string { return golden[:n] }
	terminal := strings.Index(golden, "TERM0001")
	tests := []struct {
		name, wire string
		mti        string
		has, lacks []int
		want       error
	}{
		{"whole", golden, "0200", []int{2, 3, 4, 11, 35, 41, 48, 52, 55}, nil, nil},
		{"trailing", golden + "x", "0200", []int{2, 41, 55}, nil, ErrTrailing},
		{"cut in 41", cut(terminal + 3), "0200", []int{2, 3, 4, 11, 35}, []int{41, 48}, ErrTruncated},
		{"a letter in 4", strings.Replace(golden, "000000001250", "00000000125x", 1), "0200", []int{2, 3, 11, 41, 55}, []int{4}, ErrCharacters},
		{"a letter in 4, then cut", strings.Replace(cut(terminal), "000000001250", "00000000125x", 1), "0200", []int{2, 3, 11}, []int{4, 41}, ErrCharacters},
		{"bitmap cut", cut(10), "0200", nil, []int{2}, ErrBitmap},
		{"MTI cut", cut(3), "", nil, nil, ErrTruncated},
	}
	c := codec(t, dialect())
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := c.UnpackPartial([]byte(tt.wire))
			if m.MTI != tt.mti || !errors.Is(err, tt.want) {
				t.Errorf("%q, %v; want %q, %v", m.MTI, err, tt.mti, tt.want)
			}
			for _, n := range tt.has {
				if m.Fields[n] != purchase().Fields[n] {
					t.Errorf("field %d is %q", n, m.Fields[n])
				}
			}
			for _, n := range tt.lacks {
				if value, ok := m.Fields[n]; ok {
					t.Errorf("field %d is there: %q", n, value)
				}
			}
		})
	}
	m, err := codec(t, packedDialect()).UnpackPartial([]byte(goldenPacked[:7]))
	if m.Header != "600003000007" || m.MTI != "" || !errors.Is(err, ErrTruncated) {
		t.Errorf("cut in the MTI: %+v, %v", m, err)
	}
}

func TestRepeatOf(t *testing.T) {
	for mti, want := range map[string]string{"0201": "0200", "0401": "0400", "1421": "1420", "0203": "0202", "0200": "", "0420": "",
		"0207": "", "020": "", "02x1": "", "": ""} {
		if got, ok := RepeatOf(mti); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v; want %q", mti, got, ok, want)
		}
	}
}
