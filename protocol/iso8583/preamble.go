package iso8583

import "encoding/binary"

const (
	mtiLength   = 4 // digits
	bitmapBytes = 8 // of each of the two
)

// preamble is a message up to its first field.
type preamble struct {
	mti, bitmap, body int // where each begins
	digits            [mtiLength]byte
	fields            fieldSet // without 1
}

// mtiBytes is how long an MTI is on the wire.
func (c *Codec) mtiBytes() int {
	if c.digits == encodingBCD {
		return mtiLength / 2
	}
	return mtiLength
}

// bitmapUnit is how long one of the bitmaps is on the wire.
func (c *Codec) bitmapUnit() int {
	if c.hexBitmap {
		return 2 * bitmapBytes
	}
	return bitmapBytes
}

// preamble reads header, MTI and bitmap. With an error, what was read before it is filled in.
func (c *Codec) preamble(b []byte) (p preamble, err error) {
	p.mti = c.headerBytes
	if len(b) < p.mti {
		return p, &FieldError{Field: fieldHeader, Err: ErrTruncated}
	}
	p.bitmap = p.mti + c.mtiBytes()
	if len(b) < p.bitmap {
		return p, &FieldError{Field: 0, Err: ErrTruncated}
	}
	mti, err := c.mtiEntry.decode(p.digits[:0], b[p.mti:p.bitmap], mtiLength)
	if err != nil || len(mti) != mtiLength {
		p.digits = [mtiLength]byte{}
		return p, &FieldError{Field: 0, Err: ErrCharacters}
	}
	p.body = p.bitmap
	for word := range p.fields {
		bits, ok := c.bitmapAt(b, p.body)
		if !ok {
			return p, &FieldError{Field: 1, Err: ErrBitmap}
		}
		p.body += c.bitmapUnit()
		p.fields[word] = bits &^ continued
		if bits&continued == 0 {
			return p, nil
		}
	}
	return p, &FieldError{Field: 1, Err: ErrBitmap} // a third bitmap
}

// continued is the bit that announces another bitmap: field 1, and field 65 for a third.
const continued = 1 << 63

// bitmapAt reads one bitmap.
func (c *Codec) bitmapAt(b []byte, pos int) (bits uint64, ok bool) {
	if pos+c.bitmapUnit() > len(b) {
		return 0, false
	}
	if !c.hexBitmap {
		return binary.BigEndian.Uint64(b[pos:]), true
	}
	for _, x := range b[pos : pos+2*bitmapBytes] {
		if x >= 'a' && x <= 'f' {
			x -= 'a' - 'A'
		}
		if !digit(x) && (x < 'A' || x > 'F') {
			return 0, false
		}
		bits = bits<<4 | uint64(nibble(x))
	}
	return bits, true
}

// appendBitmap writes the bitmaps of a message with these fields.
func (c *Codec) appendBitmap(dst []byte, fields fieldSet) []byte {
	if fields[1] != 0 {
		fields[0] |= continued
	}
	for word, bits := range fields {
		if word > 0 && bits == 0 {
			break
		}
		if !c.hexBitmap {
			dst = binary.BigEndian.AppendUint64(dst, bits)
			continue
		}
		for shift := 60; shift >= 0; shift -= 4 {
			dst = append(dst, hexDigits[bits>>shift&0xF])
		}
	}
	return dst
}
