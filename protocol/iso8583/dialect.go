// Package iso8583 is what a terminal and a host must agree on: framing, field table, message
// types. It stands before github.com/moov-io/iso8583, which packs and unpacks the fields, and
// closes what that library leaves open: trailing bytes are an error, a frame has a length limit,
// values have the characters of their type, nothing is padded or trimmed, the library's panics
// are errors, and no error and no masked value shows a card number.
package iso8583

// Dialect is a host's way of speaking ISO 8583.
type Dialect struct {
	Name    string
	Framing Framing
	// Bitmap is "hex" (ASCII hexadecimal) or "binary". It decides how b fields are written too:
	// in a hex dialect they are hexadecimal text, and their length digits count characters.
	Bitmap string
	// Fields by number, 2 to 128. MTI and bitmap are implied: the MTI has the encoding of
	// numeric fields.
	Fields map[int]Field
}

// Framing says how a message is delimited on a stream.
type Framing struct {
	LengthBytes int // 2 or 4, binary, big endian, without itself
	MaxLength   int // longest accepted message
}

// Field describes one data element.
type Field struct {
	Name string
	// Type: "n" digits, "an" letters and digits, "ans" any printable, "z" track 2, "b" bytes.
	// On Message values, b fields are upper-case hexadecimal.
	Type string
	// Length: exact with Var 0, else the maximum (in characters; bytes for b).
	Length int
	// Var is the number of length digits: 0 fixed, 2 LLVAR, 3 LLLVAR.
	Var int
	// Sensitive fields never leave the process in clear: "pan", "track", "pin" or "" (free).
	Sensitive string
}
