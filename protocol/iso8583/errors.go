package iso8583

import (
	"errors"
	"fmt"
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
	// ErrMalformed: the nibble beside an odd number of BCD digits is not the fill, or a tag is to be put
	// into data that are no TLV.
	ErrMalformed = errors.New("malformed")
	// ErrNoMAC: the message has no MAC field, or the dialect no MAC.
	ErrNoMAC = errors.New("no MAC")
	// ErrDialect: a Dialect cannot be used as it is.
	ErrDialect = errors.New("unusable dialect")
)

// FieldError says where a message is wrong, and in what way. Field 0 is the MTI, 1 the bitmap, -1 the
// header.
type FieldError struct {
	Field int
	Err   error // one of the reasons above
}

func (e *FieldError) Error() string {
	switch e.Field {
	case fieldHeader:
		return fmt.Sprintf("header: %v", e.Err)
	case 0:
		return fmt.Sprintf("MTI: %v", e.Err)
	case 1:
		return fmt.Sprintf("bitmap: %v", e.Err)
	}
	return fmt.Sprintf("field %d: %v", e.Field, e.Err)
}

// Unwrap gives the reason.
func (e *FieldError) Unwrap() error { return e.Err }
