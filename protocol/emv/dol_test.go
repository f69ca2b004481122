package emv_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/assay-hil/assay/protocol/emv"
)

func TestParseDOL(t *testing.T) {
	got, err := emv.ParseDOL(fromHex(t, "9F0206 9A03 DF810101"))
	want := emv.DOL{{Tag: 0x9F02, Length: 6}, {Tag: 0x9A, Length: 3}, {Tag: 0xDF8101, Length: 1}}
	if err != nil || !reflect.DeepEqual(got, want) || got.Length() != 10 {
		t.Fatalf("ParseDOL = %v, %v", got, err)
	}
	bad := []struct {
		name, in string
		offset   int
		want     error
	}{
		{"no length", "9A039F02", 2, emv.ErrTruncated},
		{"half a tag", "9A039F", 2, emv.ErrTruncated},
		{"zero tag", "9A030001", 2, emv.ErrTag},
		{"253 bytes", "9AFD", 0, emv.ErrTooLong},
		{"253 bytes in two", "9AFC9C01", 2, emv.ErrTooLong},
	}
	for _, tt := range bad {
		t.Run(tt.name, func(t *testing.T) {
			_, err := emv.ParseDOL(fromHex(t, tt.in))
			var syntax *emv.SyntaxError
			if !errors.Is(err, tt.want) || !errors.As(err, &syntax) || syntax.Offset != tt.offset {
				t.Fatalf("err = %v, want %v at byte %d", err, tt.want, tt.offset)
			}
		})
	}
}

// The rules are those of EMV Book 3 §5.4.
func TestDOLBuild(t *testing.T) {
	tests := []struct{ name, dol, value, want string }{
		{"as long as asked for", "9A03", "261122", "261122"},
		{"numeric, padded on the left", "9F0206", "1250", "000000001250"},
		{"numeric, cut on the left", "9F0202", "000000001250", "1250"},
		{"compressed numeric, padded with F", "5A0A", "4761739001010119", "4761739001010119FFFF"},
		{"compressed numeric, cut on the right", "5A04", "4761739001010119", "47617390"},
		{"binary, padded on the right", "9F3706", "11223344", "112233440000"},
		{"binary, cut on the right", "9F3702", "11223344", "1122"},
		{"unknown to the terminal", "9F0206", "", "000000000000"},
		{"unknown PAN is zeros too", "5A02", "", "0000"},
		{"a template", "7002", "1122", "0000"},
		{"length 0", "9A00", "261122", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dol, err := emv.ParseDOL(fromHex(t, tt.dol))
			if err != nil {
				t.Fatal(err)
			}
			got := dol.Build(func(tag uint32) ([]byte, bool) {
				if tag != dol[0].Tag {
					t.Fatalf("asked for tag %X", tag)
				}
				return fromHex(t, tt.value), tt.value != ""
			})
			if !bytes.Equal(got, fromHex(t, tt.want)) {
				t.Fatalf("Build = %X, want %s", got, tt.want)
			}
		})
	}
}

func TestDOLSplit(t *testing.T) {
	dol := emv.DOL{{Tag: 0x9A, Length: 3}, {Tag: 0x9C, Length: 1}}
	list, ok := dol.Split(fromHex(t, "26112200"))
	want := emv.List{{Tag: 0x9A, Value: []byte{0x26, 0x11, 0x22}}, {Tag: 0x9C, Value: []byte{0}}}
	if !ok || !reflect.DeepEqual(list, want) {
		t.Fatalf("Split = %X, %v", list, ok)
	}
	for _, data := range []string{"", "261122", "2611220000"} {
		if _, ok := dol.Split(fromHex(t, data)); ok {
			t.Fatalf("%d bytes taken", len(data)/2)
		}
	}
}

func FuzzParseDOL(f *testing.F) {
	f.Add(fromHex(f, "9F02069F03069F1A0295055F2A029A039C019F3704"))
	f.Add(fromHex(f, "9AFD"))
	f.Fuzz(func(t *testing.T, b []byte) {
		dol, err := emv.ParseDOL(b)
		if err != nil {
			return
		}
		data := dol.Build(func(tag uint32) ([]byte, bool) { return b, tag&1 == 0 })
		if len(data) != dol.Length() || len(data) > emv.MaxDOLData {
			t.Fatalf("%d bytes for a DOL of %d", len(data), dol.Length())
		}
		if _, ok := dol.Split(data); !ok {
			t.Fatal("built data does not split")
		}
	})
}
