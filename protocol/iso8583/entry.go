package iso8583

import "golang.org/x/text/encoding/charmap"

// encoding is how a value stands on the wire.
type encoding uint8

const (
	encodingASCII  encoding = iota // a byte a character
	encodingEBCDIC                 // code page 037, a byte a character
	encodingBCD                    // two digits a byte
	encodingBinary                 // b fields: as they are
	encodingHex                    // b fields: two ASCII characters a byte
)

// encodingNamed gives the encoding of a dialect's word.
func encodingNamed(word string) (encoding, bool) {
	switch word {
	case "ascii":
		return encodingASCII, true
	case "ebcdic":
		return encodingEBCDIC, true
	case "bcd":
		return encodingBCD, true
	case "binary":
		return encodingBinary, true
	case "hex":
		return encodingHex, true
	}
	return 0, false
}

// entry is a field, made ready for packing and unpacking.
type entry struct {
	number    int
	kind      string // Field.Type
	encoding  encoding
	most      int // longest value in units, which length digits count
	fixed     bool
	digits    int      // length digits
	prefix    encoding // of the length digits: ASCII, EBCDIC or BCD
	left      bool     // an odd number of BCD digits is filled after the last, not before the first
	sensitive bool
}

// Fill nibbles of an odd number of BCD digits.
const (
	fillZero    = 0x0
	fillTrack   = 0xF // after track 2
	nibbleEqual = 0xD // track 2's separator
)

// entryOf compiles a field of a valid dialect.
func (d Dialect) entryOf(n int, f Field) *entry {
	e := &entry{
		number: n, kind: f.Type, encoding: d.encodingOf(f), most: f.Length, fixed: f.Var == 0, digits: f.Var,
		prefix: d.digitEncoding(), left: f.Var > 0, sensitive: f.Sensitive != "",
	}
	if e.encoding == encodingHex {
		e.most *= 2
	}
	if f.Align != "" {
		e.left = f.Align == "left"
	}
	return e
}

// digitEncoding is how MTI, n and z fields and length digits are written.
func (d Dialect) digitEncoding() encoding {
	e, _ := encodingNamed(d.Digits) // "" is ASCII, which is the zero value
	return e
}

// encodingOf resolves a field's encoding and the dialect's defaults.
func (d Dialect) encodingOf(f Field) encoding {
	word := f.Encoding
	switch {
	case word != "":
	case f.Type == "n" || f.Type == "z":
		word = d.Digits
	case f.Type != "b":
		word = d.Text
	case d.Binary != "":
		word = d.Binary
	default:
		word = d.Bitmap
	}
	e, _ := encodingNamed(word) // "" is ASCII, which is the zero value
	return e
}

// wire is how many bytes a value of so many units takes.
func (e *entry) wire(units int) int {
	if e.encoding == encodingBCD {
		return (units + 1) / 2
	}
	return units
}

// units is what length digits say of a value.
func (e *entry) units(value string) int {
	if e.encoding == encodingBinary {
		return len(value) / 2
	}
	return len(value)
}

// refuse says why the field cannot have this value; nil if it can.
func (e *entry) refuse(value string) error {
	if !allowed(e.kind, value) {
		return ErrCharacters
	}
	if e.kind == "b" && len(value)%2 != 0 {
		return ErrLength
	}
	n := e.units(value)
	if n > e.most || e.fixed && n != e.most {
		return ErrLength
	}
	return nil
}

// append writes length digits and value, which refuse has let through.
func (e *entry) append(dst []byte, value string) []byte {
	if !e.fixed {
		dst = appendLength(dst, e.prefix, e.digits, e.units(value))
	}
	switch e.encoding {
	case encodingBCD:
		return appendBCD(dst, value, e.left, e.fill())
	case encodingBinary:
		for i := 0; i+1 < len(value); i += 2 {
			dst = append(dst, nibble(value[i])<<4|nibble(value[i+1]))
		}
		return dst
	case encodingEBCDIC:
		return appendEBCDIC(dst, value)
	}
	return append(dst, value...)
}

func (e *entry) fill() byte {
	if e.kind == "z" && e.left {
		return fillTrack
	}
	return fillZero
}

// extent reads the length digits at pos: the value has so many units and lies from value to end.
func (e *entry) extent(b []byte, pos int) (units, value, end int, err error) {
	units, value = e.most, pos
	if !e.fixed {
		units, value, err = readLength(b, pos, e.prefix, e.digits)
		if err != nil {
			return 0, pos, pos, err
		}
		if units > e.most {
			return 0, value, value, ErrLength
		}
	}
	end = value + e.wire(units)
	if end > len(b) {
		return 0, value, value, ErrTruncated
	}
	return units, value, end, nil
}

// decode appends the value in raw to dst; without an error it is one that refuse lets through.
func (e *entry) decode(dst, raw []byte, units int) ([]byte, error) {
	from := len(dst)
	switch e.encoding {
	case encodingBCD:
		return e.decodeBCD(dst, raw, units)
	case encodingBinary:
		for _, c := range raw {
			dst = append(dst, hexDigits[c>>4], hexDigits[c&0xF])
		}
		return dst, nil
	case encodingHex:
		if units%2 != 0 {
			return dst, ErrLength
		}
		for _, c := range raw {
			if c >= 'a' && c <= 'f' {
				c -= 'a' - 'A'
			}
			dst = append(dst, c)
		}
	case encodingEBCDIC:
		for _, c := range raw {
			r := charmap.CodePage037.DecodeByte(c)
			if r > '~' {
				return dst[:from], ErrCharacters
			}
			dst = append(dst, byte(r))
		}
	default:
		dst = append(dst, raw...)
	}
	if !allowed(e.kind, dst[from:]) {
		return dst[:from], ErrCharacters
	}
	return dst, nil
}

// decodeBCD reads packed digits. The fill of an odd number must be what append writes; after track 2
// a zero is taken too, for terminals write either.
func (e *entry) decodeBCD(dst, raw []byte, units int) ([]byte, error) {
	from := len(dst)
	skip := units%2 == 1 && !e.left
	for i, c := range raw {
		for half, n := range [2]byte{c >> 4, c & 0xF} {
			switch {
			case skip && i == 0 && half == 0:
				if n != fillZero {
					return dst[:from], ErrMalformed
				}
			case len(dst)-from == units:
				if n != e.fill() && n != fillZero {
					return dst[:from], ErrMalformed
				}
			case n <= 9:
				dst = append(dst, '0'+n)
			case n == nibbleEqual && e.kind == "z":
				dst = append(dst, '=')
			default:
				return dst[:from], ErrCharacters
			}
		}
	}
	return dst, nil
}

const hexDigits = "0123456789ABCDEF"

// nibble is the value of an upper-case hexadecimal digit.
func nibble(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c - 'A' + 10
}

func appendEBCDIC(dst []byte, value string) []byte {
	for _, r := range value {
		c, _ := charmap.CodePage037.EncodeRune(r) // the page has all of printable ASCII
		dst = append(dst, c)
	}
	return dst
}

// appendBCD packs digits (and, for track 2, separators) two a byte.
func appendBCD(dst []byte, value string, left bool, fill byte) []byte {
	i := 0
	if len(value)%2 == 1 && !left {
		dst = append(dst, packed(value[0]))
		i = 1
	}
	for ; i+1 < len(value); i += 2 {
		dst = append(dst, packed(value[i])<<4|packed(value[i+1]))
	}
	if i < len(value) {
		dst = append(dst, packed(value[i])<<4|fill)
	}
	return dst
}

// packed is the nibble of a digit or a separator.
func packed(c byte) byte {
	if c == 'D' || c == '=' {
		return nibbleEqual
	}
	return c - '0'
}

// appendLength writes a number in so many length digits; LLL in BCD takes two bytes.
func appendLength(dst []byte, e encoding, digits, n int) []byte {
	hundreds, tens, ones := byte(n/100), byte(n/10%10), byte(n%10)
	if e == encodingBCD {
		if digits == 3 {
			dst = append(dst, hundreds)
		}
		return append(dst, tens<<4|ones)
	}
	zero := zeroOf(e)
	if digits == 3 {
		dst = append(dst, zero+hundreds)
	}
	return append(dst, zero+tens, zero+ones)
}

// zeroOf is the digit 0 of a character encoding; 1 to 9 follow it in both.
func zeroOf(e encoding) byte {
	if e == encodingEBCDIC {
		return 0xF0
	}
	return '0'
}

// readLength reads length digits at pos and says where they end.
func readLength(b []byte, pos int, e encoding, digits int) (n, end int, err error) {
	if e == encodingBCD {
		end = pos + (digits+1)/2
	} else {
		end = pos + digits
	}
	if end > len(b) {
		return 0, pos, ErrTruncated
	}
	zero := zeroOf(e)
	for i, c := range b[pos:end] {
		switch {
		case e != encodingBCD && c-zero <= 9:
			n = n*10 + int(c-zero)
		case e == encodingBCD && c>>4 <= 9 && c&0xF <= 9 && (digits%2 == 0 || i > 0 || c>>4 == 0):
			n = n*100 + int(c>>4)*10 + int(c&0xF)
		default:
			return 0, pos, ErrLength
		}
	}
	return n, end, nil
}
