package iso8583

import (
	"bytes"
	"strings"
	"testing"
)

// What MaskLegibly gives is masked in the same places, and can be read again, all else as it was.
func TestMaskLegibly(t *testing.T) {
	for _, digits := range []string{"ascii", "bcd", "ebcdic"} {
		c, err := NewCodec(Dialect{
			Name:    "test " + digits,
			Framing: Framing{LengthBytes: 2, MaxLength: 4096}, Bitmap: "binary", Digits: digits,
			Fields: map[int]Field{
				2:  {Name: "card number", Type: "n", Length: 19, Var: 2, Sensitive: "pan"},
				11: {Name: "trace number", Type: "n", Length: 6},
				35: {Name: "track 2", Type: "z", Length: 37, Var: 2, Sensitive: "track"},
				39: {Name: "response code", Type: "an", Length: 2},
				48: {Name: "free", Type: "ans", Length: 99, Var: 3},
				52: {Name: "PIN", Type: "b", Length: 8, Sensitive: "pin"},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		const pan = "4761739001010010"
		m := Message{MTI: "0210", Fields: map[int]string{2: pan, 11: "000042", 35: pan + "=25122010000000000", 39: "00", 48: "card " + pan, 52: "0123456789ABCDEF"}}
		wire, err := c.Pack(m)
		if err != nil {
			t.Fatal(err)
		}
		legible, masked := c.MaskLegibly(wire), c.MaskPayload(wire)
		for i := range wire {
			if same := legible[i] == masked[i]; !same && masked[i] != hidden {
				t.Errorf("%s: byte %d is %02x, masked %02x", digits, i, legible[i], masked[i])
			}
		}
		got, err := c.Unpack(legible)
		if err != nil {
			t.Fatalf("%s: %v", digits, err)
		}
		if got.Fields[2] != strings.Repeat("0", len(pan)) || strings.Trim(got.Fields[35], "0") != "" || strings.Trim(got.Fields[52], "0") != "" {
			t.Errorf("%s: not masked: %v", digits, got.Fields)
		}
		if got.Fields[11] != "000042" || got.Fields[39] != "00" || strings.Trim(got.Fields[48], string(hidden)) != "" {
			t.Errorf("%s: %v", digits, got.Fields)
		}
		short := wire[:len(wire)-1] // a message that can't be read
		if got := c.MaskLegibly(short); !bytes.Equal(got, c.MaskPayload(short)) {
			t.Errorf("%s: cut: %x", digits, got)
		}
	}
}
