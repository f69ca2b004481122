package iso8583

import (
	"errors"
	"fmt"

	moov "github.com/moov-io/iso8583/errors"
)

// Reasons why bytes are not a message, or a message has no bytes. They are classes: no error
// of this package contains a field's value.
var (
	// ErrTrailing: bytes follow the last field that the bitmap announces.
	ErrTrailing = errors.New("bytes after the last field")
	// ErrTruncated: the message ends inside a field.
	ErrTruncated = errors.New("message ends inside the field")
	// ErrLength: the value is longer or shorter than the dialect allows, or its length digits
	// are no number.
	ErrLength = errors.New("wrong length")
	// ErrCharacters: a character that the field's type does not have.
	ErrCharacters = errors.New("character not allowed in this type of field")
	// ErrUnknownField: the dialect has no such field.
	ErrUnknownField = errors.New("not a field of this dialect")
	// ErrBitmap: the bitmap cannot be read, or announces fields beyond 128.
	ErrBitmap = errors.New("broken bitmap")
	// ErrMalformed: anything else that moov-io/iso8583 refuses.
	ErrMalformed = errors.New("malformed")
	// ErrDialect: a Dialect cannot be used as it is.
	ErrDialect = errors.New("unusable dialect")
)

// FieldError says where a message is wrong, and in what way. Field 0 is the MTI, 1 the bitmap.
type FieldError struct {
	Field int
	Err   error // one of the reasons above
}

func (e *FieldError) Error() string {
	switch e.Field {
	case 0:
		return fmt.Sprintf("MTI: %v", e.Err)
	case 1:
		return fmt.Sprintf("bitmap: %v", e.Err)
	}
	return fmt.Sprintf("field %d: %v", e.Field, e.Err)
}

// Unwrap gives the reason.
func (e *FieldError) Unwrap() error { return e.Err }

// reasons are looked for in an error of the library, in this order.
func reasons() []error { return []error{ErrTruncated, ErrLength, ErrCharacters} }

// refused turns an error of moov-io/iso8583 into one of ours. The library's own error must
// not go further: it carries the raw message, card number included.
func (c *Codec) refused(err error) error {
	field := -1
	var unpack *moov.UnpackError
	if errors.As(err, &unpack) {
		if n, known := number(unpack.FieldID); known {
			field = n
		}
	}
	reason := ErrMalformed
	for _, r := range reasons() {
		if errors.Is(err, r) {
			reason = r
			break
		}
	}
	switch _, known := c.dialect.Fields[field]; {
	case field == -1:
		return reason
	case field == 1:
		reason = ErrBitmap
	case field > 1 && !known:
		reason = ErrUnknownField
	}
	return &FieldError{Field: field, Err: reason}
}
