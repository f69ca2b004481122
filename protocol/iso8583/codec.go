package iso8583

import (
	"encoding/hex"
	"fmt"
	"maps"
	"strconv"
	"strings"

	moov "github.com/moov-io/iso8583"
)

// Message is a message with its values as they are on the wire: nothing is padded, trimmed
// or converted, except that b fields are upper-case hexadecimal.
type Message struct {
	MTI    string // 4 digits, for example "0200"
	Fields map[int]string
}

// Codec packs and unpacks the messages of one dialect. It is safe for concurrent use.
type Codec struct {
	dialect Dialect
	spec    *moov.MessageSpec
}

// NewCodec makes a codec for a valid dialect. Errors wrap ErrDialect.
func NewCodec(d Dialect) (*Codec, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	d.Fields = maps.Clone(d.Fields)
	return &Codec{dialect: d, spec: spec(d)}, nil
}

// Dialect gives the dialect that the codec was made for; it must not be changed.
func (c *Codec) Dialect() Dialect { return c.dialect }

// Pack gives the message's bytes, without a frame. A value that the dialect does not allow is
// a *FieldError.
func (c *Codec) Pack(m Message) (b []byte, err error) {
	defer recovered(&err)
	if err := c.check(m); err != nil {
		return nil, err
	}
	out := moov.NewMessage(c.spec)
	out.MTI(m.MTI)
	for n, value := range m.Fields {
		if err := c.set(out, n, value); err != nil {
			return nil, &FieldError{Field: n, Err: ErrMalformed}
		}
	}
	b, err = out.Pack()
	if err != nil {
		return nil, c.refused(err)
	}
	if len(b) > c.dialect.Framing.MaxLength {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrFrameLength, len(b), c.dialect.Framing.MaxLength)
	}
	return b, nil
}

// set hands one value to the library, as text or as bytes.
func (c *Codec) set(out *moov.Message, n int, value string) error {
	if c.dialect.Fields[n].Type != "b" || c.dialect.hexadecimal() {
		return out.Field(n, value)
	}
	raw, err := hex.DecodeString(value)
	if err != nil {
		return err
	}
	return out.BinaryField(n, raw)
}

// Unpack reads one whole message, without its frame. The error is a *FieldError, ErrTrailing
// or ErrMalformed; no part of a broken message is returned.
func (c *Codec) Unpack(b []byte) (m Message, err error) {
	defer recovered(&err)
	in := moov.NewMessage(c.spec)
	if err := in.Unpack(b); err != nil {
		return Message{}, c.refused(err)
	}
	if in.Bitmap().Len() > lastField {
		return Message{}, &FieldError{Field: 1, Err: ErrBitmap}
	}
	m, err = c.values(in)
	if err != nil {
		return Message{}, err
	}
	if err := c.check(m); err != nil {
		return Message{}, err
	}
	if c.length(m, in.Bitmap().Len()) != len(b) {
		return Message{}, ErrTrailing
	}
	return m, nil
}

// values takes the fields out of the library's message.
func (c *Codec) values(in *moov.Message) (Message, error) {
	fields := in.GetFields()
	m := Message{Fields: make(map[int]string, len(fields))}
	for n, f := range fields {
		if n == 1 {
			continue
		}
		value, err := f.String()
		if err != nil {
			return Message{}, &FieldError{Field: n, Err: ErrMalformed}
		}
		switch {
		case n == 0:
			m.MTI = value
		case c.dialect.Fields[n].Type == "b":
			m.Fields[n] = strings.ToUpper(value)
		default:
			m.Fields[n] = value
		}
	}
	return m, nil
}

// length is how many bytes the message takes, which the library does not tell: it ignores
// whatever follows the last field.
func (c *Codec) length(m Message, bitmapBits int) int {
	total := mtiLength + bitmapBits/8
	if c.dialect.hexadecimal() {
		total += bitmapBits / 8
	}
	for n, value := range m.Fields {
		f := c.dialect.Fields[n]
		total += f.Var + c.dialect.units(f, characters(f, value))
	}
	return total
}

// Identity is what a message is told by, without reading all of it. A field that the message does not
// have is empty.
type Identity struct {
	MTI      string
	STAN     string // field 11
	Terminal string // field 41
}

// Identify reads only as far as field 41 and checks no value but those that it returns, so
// that it also works for messages that Unpack refuses. With an error, the part that could be
// read is still filled in.
func (c *Codec) Identify(payload []byte) (id Identity, err error) {
	defer recovered(&err)
	scan := moov.NewMessageScanner(c.spec, payload)
	mti, err := scan.ScanField(0)
	if err != nil {
		return id, c.refused(err)
	}
	value, err := mti.String()
	if err != nil || !digits(value) {
		return id, &FieldError{Field: 0, Err: ErrCharacters}
	}
	id.MTI = value
	bitmap, err := scan.ScanField(1)
	if err != nil {
		return id, c.refused(err)
	}
	present, err := bitmap.Bytes()
	if err != nil || len(present)*8 > lastField {
		return id, &FieldError{Field: 1, Err: ErrBitmap}
	}
	if id.STAN, err = c.scan(scan, present, fieldSTAN); err != nil {
		return id, err
	}
	id.Terminal, err = c.scan(scan, present, fieldTerminal)
	return id, err
}

// Fields that identify a message (ISO 8583:1987, 4.4.11 and 4.4.41).
const (
	fieldSTAN     = 11
	fieldTerminal = 41
)

// scan reads one field if the bitmap has it.
func (c *Codec) scan(s *moov.MessageScanner, present []byte, n int) (string, error) {
	if present[(n-1)/8]>>(7-(n-1)%8)&1 == 0 {
		return "", nil
	}
	f, err := s.ScanField(n)
	if err != nil {
		return "", c.refused(err)
	}
	value, err := f.String()
	if err != nil {
		return "", &FieldError{Field: n, Err: ErrMalformed}
	}
	if reason := c.dialect.Fields[n].refuse(value); reason != nil {
		return "", &FieldError{Field: n, Err: reason}
	}
	return value, nil
}

// recovered turns a panic of the library into an error. Its text is left out: it may quote
// the message.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: the library gave up", ErrMalformed)
	}
}

// number reads a field number as the library writes it.
func number(id string) (int, bool) {
	n, err := strconv.Atoi(id)
	return n, err == nil
}
