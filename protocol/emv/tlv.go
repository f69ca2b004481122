package emv

import (
	"errors"
	"fmt"
)

// Limits of Parse.
const (
	// MaxSize is the most bytes that Parse takes. It is far above a short APDU or field 55.
	MaxSize = 4096
	// MaxDepth is how deep constructed objects may be nested, the outermost list being depth 1.
	MaxDepth = 8
	// maxTagSize is the longest tag in bytes.
	maxTagSize = 4
	// maxLengthSize is the longest length field in bytes, and maxLenientLengthSize the longest one
	// that Read takes, with needless zeros in it.
	maxLengthSize        = 3
	maxLenientLengthSize = 4
)

// Why bytes are not a TLV list. Parse wraps them in a *SyntaxError.
var (
	ErrTruncated = errors.New("object ends after the data")
	ErrTag       = errors.New("invalid tag")
	ErrLength    = errors.New("invalid length field")
	ErrDepth     = errors.New("nested too deep")
	ErrTooLong   = errors.New("too many bytes")
)

// SyntaxError says where and why bytes are no TLV list or DOL. It holds no data.
type SyntaxError struct {
	What   string // "TLV" or "DOL"
	Offset int    // byte at which the faulty object starts, in the innermost list
	Err    error
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("emv: bad %s at byte %d: %v", e.What, e.Offset, e.Err)
}

// Unwrap returns the reason: ErrTruncated, ErrTag, ErrLength, ErrDepth or ErrTooLong.
func (e *SyntaxError) Unwrap() error { return e.Err }

// TLV is one data object. The value of a constructed one is the encoded list inside it.
type TLV struct {
	Tag   uint32 // as its bytes read big-endian: 0x9F02, 0x57
	Value []byte
}

// List is a sequence of data objects. Order and duplicates are kept.
type List []TLV

// Parse reads a list of BER-TLV objects and copies their values. It is strict, so that Encode of
// what it returns gives the same bytes again: lengths are of the definite form in the fewest
// bytes, there are no padding bytes, and the inside of constructed objects is well-formed to at
// most MaxDepth. Errors: *SyntaxError.
func Parse(b []byte) (List, error) {
	if len(b) > MaxSize {
		return nil, &SyntaxError{"TLV", 0, ErrTooLong}
	}
	return parse(b, 1, strictly)
}

// rigour is what parse lets pass.
type rigour bool

const (
	strictly  rigour = false
	leniently rigour = true // padding, and lengths in more bytes than needed
)

// usualSize is less than the bytes of a usual object, usualCount more than the objects of a usual list.
const (
	usualSize  = 5
	usualCount = 32
)

func parse(b []byte, depth int, r rigour) (List, error) {
	if depth > MaxDepth {
		return nil, &SyntaxError{"TLV", 0, ErrDepth}
	}
	list := make(List, 0, min(len(b)/usualSize+1, usualCount)) // what most lists need, in one piece
	for offset := 0; offset < len(b); {
		if r == leniently && padding(b[offset:]) {
			offset++
			continue
		}
		object, size, err := parseObject(b[offset:], r)
		if err != nil {
			return nil, &SyntaxError{"TLV", offset, err}
		}
		if constructed(object.Tag) {
			if _, err := parse(object.Value, depth+1, r); err != nil {
				return nil, err
			}
		}
		list = append(list, object)
		offset += size
	}
	return list, nil
}

// parseObject reads one object and returns how many bytes it took.
func parseObject(b []byte, r rigour) (TLV, int, error) {
	tag, tagLen, err := parseTag(b)
	if err != nil {
		return TLV{}, 0, err
	}
	length, lengthLen, err := parseLength(b[tagLen:], r)
	if err != nil {
		return TLV{}, 0, err
	}
	start := tagLen + lengthLen
	if length > len(b)-start {
		return TLV{}, 0, ErrTruncated
	}
	value := append([]byte{}, b[start:start+length]...)
	return TLV{tag, value}, start + length, nil
}

func parseTag(b []byte) (tag uint32, size int, err error) {
	if len(b) == 0 {
		return 0, 0, ErrTruncated
	}
	if b[0] == 0 { // the universal tag 0 is no EMV tag; a stray padding byte
		return 0, 0, ErrTag
	}
	tag = uint32(b[0])
	if b[0]&0x1F != 0x1F {
		return tag, 1, nil
	}
	for size = 1; size < maxTagSize; size++ {
		if size == len(b) {
			return 0, 0, ErrTruncated
		}
		if size == 1 && b[1] == 0x80 { // leading zero bits of the tag number (X.690 §8.1.2.4.2)
			return 0, 0, ErrTag
		}
		tag = tag<<8 | uint32(b[size])
		if b[size]&0x80 == 0 {
			return tag, size + 1, nil
		}
	}
	return 0, 0, ErrTag
}

func parseLength(b []byte, r rigour) (length, size int, err error) {
	if len(b) == 0 {
		return 0, 0, ErrTruncated
	}
	if b[0] < 0x80 {
		return int(b[0]), 1, nil
	}
	size = 1 + int(b[0]&0x7F)
	if size < 2 || r == strictly && size > maxLengthSize || size > maxLenientLengthSize {
		return 0, 0, ErrLength
	}
	if size > len(b) {
		return 0, 0, ErrTruncated
	}
	for _, v := range b[1:size] {
		length = length<<8 | int(v)
	}
	if r == strictly && (length < 0x80 || size == maxLengthSize && length < 0x100) {
		return 0, 0, ErrLength
	}
	return length, size, nil
}

// Find returns the value of the first object with the tag, in the order of the encoded bytes:
// a constructed object's inside, read as Read does, comes before what follows it. The value is not to
// be changed.
func (l List) Find(tag uint32) ([]byte, bool) {
	return l.find(tag, 1)
}

func (l List) find(tag uint32, depth int) ([]byte, bool) {
	for _, object := range l {
		if object.Tag == tag {
			return object.Value, true
		}
		if !constructed(object.Tag) {
			continue
		}
		inside, err := parse(object.Value, depth+1, leniently)
		if err != nil {
			continue
		}
		if value, ok := inside.find(tag, depth+1); ok {
			return value, true
		}
	}
	return nil, false
}

// Encode returns the list's bytes. Tags must be such as Parse returns, and values shorter than
// 65536 bytes.
func (l List) Encode() []byte {
	var b []byte
	for _, object := range l {
		b = appendTag(b, object.Tag)
		b = appendLength(b, len(object.Value))
		b = append(b, object.Value...)
	}
	return b
}

func appendTag(b []byte, tag uint32) []byte {
	for i := tagSize(tag) - 1; i >= 0; i-- {
		b = append(b, byte(tag>>(8*i)))
	}
	return b
}

func appendLength(b []byte, length int) []byte {
	switch {
	case length < 0x80:
		return append(b, byte(length))
	case length < 0x100:
		return append(b, 0x81, byte(length))
	}
	return append(b, 0x82, byte(length>>8), byte(length))
}
