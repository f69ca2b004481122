package iso8583

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func TestMaskPayload(t *testing.T) {
	c := codec(t, dialect())
	stars := func(n int) string { return strings.Repeat("*", n) }
	want := golden
	for _, secret := range []string{testPAN + "=28122010000", testPAN, "00A1B2C3D4E5F6FF", "9F2608"} {
		want = strings.Replace(want, secret, stars(len(secret)), 1)
	}
	wire := []byte(golden)
	if got := c.MaskPayload(wire); string(got) != want || string(wire) != golden {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// A card number in a free field is found as text, and in bytes as text or as packed digits; so is anything
// of a card number's shape in a text.
func TestMaskPayloadOfFreeFields(t *testing.T) {
	d := packedDialect()
	c := codec(t, d)
	base := func(n int, value string) Message {
		return Message{MTI: "0200", Fields: map[int]string{35: testPAN + "=2812", n: value}}
	}
	for name, m := range map[string]Message{
		"as text":           base(48, "ID "+testPAN),
		"as packed digits":  base(55, "5A08"+testPAN),
		"as ASCII in bytes": base(55, strings.ToUpper(hex.EncodeToString([]byte(testPAN)))),
		"in a number":       base(90, "00"+testPAN+strings.Repeat("0", 24)),
		"another card":      {MTI: "0200", Fields: map[int]string{48: "ID 5555555555554444"}},
		"in EBCDIC":         base(43, testPAN),
	} {
		wire, err := c.Pack(m)
		if err != nil {
			t.Fatal(err)
		}
		spans, err := c.Spans(wire)
		if err != nil {
			t.Fatal(err)
		}
		masked := c.MaskPayload(wire)
		for _, s := range spans {
			if s.Field > 1 && strings.Trim(string(masked[s.Value:s.End]), "*") != "" {
				t.Errorf("%s: field %d is shown: %q", name, s.Field, masked[s.Value:s.End])
			}
		}
	}
	wire, err := c.Pack(base(48, "ID 12345"))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.MaskPayload(wire); !bytes.Contains(got, []byte("ID 12345")) {
		t.Errorf("an innocent field is hidden: %q", got)
	}
}

func TestMaskPayloadFailsClosed(t *testing.T) {
	c := codec(t, dialect())
	shift := strings.Replace(golden, "16"+testPAN, "08"+testPAN, 1) // half of the card number lands in field 3 and 4
	for name, wire := range map[string]string{
		"cut": golden[:70], "trailing": golden + testPAN, "shifted": shift, "no message": testPAN + testPAN + testPAN, "short": "02",
		"bitmap": "0200" + testPAN[:15] + "x" + testPAN,
	} {
		got := string(c.MaskPayload([]byte(wire)))
		if strings.Contains(got, testPAN[:6]) || strings.Contains(got, testPAN[10:]) || len(got) != len(wire) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := string(c.MaskPayload([]byte(golden[:70]))); got != "0200"+strings.Repeat("*", 66) {
		t.Errorf("a cut message: %q", got)
	}
}

// The card number of a message without field 2 is in its track.
func TestMaskedFindsTheTracksCard(t *testing.T) {
	c := codec(t, dialect())
	m := Message{MTI: "0200", Fields: map[int]string{35: testPAN + "D2812", 48: "ID " + testPAN}}
	if got := c.Masked(m)["48"]; got != "[pan inside 19]" {
		t.Error(got)
	}
	m = Message{MTI: "0200", Fields: map[int]string{48: "ID " + testPAN}}
	if got := c.Masked(m)["48"]; got != "[pan inside 19]" {
		t.Errorf("by its shape: %q", got)
	}
}

// The shortest number that is taken for a card's is found too, though it has no card number's shape.
func TestMaskedFindsAShortCard(t *testing.T) {
	c := codec(t, dialect())
	m := Message{MTI: "0200", Fields: map[int]string{2: "476173900101", 48: "ID 476173900101"}}
	if got := c.Masked(m)["48"]; got != "[pan inside 15]" {
		t.Error(got)
	}
}

// In a message that cannot be read to its end any value may be a part of the card number.
func TestMaskedOfABrokenMessage(t *testing.T) {
	c := codec(t, dialect())
	m, err := c.UnpackPartial([]byte(strings.Replace(golden, "16"+testPAN, "08"+testPAN, 1))) // half of it lands in 3 and 4
	if err == nil || m.Fields[3] != testPAN[8:14] {
		t.Fatalf("%v, %v", m, err)
	}
	for n, value := range c.Masked(m) {
		if n != "11" && n != "41" && !strings.HasPrefix(value, "[") {
			t.Errorf("field %s is shown: %q", n, value)
		}
	}
}
