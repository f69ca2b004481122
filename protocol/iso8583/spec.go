package iso8583

import (
	"strconv"

	moov "github.com/moov-io/iso8583"
	"github.com/moov-io/iso8583/encoding"
	"github.com/moov-io/iso8583/field"
	"github.com/moov-io/iso8583/prefix"
)

// mtiLength is the number of digits of a message type indicator.
const mtiLength = 4

// spec describes the dialect to moov-io/iso8583. No field is padded there: padding is taken
// off again when a message is unpacked, so that "000123" would come back as "123".
func spec(d Dialect) *moov.MessageSpec {
	fields := map[int]field.Field{
		0: field.NewString(&field.Spec{Length: mtiLength, Description: "MTI", Enc: text{}, Pref: prefix.ASCII.Fixed}),
		1: field.NewBitmap(&field.Spec{Description: "bitmap", Enc: encoding.Binary, Pref: prefix.Binary.Fixed}),
	}
	if d.hexadecimal() {
		fields[1] = field.NewBitmap(&field.Spec{Description: "bitmap", Enc: encoding.BytesToASCIIHex, Pref: prefix.Hex.Fixed})
	}
	for n, f := range d.Fields {
		s := &field.Spec{Length: d.units(f, f.Length), Description: f.Name, Enc: text{}, Pref: prefix.ASCII.Fixed}
		if f.Var > 0 {
			s.Pref = lengthDigits(f.Var)
		}
		if f.Type == "b" && !d.hexadecimal() {
			s.Enc = octets{}
			fields[n] = field.NewHex(s)
			continue
		}
		fields[n] = field.NewString(s)
	}
	return &moov.MessageSpec{Name: d.Name, Fields: fields}
}

// hexadecimal says that bytes (bitmap and b fields) are written as text.
func (d Dialect) hexadecimal() bool { return d.Bitmap == "hex" }

// units is how many positions a value of so many characters (bytes for b) has on the wire:
// what length digits count.
func (d Dialect) units(f Field, length int) int {
	if f.Type == "b" && d.hexadecimal() {
		return 2 * length
	}
	return length
}

// text is ASCII on the wire. Unlike the library's own encoder its errors are ours and it
// does not grow its result a byte at a time.
type text struct{}

func (text) Encode(value []byte) ([]byte, error) {
	for _, c := range value {
		if c > 127 {
			return nil, ErrCharacters
		}
	}
	return value, nil
}

func (text) Decode(wire []byte, length int) ([]byte, int, error) {
	if length > len(wire) {
		return nil, 0, ErrTruncated
	}
	value, err := text{}.Encode(wire[:length])
	return value, length, err
}

// octets are bytes as they are.
type octets struct{}

func (octets) Encode(value []byte) ([]byte, error) { return value, nil }

func (octets) Decode(wire []byte, length int) ([]byte, int, error) {
	if length > len(wire) {
		return nil, 0, ErrTruncated
	}
	return wire[:length], length, nil
}

// lengthDigits is LLVAR (2) or LLLVAR (3) in ASCII. The library's own takes "+5" and "-0" for
// a length; this one takes digits only.
type lengthDigits int

func (d lengthDigits) EncodeLength(most, length int) ([]byte, error) {
	digits := strconv.Itoa(length)
	if length > most || len(digits) > int(d) {
		return nil, ErrLength
	}
	out := make([]byte, 0, int(d)+length)
	for range int(d) - len(digits) {
		out = append(out, '0')
	}
	return append(out, digits...), nil
}

func (d lengthDigits) DecodeLength(most int, wire []byte) (length, read int, err error) {
	if len(wire) < int(d) {
		return 0, 0, ErrTruncated
	}
	for _, c := range wire[:d] {
		if !digit(c) {
			return 0, 0, ErrLength
		}
		length = length*10 + int(c-'0')
	}
	if length > most {
		return 0, 0, ErrLength
	}
	return length, int(d), nil
}

func (d lengthDigits) Inspect() string { return "ASCII." + "LLL"[:d] }
