package iso8583

import (
	"fmt"
	"maps"
)

// Message is a message with its values as they are on the wire: nothing is padded, trimmed
// or converted, except that b fields are upper-case hexadecimal and that packed track 2 has '='
// between card number and expiry date (either '=' or 'D' may be given; both become the nibble D).
type Message struct {
	// Header has the digits of the dialect's header; "" in a message to pack is its own values.
	Header string
	MTI    string // 4 digits, for example "0200"
	Fields map[int]string
	broken bool // from bytes that Unpack refuses: values may be in the wrong fields
}

// Codec packs and unpacks the messages of one dialect. It is safe for concurrent use.
type Codec struct {
	dialect     Dialect
	entries     [lastField + 1]*entry
	cards       []*entry // those in which a card number is looked for
	mtiEntry    *entry
	headerEntry *entry // nil without a header
	ownHeader   string // of a request that says nothing else
	headerBytes int
	digits      encoding
	hexBitmap   bool
	leaps       [256]int // see leap
}

// NewCodec makes a codec for a valid dialect. Errors wrap ErrDialect.
func NewCodec(d Dialect) (*Codec, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	d.Fields = maps.Clone(d.Fields)
	c := &Codec{dialect: d, digits: d.digitEncoding(), hexBitmap: d.Bitmap == "hex"}
	c.mtiEntry = &entry{kind: "n", encoding: c.digits, most: mtiLength, fixed: true}
	if length := d.headerDigits(); length > 0 {
		c.headerEntry = &entry{kind: "n", encoding: d.headerEncoding(), most: length, fixed: true}
		c.headerBytes = c.headerEntry.wire(length)
		c.ownHeader = d.ownHeader()
	}
	for n, f := range d.Fields {
		c.entries[n] = d.entryOf(n, f)
		if f.Sensitive == "pan" || f.Sensitive == "track" {
			c.cards = append(c.cards, c.entries[n])
		}
	}
	c.makeLeaps()
	return c, nil
}

// Dialect gives the dialect that the codec was made for; it must not be changed.
func (c *Codec) Dialect() Dialect { return c.dialect }

// typicalLength is the room that Pack begins with: most messages take less.
const typicalLength = 512

// Pack gives the message's bytes, without a frame. A value that the dialect does not allow is
// a *FieldError.
func (c *Codec) Pack(m Message) ([]byte, error) {
	b, err := c.Append(make([]byte, 0, typicalLength), m)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// Append appends the message's bytes to dst, like Pack. With an error dst is unchanged.
func (c *Codec) Append(dst []byte, m Message) ([]byte, error) {
	var values [lastField + 1]string
	fields, beyond, err := present(m, &values)
	if err != nil {
		return dst, err
	}
	out, err := c.appendHeader(dst, m.Header)
	if err != nil {
		return dst, err
	}
	out = c.mtiEntry.append(out, m.MTI)
	out = c.appendBitmap(out, fields)
	for n := fields.next(1); n > 0; n = fields.next(n) {
		e := c.entries[n]
		if e == nil {
			return dst, &FieldError{Field: n, Err: ErrUnknownField}
		}
		value := values[n]
		if reason := e.refuse(value); reason != nil {
			return dst, &FieldError{Field: n, Err: reason}
		}
		out = e.append(out, value)
	}
	if beyond > 0 {
		return dst, &FieldError{Field: beyond, Err: ErrUnknownField}
	}
	if n := len(out) - len(dst); n > c.dialect.Framing.MaxLength {
		return dst, fmt.Errorf("%w: %d bytes, at most %d", ErrFrameLength, n, c.dialect.Framing.MaxLength)
	}
	return out, nil
}

// present checks the MTI and sorts a message's fields by number; beyond is the lowest above
// the last that there can be.
func present(m Message, values *[lastField + 1]string) (fields fieldSet, beyond int, err error) {
	if len(m.MTI) != mtiLength {
		return fields, 0, &FieldError{Field: 0, Err: ErrLength}
	}
	if !digits(m.MTI) {
		return fields, 0, &FieldError{Field: 0, Err: ErrCharacters}
	}
	lowest := 2
	for n, value := range m.Fields {
		switch {
		case n < 2:
			lowest = min(lowest, n)
		case n <= lastField:
			fields.add(n)
			values[n] = value
		case beyond == 0 || n < beyond:
			beyond = n
		}
	}
	if lowest < 2 {
		return fields, 0, &FieldError{Field: lowest, Err: ErrUnknownField}
	}
	return fields, beyond, nil
}

// Unpack reads one whole message, without its frame. The error is a *FieldError or ErrTrailing; no
// part of a broken message is returned.
func (c *Codec) Unpack(b []byte) (Message, error) {
	m, err := c.read(b, false)
	if err != nil {
		return Message{}, err
	}
	return m, nil
}

// UnpackPartial is Unpack, but gives with an error what could be read nevertheless: a value with
// wrong characters is left out, and what follows a field whose end cannot be told. It is for
// answering a broken message. The values may be shifted into the wrong fields, parts of a card number into
// any: they do not belong in logs, and Masked hides them.
func (c *Codec) UnpackPartial(b []byte) (Message, error) { return c.read(b, true) }

// textRoom is the room for a message's values on the stack.
const textRoom = 1024

// read decodes all values into one text, of which the message's values are parts: one allocation
// instead of one a field.
func (c *Codec) read(b []byte, partial bool) (Message, error) {
	var room [textRoom]byte
	var ends [lastField + 1]int32
	p, err := c.preamble(b)
	text, headerErr := c.readHeader(room[:0], b)
	if headerErr != nil {
		return Message{}, headerErr
	}
	header := len(text)
	if err != nil && (!partial || p.digits[0] == 0) {
		return Message{Header: string(text)}, err
	}
	text = append(text, p.digits[:]...)
	if err != nil {
		all := string(text)
		return Message{Header: all[:header], MTI: all[header:]}, err
	}
	have, text, err := c.readFields(text, &ends, b, p, partial)
	if err != nil && !partial {
		return Message{}, err
	}
	all := string(text)
	m := Message{Header: all[:header], MTI: all[header : header+mtiLength], Fields: make(map[int]string, have.count()), broken: err != nil}
	from := header + mtiLength
	for n := have.next(1); n > 0; n = have.next(n) {
		m.Fields[n] = all[from:ends[n]]
		from = int(ends[n])
	}
	return m, err
}

// readFields appends the values to text and notes in ends where each ends.
func (c *Codec) readFields(text []byte, ends *[lastField + 1]int32, b []byte, p preamble, partial bool) (have fieldSet, _ []byte, first error) {
	pos := p.body
	for n := p.fields.next(1); n > 0; n = p.fields.next(n) {
		e := c.entries[n]
		if e == nil {
			return have, text, earliest(first, n, ErrUnknownField)
		}
		units, value, end, err := e.extent(b, pos)
		if err != nil {
			return have, text, earliest(first, n, err)
		}
		pos = end
		grown, err := e.decode(text, b[value:end], units)
		if err != nil {
			first = earliest(first, n, err)
			if !partial {
				return have, text, first
			}
			continue
		}
		text = grown
		have.add(n)
		ends[n] = int32(len(text))
	}
	if pos != len(b) && first == nil {
		first = ErrTrailing
	}
	return have, text, first
}

// earliest keeps the first error of a message.
func earliest(first error, n int, reason error) error {
	if first != nil {
		return first
	}
	return &FieldError{Field: n, Err: reason}
}
