package track_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/assay-hil/assay/protocol/track"
)

// golden2 is ";12345678=3112201?" coded by hand. Track 2 symbols are the low nibble of the
// character, bit 4 set where the nibble has an even number of ones:
//
//	;  1011 three ones      0B
//	1  0001 one             01      5  0101 two    15
//	2  0010 one             02      6  0110 two    16
//	3  0011 two             13      7  0111 three  07
//	4  0100 one             04      8  1000 one    08
//	=  1101 three           0D      0  0000 none   10
//	?  1111 four            1F
//
// LRC, nibbles XORed in order: B; 1^…^7 = 0 and ^8 leave 3; ^D = E; 3^1^1^2^2^0^1 = 2 makes it C;
// ^F = 3: 0011 has two ones, so 13.
const golden2 = "0B" + "0102130415160708" + "0D" + "13010102021001" + "1F" + "13"

// golden1 is "%B12345678^AB^3112201?" coded by hand. Track 1 symbols are the character less 0x20
// in six bits, bit 6 set where those have an even number of ones:
//
//	%  05 two    45     B  22 two    62     A  21 two    61
//	^  3E five   3E     ?  1F five   1F
//	1  11 two    51     2  12 two    52     3  13 three  13     4  14 two   54
//	5  15 three  15     6  16 three  16     7  17 four   57     8  18 two   58
//	0  10 one    10
//
// LRC: 05^22 = 27; the eight digits: 08, makes 2F; ^3E = 11; ^21 = 30; ^22 = 12; ^3E = 2C; the
// seven digits 3112201: 12, makes 3E; ^1F = 21: two ones, so 61.
const golden1 = "45" + "62" + "5152135415165758" + "3E" + "6162" + "3E" + "13515152521051" + "1F" + "61"

func fromHex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTrack2Golden(t *testing.T) {
	want := track.Track2{PAN: "12345678", Expiry: "3112", Service: "201"}
	symbols := fromHex(t, golden2)
	if got := track.Encode2(want); !bytes.Equal(got, symbols) {
		t.Fatalf("Encode2 = %X\nwant      %X", got, symbols)
	}
	if got, err := track.Decode2(symbols); err != nil || got != want {
		t.Fatalf("Decode2 = %v, %v", got, err)
	}
}

func TestTrack1Golden(t *testing.T) {
	symbols := fromHex(t, golden1)
	if got := track.Encode1("12345678", "AB", "3112", "201", ""); !bytes.Equal(got, symbols) {
		t.Fatalf("Encode1 = %X\nwant      %X", got, symbols)
	}
	want := track.Track1{PAN: "12345678", Name: "AB", Expiry: "3112", Service: "201"}
	if got, err := track.Decode1(symbols); err != nil || got != want {
		t.Fatalf("Decode1 = %v, %v", got, err)
	}
}

func testCard() track.Track2 {
	return track.Track2{PAN: "4761739001010119", Expiry: "3112", Service: "201", Discretionary: "123456789"}
}

func TestParse2(t *testing.T) {
	text := "4761739001010119=3112201123456789"
	got, err := track.Parse2(text)
	if err != nil || got != testCard() || got.String() != text {
		t.Fatalf("Parse2 = %v, %v", got, err)
	}
	bad := map[string]string{
		"empty":              "",
		"no separator":       "47617390010101193112201",
		"two separators":     "4761739001010119=3112=201",
		"chip separator":     "4761739001010119D3112201",
		"sentinels":          ";4761739001010119=3112201?",
		"short PAN":          "4761739=3112201",
		"long PAN":           "47617390010101191234=3112201",
		"letter in PAN":      "476173900101O119=3112201",
		"no service code":    "4761739001010119=3112",
		"month 13":           "4761739001010119=3113201",
		"month 00":           "4761739001010119=3100201",
		"letter at the end":  "4761739001010119=3112201x",
		"one character more": "4761739001010119=3112201" + strings.Repeat("0", 14),
	}
	for name, text := range bad {
		t.Run(name, func(t *testing.T) {
			if got, err := track.Parse2(text); !errors.Is(err, track.ErrFormat) || got != (track.Track2{}) {
				t.Fatalf("err = %v, want ErrFormat", err)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	full := testCard()
	full.Discretionary = strings.Repeat("9", 13)
	if n := len(track.Encode2(full)); n != track.MaxTrack2 {
		t.Fatalf("longest track 2 has %d symbols", n)
	}
	full.Discretionary += "9"
	if track.Encode2(full) != nil {
		t.Fatal("41 symbols encoded")
	}
	disc := strings.Repeat("Z", track.MaxTrack1-3-1-16-1-26-1-7)
	name := "LONGEST/NAME OF TWENTY SIX"
	if n := len(track.Encode1(full.PAN, name, "3112", "201", disc)); n != track.MaxTrack1 {
		t.Fatalf("longest track 1 has %d symbols", n)
	}
	if track.Encode1(full.PAN, name, "3112", "201", disc+"Z") != nil {
		t.Fatal("80 symbols encoded")
	}
	for _, name := range []string{"", "A", "lower/case", "A^B", "A?B", "A%B", name + "X"} {
		if track.Encode1(full.PAN, name, "3112", "201", "") != nil {
			t.Errorf("name %q encoded", name)
		}
	}
}

func TestDecode2Errors(t *testing.T) {
	good := fromHex(t, golden2)
	edit := func(change func(b []byte) []byte) []byte { return change(bytes.Clone(good)) }
	tests := []struct {
		name    string
		symbols []byte
		want    error
	}{
		{"nothing", nil, track.ErrBlank},
		{"zeros", make([]byte, 40), track.ErrBlank},
		{"parity", edit(func(b []byte) []byte { b[5] ^= 0x10; return b }), track.ErrParity},
		{"LRC's parity", edit(func(b []byte) []byte { b[len(b)-1] ^= 0x10; return b }), track.ErrParity},
		{"LRC", edit(func(b []byte) []byte { b[len(b)-1] ^= 0x03; return b }), track.ErrLRC},
		{"a digit for another of right parity", edit(func(b []byte) []byte { b[1] = 0x02; return b }), track.ErrLRC},
		{"no LRC", good[:len(good)-1], track.ErrLRC},
		{"no start sentinel", good[1:], track.ErrSentinel},
		{"no end sentinel", good[:len(good)-2], track.ErrSentinel},
		{"only a start sentinel", good[:1], track.ErrSentinel},
		{"something behind", append(bytes.Clone(good), 0x01), track.ErrFormat},
		{"sixth bit", edit(func(b []byte) []byte { b[3] |= 0x20; return b }), track.ErrFormat},
		{"too many symbols", append(bytes.Clone(good), make([]byte, 40)...), track.ErrFormat},
		{"nothing between the sentinels", fromHex(t, "0B1F04"), track.ErrFormat},
		{"backwards", edit(func(b []byte) []byte {
			for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
				b[i], b[j] = b[j], b[i]
			}
			return b
		}), track.ErrSentinel},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := track.Decode2(tt.symbols); !errors.Is(err, tt.want) || got != (track.Track2{}) {
				t.Fatalf("err = %v, want %v", err, tt.want)
			}
		})
	}
}

func TestDamage(t *testing.T) {
	track1 := track.Encode1("4761739001010119", "TEST/CARD", "3112", "201", "")
	track2 := track.Encode2(testCard())
	decode1 := func(b []byte) error { _, err := track.Decode1(b); return err }
	decode2 := func(b []byte) error { _, err := track.Decode2(b); return err }
	tests := []struct {
		kind string
		want error
	}{
		{track.DamageNone, nil},
		{track.DamageParity, track.ErrParity},
		{track.DamageLRC, track.ErrLRC},
		{track.DamageBlank, track.ErrBlank},
		{track.DamageStart, track.ErrSentinel},
		{track.DamageEnd, track.ErrSentinel},
	}
	for _, tt := range tests {
		t.Run("kind "+tt.kind, func(t *testing.T) {
			for i, decode := range []func([]byte) error{decode1, decode2} {
				symbols := [][]byte{track1, track2}[i]
				before := bytes.Clone(symbols)
				got, err := track.Damage(symbols, tt.kind)
				if err != nil {
					t.Fatal(err)
				}
				if err := decode(got); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
					t.Errorf("track %d reads as %v, want %v", i+1, err, tt.want)
				}
				if !bytes.Equal(symbols, before) || &got[0] == &symbols[0] {
					t.Errorf("track %d: Damage changed its argument", i+1)
				}
			}
		})
	}
	for digit := range 100 { // whatever the check symbol is
		c := testCard()
		c.Discretionary = fmt.Sprint(digit)
		got, err := track.Damage(track.Encode2(c), track.DamageEnd)
		if _, reads := track.Decode2(got); err != nil || !errors.Is(reads, track.ErrSentinel) {
			t.Errorf("no end sentinel, digits %d: %v, reads as %v", digit, err, reads)
		}
	}
	if _, err := track.Damage(track2, "coffee"); !errors.Is(err, track.ErrDamage) {
		t.Errorf("unknown kind: %v", err)
	}
	if _, err := track.Damage(track2[:3], track.DamageLRC); !errors.Is(err, track.ErrDamage) {
		t.Errorf("three symbols: %v", err)
	}
}

// Every single flipped bit on track 2 must be noticed; that is what parity is for.
func TestEveryBitFlipIsNoticed(t *testing.T) {
	good := track.Encode2(testCard())
	for i := range good {
		for bit := range 5 {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << bit
			if _, err := track.Decode2(bad); !errors.Is(err, track.ErrParity) {
				t.Fatalf("symbol %d bit %d: %v", i, bit, err)
			}
		}
	}
}

func FuzzDecode2(f *testing.F) {
	f.Add(fromHex(f, golden2))
	f.Add(track.Encode2(testCard()))
	f.Add(fromHex(f, "0B1F04"))
	f.Fuzz(func(t *testing.T, symbols []byte) {
		got, err := track.Decode2(symbols)
		if err != nil {
			noDigits(t, err)
			return
		}
		if !bytes.Equal(track.Encode2(got), symbols) {
			t.Fatal("decoded track does not encode again")
		}
	})
}

func FuzzDecode1(f *testing.F) {
	f.Add(fromHex(f, golden1))
	f.Add(track.Encode1("4761739001010119", "TEST/CARD", "3112", "201", "000 A"))
	f.Fuzz(func(t *testing.T, symbols []byte) {
		got, err := track.Decode1(symbols)
		if err != nil {
			noDigits(t, err)
			return
		}
		if !bytes.Equal(track.Encode1(got.PAN, got.Name, got.Expiry, got.Service, got.Discretionary), symbols) {
			t.Fatal("decoded track does not encode again")
		}
	})
}

func FuzzParse2(f *testing.F) {
	f.Add("4761739001010119=3112201123456789")
	f.Add("=")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := track.Parse2(text)
		if err != nil {
			noDigits(t, err)
			return
		}
		if got.String() != text {
			t.Fatal("parsed track does not print again")
		}
	})
}

func noDigits(t *testing.T, err error) {
	t.Helper()
	if strings.ContainsAny(err.Error(), "0123456789") {
		t.Fatal("an error carries digits")
	}
}

func BenchmarkDecode2(b *testing.B) {
	symbols := track.Encode2(testCard())
	for b.Loop() {
		if _, err := track.Decode2(symbols); err != nil {
			b.Fatal(err)
		}
	}
}
