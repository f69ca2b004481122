package scan

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

// Published test numbers.
const (
	known16 = "4761739001010119" // on the cards that the scanner is given
	known19 = "6212345678901234569"
	other16 = "5413330089604111" // on none of them
	other15 = "374245455400126"
)

func scanner() *Scanner {
	return New([]Card{{PAN: known16, PIN: "1234"}, {PAN: known19, PIN: "123456"}})
}

func packed(t testing.TB, digits string) []byte {
	t.Helper()
	if len(digits)%2 == 1 {
		digits += "F"
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func wide(s string, swap bool) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		if swap {
			out = append(out, byte(u>>8), byte(u))
		} else {
			out = append(out, byte(u), byte(u>>8))
		}
	}
	return out
}

func ebcdic(digits string) []byte {
	out := []byte(digits)
	for i := range out {
		out[i] |= 0xC0
	}
	return out
}

// planted are the ways in which a number can stand in what assay writes.
func planted(t testing.TB, pan string) map[string][]byte {
	text := func(format string, args ...any) []byte { return fmt.Appendf(nil, format, args...) }
	all := map[string][]byte{
		"text":                   text(`{"fields":{"text":"card %s ok"}}`, pan),
		"grouped by spaces":      text("PAN %s %s %s %s\n", pan[:4], pan[4:8], pan[8:12], pan[12:]),
		"grouped by dashes":      text("PAN %s-%s-%s-%s\n", pan[:4], pan[4:8], pan[8:12], pan[12:]),
		"escaped in JSON":        text(`{"text":"%s\u003%c%s"}`, pan[:7], pan[7], pan[8:]),
		"escaped in XML":         text(`<out>%s&#%d;%s</out>`, pan[:7], pan[7], pan[8:]),
		"escaped in XML in hex":  text(`<out>%s&#x%x;%s</out>`, pan[:7], pan[7], pan[8:]),
		"full-width digits":      []byte(strings.Map(func(r rune) rune { return r - '0' + '０' }, pan)),
		"Arabic digits":          []byte(strings.Map(func(r rune) rune { return r - '0' + '٠' }, pan)),
		"UTF-16LE":               wide("x"+pan+"y", false),
		"UTF-16BE":               wide("x"+pan+"y", true),
		"hex of ASCII":           text(`{"raw":"2a2a%xFF"}`, pan),
		"hex of ASCII, upper":    text(`{"raw":"%X"}`, pan),
		"hex at an odd place":    text("a%xb", pan),
		"hex of EBCDIC":          text(`{"raw":"%x"}`, ebcdic(pan)),
		"hex of UTF-16":          text(`{"raw":"%x"}`, wide(pan, false)),
		"hex with dashes":        text("%X-%X", pan[:6], pan[6:]),
		"EBCDIC":                 append([]byte{0, 1}, append(ebcdic(pan), 0x40)...),
		"tag 5A in hex":          text(`{"data":"70125A%02X%X9F0702FF00"}`, (len(pan)+1)/2, packed(t, pan)),
		"tag 5A in binary":       append([]byte{0x70, 0x12, 0x00, 0x5A, byte((len(pan) + 1) / 2)}, packed(t, pan)...),
		"base64":                 text(`{"b":"%s"}`, base64.StdEncoding.EncodeToString([]byte("PAN "+pan+" end"))),
		"base64 of binary":       text(`{"b":"%s"}`, base64.StdEncoding.EncodeToString(append([]byte{0, 0x5A, byte((len(pan) + 1) / 2)}, packed(t, pan)...))),
		"URL base64":             text(`x=%s`, base64.RawURLEncoding.EncodeToString([]byte("????>>>>"+pan))),
		"base64 in base64":       text(`%s`, base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte("the number "+pan))))),
		"track 1":                text("%%B%s^SURNAME/GIVEN^2512201000000000?", pan),
		"track 2":                text(";%s=25122010000000000000?", pan),
		"track 2 in hex":         text("57 %sD2512201000000000F", pan),
		"track 2 packed":         packed(t, pan+"D25122010000000000"+strings.Repeat("F", len(pan)%2)),
		"track 2 in tag 57":      append([]byte{0x12, 0x34, 0x57, 0x11 + byte(len(pan)-16+1)/2}, packed(t, (pan + "D25122010000000000FF")[:2*(0x11+(len(pan)-16+1)/2)])...),
		"track 2 in field 35":    append([]byte{0x31, 0x21, 0x00, 0x51, packed(t, fmt.Sprint(len(pan)+16))[0]}, packed(t, pan+"D251220100000000"+strings.Repeat("F", len(pan)%2))...),
		"ISO 8583 packed length": append([]byte{0, 0x02, 0x00, 0x70, 0x24, 0x05, 0x80, 0x20, 0xC0, 0x80, 0x11, byte(len(pan)/10<<4 | len(pan)%10)}, packed(t, pan)...),
	}
	return all
}

// TestPlanted plants a card number in each encoding: one that the scanner knows and one that it only
// knows the shape of.
func TestPlanted(t *testing.T) {
	for _, pan := range []string{known16, known19, other16, other15} {
		for name, b := range planted(t, pan) {
			if found := scanner().Bytes(b); len(found) == 0 {
				t.Errorf("%s, %s…: not found in %.120q", name, pan[:6], b)
			}
		}
	}
}

// Only a known number can be told from other digits when it is amid them.
func TestKnownAmidOtherDigits(t *testing.T) {
	for name, b := range map[string][]byte{
		"text":              []byte("0200303000" + known16 + "000000000000001250"),
		"packed, even":      append([]byte{0x12, 0, 0x34}, append(packed(t, known16), 0x56)...),
		"packed, odd":       packed(t, "1"+known16+"234"+"5678"),
		"hex, odd":          []byte("0x1" + known16 + "2345"),
		"hex with slashes":  []byte(known16[:8] + "/" + known16[8:]),
		"PIN block 0":       []byte("041223C6FFEFEFEE"),
		"PIN block 2":       []byte(`{"data":"241234FFFFFFFFFF"}`),
		"PIN block, binary": {0, 0x24, 0x12, 0x34, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
	} {
		if found := scanner().Bytes(b); len(found) == 0 {
			t.Errorf("%s: not found in %q", name, b)
		}
	}
}

// Digits of amounts before a MAC that begins with a separator and a date: no track 2, though the check digit is right.
func TestMACAfterDigits(t *testing.T) {
	digits := func(filler string) string { return "00000002" + filler + "000003410000000000008681" }
	found := false
	for _, filler := range []string{"00", "01", "02", "03"} {
		b := packed(t, digits(filler)+"D4509827E6AA8E5F")
		for n := shortest; n <= longest; n++ {
			text := digits(filler)
			found = found || plausible([]byte(text[len(text)-n:]))
		}
		for _, f := range scanner().Bytes(b) {
			t.Errorf("%s in %x", f.What, b)
		}
	}
	if !found {
		t.Error("none of these digits could be a card number: the test proves nothing")
	}
}

func TestHarmless(t *testing.T) {
	for name, text := range map[string]string{
		"masked":           `{"text":"476173******0119 =********** 57 476173******0119"}`,
		"digest":           `{"sha256":"5413330089604111d2512201541333008960411154133300896041110a0b0c0d"}`,
		"time":             `2026-11-29T00:58:36.4111111111111111Z 2026-11-29 00:58`,
		"fraction":         `{"wall_seconds":5.5413330089604111,"terminal_seconds":2017.8280819360004}`,
		"customer and RRN": `{"text":"123456789012","37":"000000000001","phone":"13800138000"}`,
		"microseconds":     `{"us":1764378716187130,"took_us":"769444"}`,
		"no check digit":   `{"text":"4761739001010110"}`,
		"no scheme":        `{"text":"0000000000000000 1111111111111117"}`,
		"cryptogram":       `{"9F26":"A1B2C3D4E5F60718"}`,
		"fields":           `{"fields":{"2":"[pan 16]","35":"[track 35]","52":"[pin 8]","4":"000000001250","7":"1129005836"}}`,
	} {
		if found := scanner().Bytes([]byte(text)); len(found) > 0 {
			t.Errorf("%s: %v in %s", name, found, text)
		}
	}
}

func TestFolderSaysWhere(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte) {
		t.Helper()
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("a/clean.txt", []byte("nothing\n"))
	write("b/two.jsonl", []byte("line\nline\n{\"x\":\""+known16+"\"}\n"))
	big := append(bytes.Repeat([]byte("some text\n"), chunk/10), []byte("\n"+base64.StdEncoding.EncodeToString([]byte("it is "+other16))+"\n")...)
	write("c/big.log", big)
	// Cut by the border of two chunks.
	border := append(bytes.Repeat([]byte{'x', '\n'}, (chunk+overlap)/2-4), []byte(known16+"\n")...)
	write("c/border.log", append(border, bytes.Repeat([]byte{'y'}, 2*overlap)...))
	found, err := scanner().Folder(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	where := map[string]int{}
	for _, f := range found {
		where[f.File] = f.Line
	}
	if len(where) != 3 || where["b/two.jsonl"] != 3 || where["c/big.log"] != chunk/10+2 || where["c/border.log"] != (chunk+overlap)/2-3 {
		t.Errorf("found %+v", found)
	}
	if strings.Contains(fmt.Sprint(found), known16) {
		t.Error("a finding tells the number")
	}
}

// FuzzScan: whatever is scanned, the scan ends, and a known number in text is found whatever surrounds it, as long as no digit
// touches it.
func FuzzScan(f *testing.F) {
	f.Add([]byte("before"), []byte("after"))
	f.Add([]byte{0xff, 0, '\\', 'u'}, []byte("&#4"))
	f.Fuzz(func(t *testing.T, before, after []byte) {
		b := append(append(bytes.Clone(before), known16...), after...)
		if len(scanner().Bytes(b)) == 0 {
			t.Errorf("not found in %q", b)
		}
	})
}

func BenchmarkScan(b *testing.B) {
	line := []byte(`{"seq":3,"us":1200000,"wall":"2026-11-01T02:03:04Z","source":"card","kind":"exchange","fields":{"command":"","instruction":"00B2","response":"70\n 57 476173******0119\n 5F20 [13 bytes]","status":"9000"}}` + "\n")
	data := bytes.Repeat(line, 50_000)
	s := scanner()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if len(s.Bytes(data)) > 0 {
			b.Fatal("found something")
		}
	}
}
