package iso8583

import (
	"fmt"
	"strings"
)

// fieldHeader stands for the header in errors and spans.
const fieldHeader = -1

// headerDigits is the number of digits of the header.
func (d Dialect) headerDigits() (n int) {
	for _, p := range d.Header {
		n += p.Length
	}
	return n
}

func (d Dialect) headerEncoding() encoding {
	if d.HeaderEncoding == "ascii" {
		return encodingASCII
	}
	return encodingBCD
}

func (d Dialect) ownHeader() string {
	var b strings.Builder
	for _, p := range d.Header {
		b.WriteString(p.Value)
	}
	return b.String()
}

func (c *Codec) appendHeader(dst []byte, header string) ([]byte, error) {
	if c.headerEntry == nil {
		if header != "" {
			return dst, &FieldError{Field: fieldHeader, Err: ErrUnknownField}
		}
		return dst, nil
	}
	if header == "" {
		header = c.ownHeader
	}
	if reason := c.headerEntry.refuse(header); reason != nil {
		return dst, &FieldError{Field: fieldHeader, Err: reason}
	}
	return c.headerEntry.append(dst, header), nil
}

// readHeader appends the header's digits to text.
func (c *Codec) readHeader(text, b []byte) ([]byte, error) {
	if c.headerEntry == nil {
		return text, nil
	}
	if len(b) < c.headerBytes {
		return text, &FieldError{Field: fieldHeader, Err: ErrTruncated}
	}
	text, err := c.headerEntry.decode(text, b[:c.headerBytes], c.headerEntry.most)
	if err != nil {
		return text, &FieldError{Field: fieldHeader, Err: err}
	}
	return text, nil
}

// ReplyHeader gives the header of the reply to a request with this header: every part is what the
// dialect takes over from the request (a TPDU's addresses change places), else its own value.
// A request header of the wrong length counts as the dialect's own.
func (c *Codec) ReplyHeader(request string) string {
	if len(request) != len(c.ownHeader) {
		request = c.ownHeader
	}
	var b strings.Builder
	for _, p := range c.dialect.Header {
		value := p.Value
		if p.Reply != "" {
			value, _ = c.HeaderPart(request, p.Reply) // validated with the dialect
		}
		b.WriteString(value)
	}
	return b.String()
}

// HeaderPart gives the named part's digits. It is false for a part that the dialect does not have
// and a header of the wrong length; the header "" is the dialect's own.
func (c *Codec) HeaderPart(header, name string) (string, bool) {
	if header == "" {
		header = c.ownHeader
	}
	start, end, ok := c.dialect.headerPart(name)
	if !ok || len(header) != len(c.ownHeader) {
		return "", false
	}
	return header[start:end], true
}

// SetHeaderPart gives the header with the named part replaced; the header "" is the dialect's own.
// Errors: a *PathError for an unknown part, a *FieldError for a value or header that does not fit.
func (c *Codec) SetHeaderPart(header, name, value string) (string, error) {
	if header == "" {
		header = c.ownHeader
	}
	start, end, ok := c.dialect.headerPart(name)
	switch {
	case !ok:
		return "", &PathError{Path: "header." + name, What: "part of the header", Word: name, Known: c.dialect.headerNames()}
	case len(header) != len(c.ownHeader) || len(value) != end-start:
		return "", &FieldError{Field: fieldHeader, Err: fmt.Errorf("%w: part %s", ErrLength, name)}
	case !digits(value):
		return "", &FieldError{Field: fieldHeader, Err: fmt.Errorf("%w: part %s", ErrCharacters, name)}
	}
	return header[:start] + value + header[end:], nil
}

// headerPart says where a part lies in the header's digits.
func (d Dialect) headerPart(name string) (start, end int, ok bool) {
	for _, p := range d.Header {
		if p.Name == name {
			return start, start + p.Length, true
		}
		start += p.Length
	}
	return 0, 0, false
}

func (d Dialect) headerNames() []string {
	var names []string
	for _, p := range d.Header {
		names = append(names, p.Name)
	}
	return names
}
