package card

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/assay-hil/assay/rigs"
)

// The examples are of ISO/IEC 14443-4 §5.2: T0 says which bytes follow, and what is left out has a default.
func TestParseATS(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []byte
		want ATS
	}{
		{"only TL", []byte{1}, ATS{FSCI: 2, TA: 0x00, TB: 0x40, TC: 0x02}},
		{"T0", []byte{2, 0x05}, ATS{FSCI: 5, TA: 0x00, TB: 0x40, TC: 0x02}},
		{"all", []byte{7, 0x78, 0x80, 0x70, 0x02, 0xAA, 0xBB}, ATS{FSCI: 8, TA: 0x80, TB: 0x70, TC: 0x02, Historical: []byte{0xAA, 0xBB}}},
		{"only TB", []byte{3, 0x27, 0xE0}, ATS{FSCI: 7, TA: 0x00, TB: 0xE0, TC: 0x02}},
	} {
		got, err := ParseATS(c.in)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v, want %+v", c.name, got, err, c.want)
		}
		if again, err := ParseATS(got.Encode()); err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%s: %X becomes %+v, %v", c.name, got.Encode(), again, err)
		}
	}
	for name, in := range map[string][]byte{
		"nothing": {}, "a wrong TL": {3, 0x78}, "a reserved FSCI": {2, 0x09}, "cut": {3, 0x78, 0x80}, "too long": append([]byte{255}, make([]byte, 254)...),
	} {
		if _, err := ParseATS(in); !errors.Is(err, ErrATS) {
			t.Errorf("%s: %v, want ErrATS", name, err)
		}
	}
}

func FuzzParseATS(f *testing.F) {
	f.Add([]byte{5, 0x78, 0x80, 0x70, 0x02})
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, in []byte) {
		a, err := ParseATS(in)
		if err != nil || len(a.Historical) > maxATS-5 {
			return
		}
		if again, err := ParseATS(a.Encode()); err != nil || !reflect.DeepEqual(again, a) {
			t.Fatalf("%X: %+v becomes %+v, %v", in, a, again, err)
		}
	})
}

func TestIdentity(t *testing.T) {
	for n, want := range map[int][2]byte{4: {0x04, 0}, 7: {0x44, 0}, 10: {0x84, 0}} {
		if err := CheckUID(make([]byte, n)); err != nil || ATQA(make([]byte, n)) != want {
			t.Errorf("UID of %d bytes: %v, ATQA %X", n, err, ATQA(make([]byte, n)))
		}
	}
	for _, n := range []int{0, 5, 11} {
		if err := CheckUID(make([]byte, n)); !errors.Is(err, ErrUID) {
			t.Errorf("UID of %d bytes: %v", n, err)
		}
	}
	if FrameSize(0) != 16 || FrameSize(5) != 64 || FrameSize(8) != 256 || FrameSize(15) != 256 {
		t.Error("frame sizes")
	}
}

func TestCapabilityError(t *testing.T) {
	only := &CapabilityError{Emulator: "X", Need: "stripe", Have: []string{"field"}}
	both := &CapabilityError{Emulator: "X", Need: "stripe", Have: []string{"field", "chip"}}
	if text := only.Error(); !strings.Contains(text, "contactless only") || !strings.Contains(text, "driver: relay") {
		t.Error(text)
	}
	if text := both.Error(); text != "X has no stripe interface; it has: field, chip" {
		t.Error(text)
	}
}

func TestEventsDropTheOldest(t *testing.T) {
	s := NewEvents(2)
	for _, kind := range []string{"a", "b", "c"} {
		s.Emit(rigs.CardEvent{Kind: kind})
	}
	if s.Dropped() != 1 {
		t.Errorf("%d dropped, want 1", s.Dropped())
	}
	s.Close()
	s.Close()
	s.Emit(rigs.CardEvent{Kind: "d"})
	var kinds string
	for e := range s.C() {
		kinds += e.Kind
	}
	if kinds != "bc" {
		t.Errorf("events %q, want bc", kinds)
	}
}

// answers is a chip made of a function.
type answers func(command []byte) []byte

func (answers) ATR() []byte                      { return nil }
func (answers) Reset()                           {}
func (f answers) Transmit(command []byte) []byte { return f(command) }

func TestTransmit(t *testing.T) {
	buffer := []byte{0x90, 0x00}
	got, err := Transmit(answers(func(command []byte) []byte { command[0] = 0xFF; return buffer }), []byte{0, 1})
	buffer[0] = 0
	if err != nil || !bytes.Equal(got, []byte{0x90, 0x00}) {
		t.Errorf("%X, %v: the chip's buffer is shared", got, err)
	}
	for _, n := range []int{1, MaxResponse + 1} {
		if _, err := Transmit(answers(func([]byte) []byte { return make([]byte, n) }), nil); !errors.Is(err, ErrAnswer) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	const pan = "4111111111111111"
	_, err = Transmit(answers(func([]byte) []byte { panic("card " + pan) }), nil)
	failure := (*PanicError)(nil)
	if !errors.As(err, &failure) || failure.Call != "Transmit" || strings.Contains(err.Error(), pan) || !strings.Contains(failure.Where, "card_test") && !strings.Contains(failure.Where, "TestTransmit") {
		t.Errorf("%v", err)
	}
}
