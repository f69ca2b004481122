package iso8583

import (
	"errors"
	"maps"
	"strings"
	"testing"
)

// The bytes below were written by hand from ISO 8583:1987.
const (
	signOn = "0800" +
		"8220000000C00000" + // secondary, 7, 11, 41, 42
		"0400000000000000" + // 70
		"1122190501" + "000123" + "TERM0001" + "MERCHANT 000001" + "001"
	golden = "0200" +
		"7020000020811200" + // 2 3 4, 11, 35, 41 48, 52 55
		"16" + testPAN + "000000" + "000000001250" + "000007" +
		"28" + testPAN + "=28122010000" + "TERM0001" + "000" + "00A1B2C3D4E5F6FF" + "006" + "9F2608"
	goldenBinary = "0200" +
		"\x70\x20\x00\x00\x20\x81\x12\x00" +
		"16" + testPAN + "000000" + "000000001250" + "000007" +
		"28" + testPAN + "=28122010000" + "TERM0001" + "000" + "\x00\xA1\xB2\xC3\xD4\xE5\xF6\xFF" + "003" + "\x9F\x26\x08"
)

func codec(t testing.TB, d Dialect) *Codec {
	t.Helper()
	c, err := NewCodec(d)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestGolden(t *testing.T) {
	tests := []struct {
		name    string
		dialect Dialect
		wire    string
		message Message
	}{
		{"sign-on with a secondary bitmap", dialect(), signOn, Message{MTI: "0800", Fields: map[int]string{
			7: "1122190501", 11: "000123", 41: "TERM0001", 42: "MERCHANT 000001", 70: "001"}}},
		{"purchase", dialect(), golden, purchase()},
		{"purchase, binary", binaryDialect(), goldenBinary, purchase()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := codec(t, tt.dialect)
			wire, err := c.Pack(tt.message)
			if err != nil || string(wire) != tt.wire {
				t.Errorf("Pack = %q, %v\nwant   %q", wire, err, tt.wire)
			}
			m, err := c.Unpack([]byte(tt.wire))
			if err != nil || m.MTI != tt.message.MTI || !maps.Equal(m.Fields, tt.message.Fields) {
				t.Errorf("Unpack = %v, %v\nwant     %v", m, err, tt.message)
			}
		})
	}
}

// Leading zeros, inner and trailing blanks and a value of nothing must come back as sent.
func TestValuesVerbatim(t *testing.T) {
	for _, d := range []Dialect{dialect(), binaryDialect()} {
		c := codec(t, d)
		want := Message{MTI: "0210", Fields: map[int]string{
			4: "000000000000", 38: "00ab0Z", 41: " A  1   ", 48: "  00 ", 52: "0000000000000000", 55: "", 70: "000",
		}}
		wire, err := c.Pack(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Unpack(wire)
		if err != nil || !maps.Equal(got.Fields, want.Fields) {
			t.Errorf("%s: %v, %v; want %v", d.Name, got.Fields, err, want.Fields)
		}
	}
}

func TestPackRefuses(t *testing.T) {
	tests := []struct {
		name  string
		mti   string
		field int
		value string
		want  error
	}{
		{"MTI too short", "020", 0, "", ErrLength},
		{"MTI with a letter", "02A0", 0, "", ErrCharacters},
		{"field the dialect lacks", "0200", 5, "1", ErrUnknownField},
		{"bitmap as a field", "0200", 1, "1", ErrUnknownField},
		{"letter in n", "0200", 2, "47617390010x0119", ErrCharacters},
		{"blank in an", "0200", 38, "12 456", ErrCharacters},
		{"control character in ans", "0200", 48, "a\x00", ErrCharacters},
		{"Han character in ans", "0200", 48, "客", ErrCharacters},
		{"sentinel in z", "0200", 35, ";4761739001010119=2812?", ErrCharacters},
		{"lower case in b", "0200", 52, "00a1b2c3d4e5f6ff", ErrCharacters},
		{"half a byte", "0200", 52, "00A1B2C3D4E5F6F", ErrLength},
		{"fixed too short", "0200", 4, "1250", ErrLength},
		{"fixed empty", "0200", 4, "", ErrLength},
		{"variable too long", "0200", 2, strings.Repeat("1", 20), ErrLength},
		{"bytes too long", "0200", 55, strings.Repeat("00", 256), ErrLength},
	}
	for _, d := range []Dialect{dialect(), binaryDialect()} {
		c := codec(t, d)
		for _, tt := range tests {
			t.Run(d.Bitmap+" "+tt.name, func(t *testing.T) {
				m := Message{MTI: tt.mti, Fields: map[int]string{3: "000000"}}
				if tt.field > 0 {
					m.Fields[tt.field] = tt.value
				}
				_, err := c.Pack(m)
				checkFieldError(t, err, tt.field, tt.want)
			})
		}
	}
}

func checkFieldError(t *testing.T, err error, field int, want error) {
	t.Helper()
	var fe *FieldError
	if !errors.As(err, &fe) || fe.Field != field || !errors.Is(err, want) {
		t.Errorf("got %v, want field %d: %v", err, field, want)
	}
}

// Some hosts write bitmaps with small letters.
func TestBitmapInSmallLetters(t *testing.T) {
	c := codec(t, dialect())
	m, err := c.Unpack([]byte(strings.Replace(signOn, "8220000000C00000", "8220000000c00000", 1)))
	if err != nil || m.Fields[41] != "TERM0001" || m.Fields[42] == "" {
		t.Errorf("%v %v", m.Fields, err)
	}
}

func TestUnpackRefuses(t *testing.T) {
	tests := []struct {
		name, wire string
		field      int
		want       error
	}{
		{"nothing", "", 0, ErrTruncated},
		{"MTI with a letter", "02x0" + "2000000000000000" + "000000", 0, ErrCharacters},
		{"bitmap cut", "0200" + "20000000000000", 1, ErrBitmap},
		{"bitmap not hexadecimal", "0200" + "200000000000000x" + "000000", 1, ErrBitmap},
		{"secondary bitmap missing", "0200" + "A000000000000000" + "000000", 1, ErrBitmap},
		{"third bitmap", "0200" + "8000000000000000" + "8000000000000000" + "0000000000000000", 1, ErrBitmap},
		{"field the dialect lacks", "0200" + "0800000000000000" + "000000", 5, ErrUnknownField},
		{"field cut", "0200" + "2000000000000000" + "00000", 3, ErrTruncated},
		{"letter in n", "0200" + "2000000000000000" + "00000x", 3, ErrCharacters},
		{"above ASCII", "0200" + "0000000000800000" + "TERM000\x80", 41, ErrCharacters},
		{"length digits cut", "0200" + "4000000000000000" + "1", 2, ErrTruncated},
		{"length digits with a sign", "0200" + "4000000000000000" + "+1" + "4", 2, ErrLength},
		{"length digits negative zero", "0200" + "4000000000000000" + "-0", 2, ErrLength},
		{"length digits beyond 9", "0200" + "4000000000000000" + "0:" + "4761739001", 2, ErrLength},
		{"longer than the dialect allows", "0200" + "4000000000000000" + "20" + strings.Repeat("4", 20), 2, ErrLength},
		{"half a byte", "0200" + "0000000000000200" + "003" + "9F2", 55, ErrLength},
	}
	c := codec(t, dialect())
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := c.Unpack([]byte(tt.wire))
			checkFieldError(t, err, tt.field, tt.want)
			if m.MTI != "" || m.Fields != nil {
				t.Errorf("a broken message was returned: %v", m)
			}
		})
	}
}

func TestTrailing(t *testing.T) {
	for _, wire := range []string{golden + "x", signOn + "000", golden + golden} {
		if _, err := codec(t, dialect()).Unpack([]byte(wire)); !errors.Is(err, ErrTrailing) {
			t.Errorf("%d bytes: %v, want ErrTrailing", len(wire), err)
		}
	}
	if _, err := codec(t, binaryDialect()).Unpack([]byte(goldenBinary + "\x00")); !errors.Is(err, ErrTrailing) {
		t.Errorf("binary: %v, want ErrTrailing", err)
	}
}

func TestPackTooLongForTheFrame(t *testing.T) {
	d := dialect()
	d.Framing.MaxLength = 100
	if _, err := codec(t, d).Pack(purchase()); !errors.Is(err, ErrFrameLength) {
		t.Errorf("%v, want ErrFrameLength", err)
	}
}

// Whatever is cut off or broken, the error must not quote the card.
func TestErrorsKeepTheCard(t *testing.T) {
	c := codec(t, dialect())
	for cut := range golden {
		for _, wire := range []string{golden[:cut], golden[:cut] + "\x81" + golden[cut+1:], golden[:cut] + "x" + golden[cut+1:]} {
			if _, err := c.Unpack([]byte(wire)); err != nil && strings.Contains(err.Error(), testPAN[:8]) {
				t.Fatalf("cut at %d: the error quotes the card number: %v", cut, err)
			}
		}
	}
	m := purchase()
	m.Fields[2] = testPAN + "x"
	if _, err := c.Pack(m); err == nil || strings.Contains(err.Error(), testPAN[:8]) {
		t.Errorf("Pack: %v", err)
	}
}

func TestIdentify(t *testing.T) {
	tests := []struct {
		name, wire string
		want       Identity
		wantErr    error
	}{
		{"purchase", golden, Identity{"0200", "000007", "TERM0001"}, nil},
		{"secondary bitmap", signOn, Identity{"0800", "000123", "TERM0001"}, nil},
		{"rest cut off", golden[:strings.Index(golden, "TERM0001")+8], Identity{"0200", "000007", "TERM0001"}, nil},
		{"wrong characters before it", strings.Replace(golden, "000000001250", "00000000125x", 1), Identity{"0200", "000007", "TERM0001"}, nil},
		{"trailing bytes", golden + "??", Identity{"0200", "000007", "TERM0001"}, nil},
		{"without both", "0210" + "2000000000000000" + "000000", Identity{MTI: "0210"}, nil},
		{"cut before 11", golden[:30], Identity{MTI: "0200"}, ErrTruncated},
		{"cut before 41", golden[:strings.Index(golden, "TERM0001")], Identity{MTI: "0200", STAN: "000007"}, ErrTruncated},
		{"third bitmap", "0200" + "8000000000000000" + "8000000000000000" + "0000000000000000", Identity{MTI: "0200"}, ErrBitmap},
		{"no digits in 11", "0200" + "0020000000000000" + "00000x", Identity{MTI: "0200"}, ErrCharacters},
		{"not a message", "GET / HTTP/1.1", Identity{}, ErrCharacters},
		{"nothing", "", Identity{}, ErrTruncated},
	}
	c := codec(t, dialect())
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkQuick(t, c, []byte(tt.wire))
			got, err := c.Identify([]byte(tt.wire))
			if got != tt.want || !errors.Is(err, tt.wantErr) {
				t.Errorf("%+v, %v; want %+v, %v", got, err, tt.want, tt.wantErr)
			}
		})
	}
	if got, err := codec(t, binaryDialect()).Identify([]byte(goldenBinary)); err != nil || got != tests[0].want {
		t.Errorf("binary: %+v, %v", got, err)
	}
}

func TestMasked(t *testing.T) {
	m := purchase()
	m.Fields[14], m.Fields[48], m.Fields[120] = "2812", "ID "+testPAN, "unheard of"
	got := codec(t, dialect()).Masked(m)
	want := map[string]string{
		"2": "[pan 16]", "3": "000000", "4": "000000001250", "11": "000007", "14": "[pan 4]", "35": "[track 28]",
		"41": "TERM0001", "48": "[pan inside 19]", "52": "[pin 8]", "55": "[track 3]", "120": "[unknown 10]",
	}
	if !maps.Equal(got, want) {
		t.Errorf("%v\nwant %v", got, want)
	}
}

func TestCodecIsConcurrent(t *testing.T) {
	c := codec(t, dialect())
	done := make(chan error)
	for range 4 {
		go func() {
			for range 50 {
				b, err := c.Pack(purchase())
				if err == nil {
					_, err = c.Unpack(b)
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
