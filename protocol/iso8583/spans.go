package iso8583

// Span says where a field lies in a packed message: Start to Value its length digits, Value to
// End its value. Field 0 is the MTI, 1 the bitmap (both, where there are two), -1 the header.
type Span struct{ Field, Start, Value, End int }

// Spans gives the parts of a packed message in the order of the wire. It looks at lengths only, not at
// values; with an error it gives the parts before the place where the message cannot be followed.
func (c *Codec) Spans(payload []byte) ([]Span, error) {
	p, err := c.preamble(payload)
	spans := make([]Span, 0, p.fields.count()+3) // and header, MTI, bitmap
	if c.headerBytes > 0 && len(payload) >= c.headerBytes {
		spans = append(spans, Span{Field: fieldHeader, End: c.headerBytes})
	}
	if p.digits[0] != 0 {
		spans = append(spans, Span{0, p.mti, p.mti, p.bitmap})
	}
	if err != nil {
		return spans, err
	}
	spans = append(spans, Span{1, p.bitmap, p.bitmap, p.body})
	pos := p.body
	for n := p.fields.next(1); n > 0; n = p.fields.next(n) {
		e := c.entries[n]
		if e == nil {
			return spans, &FieldError{Field: n, Err: ErrUnknownField}
		}
		_, value, end, err := e.extent(payload, pos)
		if err != nil {
			return spans, &FieldError{Field: n, Err: err}
		}
		spans = append(spans, Span{n, pos, value, end})
		pos = end
	}
	if pos != len(payload) {
		return spans, ErrTrailing
	}
	return spans, nil
}
