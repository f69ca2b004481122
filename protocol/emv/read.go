package emv

import "bytes"

// Data is a list of data objects as somebody sent it.
type Data struct {
	// Raw are the bytes as they came. Who passes the list on sends them and not List.Encode.
	Raw []byte
	// List are the objects, without padding. Values of constructed objects are as they came.
	List List
}

// Exact says whether the bytes are also what List.Encode gives: there was no padding and no length
// in more bytes than needed.
func (d Data) Exact() bool { return bytes.Equal(d.List.Encode(), d.Raw) }

// Read reads a list of BER-TLV objects as terminals send it in field 55. It lets pass what Parse
// does not: bytes 00 and FF before, between and after objects (EMV Book 3 annex B1, ISO/IEC 7816-4
// §5.2.2), also inside of constructed ones, and lengths of up to 3 bytes with needless zeros. FF is
// no padding where FF81 begins a tag of contactless kernels. b is copied. Errors: *SyntaxError.
func Read(b []byte) (Data, error) {
	if len(b) > MaxSize {
		return Data{}, &SyntaxError{"TLV", 0, ErrTooLong}
	}
	list, err := parse(b, 1, leniently)
	if err != nil {
		return Data{}, err
	}
	return Data{Raw: append([]byte{}, b...), List: list}, nil
}

// padding says whether b begins with a byte between objects.
func padding(b []byte) bool {
	return b[0] == 0x00 || b[0] == 0xFF && (len(b) == 1 || b[1] != 0x81)
}
