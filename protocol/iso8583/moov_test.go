package iso8583

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	moov "github.com/moov-io/iso8583"
	moovenc "github.com/moov-io/iso8583/encoding"
	"github.com/moov-io/iso8583/field"
	"github.com/moov-io/iso8583/prefix"
)

// moovSpec describes a dialect to moov-io/iso8583, an implementation that owes nothing to ours: the
// independent opinion on every byte, and the baseline of the benchmarks. No field is padded there, for padding
// is taken off again on unpacking.
func moovSpec(d Dialect) *moov.MessageSpec {
	fields := map[int]field.Field{
		0: field.NewString(&field.Spec{Length: mtiLength, Enc: moovenc.ASCII, Pref: prefix.ASCII.Fixed}),
		1: field.NewBitmap(&field.Spec{Enc: moovenc.Binary, Pref: prefix.Binary.Fixed}),
	}
	prefixes := prefix.ASCII
	if d.Bitmap == "hex" {
		fields[1] = field.NewBitmap(&field.Spec{Enc: moovenc.BytesToASCIIHex, Pref: prefix.Hex.Fixed})
	}
	if d.Digits == "bcd" {
		fields[0] = field.NewString(&field.Spec{Length: mtiLength, Enc: moovenc.BCD, Pref: prefix.BCD.Fixed})
		prefixes = prefix.BCD
	}
	for n, f := range d.Fields {
		s := &field.Spec{Length: d.units(f), Enc: moovEncoder(d.entryOf(n, f)), Pref: prefixes.Fixed}
		switch f.Var {
		case 2:
			s.Pref = prefixes.LL
		case 3:
			s.Pref = prefixes.LLL
		}
		if s.Enc == moovenc.Binary {
			fields[n] = field.NewHex(s)
			continue
		}
		fields[n] = field.NewString(s)
	}
	return &moov.MessageSpec{Name: d.Name, Fields: fields}
}

func moovEncoder(e *entry) moovenc.Encoder {
	switch {
	case e.encoding == encodingBinary:
		return moovenc.Binary
	case e.encoding == encodingBCD && e.kind == "z":
		return packedTrack{}
	case e.encoding == encodingBCD && e.left:
		return moovenc.LBCD
	case e.encoding == encodingBCD:
		return moovenc.BCD
	}
	return moovenc.ASCII
}

// packedTrack is what moov-io/iso8583 lacks: its BCD is decimal only. It goes by way of hexadecimal.
type packedTrack struct{}

func (packedTrack) Encode(value []byte) ([]byte, error) {
	text := strings.ReplaceAll(string(value), "=", "D")
	if len(text)%2 == 1 {
		text += "F"
	}
	return hex.DecodeString(text)
}

func (packedTrack) Decode(wire []byte, length int) ([]byte, int, error) {
	n := (length + 1) / 2
	if n > len(wire) {
		return nil, 0, ErrTruncated
	}
	text := strings.ToUpper(hex.EncodeToString(wire[:n]))[:length]
	return []byte(strings.ReplaceAll(text, "D", "=")), n, nil
}

func moovPack(spec *moov.MessageSpec, d Dialect, m Message) ([]byte, error) {
	out := moov.NewMessage(spec)
	out.MTI(m.MTI)
	for n, value := range m.Fields {
		var err error
		if d.encodingOf(d.Fields[n]) == encodingBinary {
			var raw []byte
			if raw, err = hex.DecodeString(value); err == nil {
				err = out.BinaryField(n, raw)
			}
		} else {
			err = out.Field(n, value)
		}
		if err != nil {
			return nil, err
		}
	}
	return out.Pack()
}

func moovUnpack(spec *moov.MessageSpec, wire []byte) (Message, error) {
	in := moov.NewMessage(spec)
	if err := in.Unpack(wire); err != nil {
		return Message{}, err
	}
	m := Message{Fields: map[int]string{}}
	for n, f := range in.GetFields() {
		value, err := f.String()
		switch {
		case err != nil:
			return Message{}, err
		case n == 0:
			m.MTI = value
		case n > 1:
			m.Fields[n] = value
		}
	}
	return m, nil
}

// oracleDialects are those that the oracle can speak: without a header, EBCDIC, and right-aligned track.
func oracleDialects() []Dialect {
	packed := packedDialect()
	packed.Header = nil
	packed.Fields = maps.Clone(packed.Fields)
	for _, n := range []int{36, 43, 44, 45, 53} {
		delete(packed.Fields, n)
	}
	return []Dialect{dialect(), binaryDialect(), packed}
}

// randomMessage is any message that the dialect allows.
func randomMessage(r *rand.Rand, d Dialect) Message {
	const all, letters = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	m := Message{MTI: fmt.Sprintf("%04d", r.IntN(10000)), Fields: map[int]string{}}
	for n, f := range d.Fields {
		if r.IntN(3) == 0 {
			continue
		}
		length, chars := f.Length, all
		if f.Var > 0 {
			length = r.IntN(f.Length + 1)
		}
		switch f.Type {
		case "an":
			chars += letters
		case "ans":
			chars += letters + " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
		case "z":
			chars += "="
		case "b":
			chars, length = hexDigits, 2*length
		}
		var b strings.Builder
		for range length {
			b.WriteByte(chars[r.IntN(len(chars))])
		}
		m.Fields[n] = b.String()
	}
	return m
}

func same(a, b Message) bool { return a.MTI == b.MTI && maps.Equal(a.Fields, b.Fields) }

// Both implementations write the same bytes and read each other's.
func TestOracleAgrees(t *testing.T) {
	const messages = 400
	for _, d := range oracleDialects() {
		c, spec, r := codec(t, d), moovSpec(d), rand.New(rand.NewPCG(8583, 1987))
		for i := range messages {
			compareWithOracle(t, c, spec, randomMessage(r, d))
			if t.Failed() {
				t.Fatalf("%s: message %d", d.Name, i)
			}
		}
	}
}

func compareWithOracle(t *testing.T, c *Codec, spec *moov.MessageSpec, m Message) {
	t.Helper()
	ours, err := c.Pack(m)
	if err != nil {
		t.Errorf("we refuse %v: %v", m, err)
		return
	}
	theirs, err := moovPack(spec, c.dialect, m)
	if err != nil || !bytes.Equal(ours, theirs) {
		t.Errorf("ours   %q\ntheirs %q, %v", ours, theirs, err)
	}
	if back, err := c.Unpack(theirs); err != nil || !same(back, m) {
		t.Errorf("we read theirs as %v, %v; want %v", back, err, m)
	}
	if back, err := moovUnpack(spec, ours); err != nil || !same(back, m) {
		t.Errorf("they read ours as %v, %v; want %v", back, err, m)
	}
}

func FuzzOracle(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	var codecs []*Codec
	var specs []*moov.MessageSpec
	for _, d := range oracleDialects() {
		codecs, specs = append(codecs, codec(f, d)), append(specs, moovSpec(d))
	}
	f.Fuzz(func(t *testing.T, a, b uint64) {
		for i, c := range codecs {
			compareWithOracle(t, c, specs[i], randomMessage(rand.New(rand.NewPCG(a, b)), c.dialect))
		}
	})
}

// benchmarkDialect has the fields of a chip purchase: 19, with 147 bytes of ICC data.
func benchmarkDialect(digits string) Dialect {
	d := Dialect{Name: "benchmark", Framing: Framing{LengthBytes: 2, MaxLength: 4096}, Digits: digits, Bitmap: "hex", Fields: map[int]Field{}}
	if digits == "bcd" {
		d.Bitmap = "binary"
	}
	maps.Copy(d.Fields, dialect().Fields)
	for n, length := range map[int]int{12: 6, 13: 4, 22: 3, 23: 3, 25: 2, 49: 3, 60: 17} {
		d.Fields[n] = Field{Name: "number", Type: "n", Length: length}
	}
	return d
}

func benchmarkMessage() Message {
	return Message{MTI: "0200", Fields: map[int]string{
		2: testPAN, 3: "000000", 4: "000000001250", 7: "1122190501", 11: "000007", 12: "190501", 13: "1122", 14: "2812", 22: "051",
		23: "001", 25: "00", 35: testPAN + "=28122010000012345678", 41: "TERM0001", 42: "MERCHANT 000001", 48: "123456789012", 49: "156",
		52: "00A1B2C3D4E5F6FF", 55: strings.Repeat("9F2608A1B2C3D4E5F60718", 13) + "9A0326", 60: "22000001000500000",
	}}
}

func BenchmarkPack(b *testing.B) {
	for _, digits := range []string{"bcd", "ascii"} {
		d, m := benchmarkDialect(digits), benchmarkMessage()
		c, spec := codec(b, d), moovSpec(d)
		b.Run(digits+"/ours", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Pack(m); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(digits+"/moov", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := moovPack(spec, d, m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkUnpack(b *testing.B) {
	for _, digits := range []string{"bcd", "ascii"} {
		d := benchmarkDialect(digits)
		c, spec := codec(b, d), moovSpec(d)
		wire, err := c.Pack(benchmarkMessage())
		if err != nil {
			b.Fatal(err)
		}
		b.Run(digits+"/ours", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Unpack(wire); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(digits+"/moov", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := moovUnpack(spec, wire); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMaskPayload(b *testing.B) {
	c := codec(b, benchmarkDialect("bcd"))
	wire, err := c.Pack(benchmarkMessage())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		c.MaskPayload(wire)
	}
}

func BenchmarkIdentify(b *testing.B) {
	c := codec(b, benchmarkDialect("bcd"))
	wire, err := c.Pack(benchmarkMessage())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Identify(wire); err != nil {
			b.Fatal(err)
		}
	}
}
