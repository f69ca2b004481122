package iso8583

import "slices"

// check looks at every value of a message; the first wrong field, by number, is reported.
func (c *Codec) check(m Message) error {
	if len(m.MTI) != mtiLength {
		return &FieldError{Field: 0, Err: ErrLength}
	}
	if !digits(m.MTI) {
		return &FieldError{Field: 0, Err: ErrCharacters}
	}
	var wrong []*FieldError
	for n, value := range m.Fields {
		f, known := c.dialect.Fields[n]
		if !known {
			wrong = append(wrong, &FieldError{Field: n, Err: ErrUnknownField})
		} else if reason := f.refuse(value); reason != nil {
			wrong = append(wrong, &FieldError{Field: n, Err: reason})
		}
	}
	if len(wrong) > 0 {
		return slices.MinFunc(wrong, func(a, b *FieldError) int { return a.Field - b.Field })
	}
	return nil
}

// refuse says why the field cannot have this value; nil if it can.
func (f Field) refuse(value string) error {
	allowed := f.allows()
	for i := range len(value) {
		if !allowed(value[i]) {
			return ErrCharacters
		}
	}
	if f.Type == "b" && len(value)%2 != 0 {
		return ErrLength
	}
	n := characters(f, value)
	if n > f.Length || f.Var == 0 && n != f.Length {
		return ErrLength
	}
	return nil
}

// characters is a value's length in the unit of Field.Length: bytes for b.
func characters(f Field, value string) int {
	if f.Type == "b" {
		return len(value) / 2
	}
	return len(value)
}

// allows gives the test for one character of the field's type; nothing is allowed in an
// unknown type.
func (f Field) allows() func(byte) bool {
	switch f.Type {
	case "n":
		return digit
	case "an":
		return func(c byte) bool { return digit(c) || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' }
	case "ans":
		return func(c byte) bool { return c >= ' ' && c <= '~' }
	case "z": // ISO/IEC 7813 track 2 without sentinels; D is the separator of chip data
		return func(c byte) bool { return digit(c) || c == '=' || c == 'D' }
	case "b":
		return func(c byte) bool { return digit(c) || c >= 'A' && c <= 'F' }
	}
	return func(byte) bool { return false }
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func digits(s string) bool {
	for i := range len(s) {
		if !digit(s[i]) {
			return false
		}
	}
	return true
}
