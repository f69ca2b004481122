package emv_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/assay-hil/assay/protocol/emv"
)

func fromHex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParse(t *testing.T) {
	long := strings.Repeat("AB", 0x80)
	longer := strings.Repeat("CD", 0x100)
	tests := []struct {
		name, in string
		want     emv.List
	}{
		{"nothing", "", emv.List{}},
		{"one byte tag", "82021C00", emv.List{{Tag: 0x82, Value: []byte{0x1C, 0}}}},
		{"empty value", "8A00", emv.List{{Tag: 0x8A, Value: []byte{}}}},
		{"order and duplicates stay", "9F360200019A01229F36020002", emv.List{
			{Tag: 0x9F36, Value: []byte{0, 1}}, {Tag: 0x9A, Value: []byte{0x22}}, {Tag: 0x9F36, Value: []byte{0, 2}},
		}},
		{"three byte tag", "DF81010155", emv.List{{Tag: 0xDF8101, Value: []byte{0x55}}}},
		{"four byte tag", "DF8181010155", emv.List{{Tag: 0xDF818101, Value: []byte{0x55}}}},
		{"length 128", "8E8180" + long, emv.List{{Tag: 0x8E, Value: bytes.Repeat([]byte{0xAB}, 0x80)}}},
		{"length 256", "8E820100" + longer, emv.List{{Tag: 0x8E, Value: bytes.Repeat([]byte{0xCD}, 0x100)}}},
		{"template", "70038A0100", emv.List{{Tag: 0x70, Value: []byte{0x8A, 1, 0}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := fromHex(t, tt.in)
			got, err := emv.Parse(in)
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Fatalf("Parse = %X, %v", got, err)
			}
			if back := got.Encode(); !bytes.Equal(back, in) {
				t.Fatalf("Encode = %X, want %X", back, in)
			}
		})
	}
}

func TestParseRejects(t *testing.T) {
	tests := []struct {
		name, in string
		offset   int
		want     error
	}{
		{"tag only", "8A", 0, emv.ErrTruncated},
		{"half a tag", "9F", 0, emv.ErrTruncated},
		{"half a long tag", "DF81", 0, emv.ErrTruncated},
		{"value cut", "8A02303082021C", 4, emv.ErrTruncated},
		{"length cut", "8E82", 0, emv.ErrTruncated},
		{"padding before", "008A023030", 0, emv.ErrTag},
		{"padding behind", "8A02303000", 4, emv.ErrTag},
		{"tag number with leading zeros", "9F800100", 0, emv.ErrTag},
		{"five byte tag", "DF8181810100", 0, emv.ErrTag},
		{"indefinite length", "7080 8A0100 0000", 0, emv.ErrLength},
		{"length with a needless byte", "8A81023030", 0, emv.ErrLength},
		{"length with two needless bytes", "8A82000130", 0, emv.ErrLength},
		{"three length bytes", "8A8300000130", 0, emv.ErrLength},
		{"nearly 2^63", "9A88FFFFFFFFFFFFFFFF11", 0, emv.ErrLength}, // panics in bertlv v0.1.0
		{"broken inside a template", "8A0130 7003 8A0230", 0, emv.ErrTruncated},
		{"nested too deep", "70106F0E700C6F0A70086F0670046F027000", 0, emv.ErrDepth},
		{"too big", strings.Repeat("8A00", emv.MaxSize/2+1), 0, emv.ErrTooLong},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := emv.Parse(fromHex(t, tt.in))
			var syntax *emv.SyntaxError
			if got != nil || !errors.Is(err, tt.want) || !errors.As(err, &syntax) || syntax.Offset != tt.offset {
				t.Fatalf("Parse = %v, %v; want %v at byte %d", got, err, tt.want, tt.offset)
			}
		})
	}
}

func TestFind(t *testing.T) {
	list, err := emv.Parse(fromHex(t, "9A0101 7008 A503 9A0102 9C0100 9A0103"))
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := list.Find(emv.TagDate); !ok || v[0] != 1 {
		t.Errorf("first date: %X %v", v, ok)
	}
	if v, ok := list[1:].Find(emv.TagDate); !ok || v[0] != 2 {
		t.Errorf("the template's inside comes before what follows: %X %v", v, ok)
	}
	if v, ok := list.Find(emv.TagType); !ok || v[0] != 0 {
		t.Errorf("inside a template: %X %v", v, ok)
	}
	if v, ok := list.Find(emv.TagProprietary); !ok || len(v) != 3 {
		t.Errorf("a template itself: %X %v", v, ok)
	}
	if v, ok := list.Find(emv.TagPAN); ok {
		t.Errorf("absent tag found: %X", v)
	}
	broken := emv.List{{Tag: emv.TagRecord, Value: []byte{0x9A}}, {Tag: emv.TagDate, Value: []byte{7}}}
	if v, ok := broken.Find(emv.TagDate); !ok || v[0] != 7 {
		t.Errorf("behind a broken template made by hand: %X %v", v, ok)
	}
}

func TestParseCopies(t *testing.T) {
	in := fromHex(t, "8A023030")
	list, err := emv.Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	clear(in)
	if v, _ := list.Find(emv.TagARC); string(v) != "00" {
		t.Fatal("the list shares memory with what was parsed")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"9F360200019A01229F36020002", "70038A0100", "9A88FFFFFFFFFFFFFFFF11", "DF8181010155",
		"70106F0E700C6F0A70086F0670046F027000", "8E8180",
	} {
		f.Add(fromHex(f, s), emv.TagDate)
	}
	f.Fuzz(func(t *testing.T, b []byte, tag uint32) {
		list, err := emv.Parse(b)
		if err != nil {
			return
		}
		if !bytes.Equal(list.Encode(), b) {
			t.Fatal("parsed list does not encode to the same bytes")
		}
		list.Find(tag)
	})
}

// field55 is the chip data of a purchase request of 12.50 by the test card.
const field55 = "9F2608" + "76D5DAC91257A29B" + "9F270180" + "9F1007" + "06011203A00000" +
	"9F3704" + "11223344" + "9F36020001" + "95058000048000" + "9A03261122" + "9C0100" +
	"9F0206000000001250" + "5F2A020156" + "82021C00" + "9F1A020156" + "9F0306000000000000" +
	"9F3303E040C8" + "9F3403020300" + "9F350122"

func BenchmarkParse(b *testing.B) {
	raw := fromHex(b, field55)
	for b.Loop() {
		if _, err := emv.Parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}
