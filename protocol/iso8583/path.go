package iso8583

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/assay-hil/assay/protocol/nearest"
)

// Path names a value of a message: "mti", a field ("4"), a part of one by name or place ("60.batch",
// "60.2"), a tag of a TLV field ("55.9F26"), or a part of the header ("header.processing-request").
// Codec.Path makes one; it belongs to the codec's dialect. The zero Path names nothing.
type Path struct {
	text       string
	kind       pathKind
	field      int
	start, end int    // characters of a part; end 0 is the value's
	name       string // a tag, or a part of the header
}

type pathKind uint8

const (
	pathNone pathKind = iota
	pathMTI
	pathHeader
	pathField
	pathPart
	pathTag
)

// String gives the path as it was written.
func (p Path) String() string { return p.text }

// IsZero says that the path names nothing.
func (p Path) IsZero() bool { return p.kind == pathNone }

// Field is the number of the field that the path is about: 0 for the MTI, -1 for the header.
func (p Path) Field() int { return p.field }

// PathError says that a dialect has no such path.
type PathError struct {
	Path  string
	What  string   // what Word should have been: "field", "part of field 60", …
	Word  string   // the unknown word in Path
	Known []string // the words that there are; nil where Hint says what is needed
	Hint  string
}

func (e *PathError) Error() string {
	if e.Hint != "" {
		return fmt.Sprintf("path %q: %s", e.Path, e.Hint)
	}
	return fmt.Sprintf("path %q: %s", e.Path, nearest.Unknown(e.What, e.Word, e.Known))
}

// Path reads a path and holds it against the dialect. The error is a *PathError that names the nearest
// valid word.
func (c *Codec) Path(s string) (Path, error) {
	head, rest, inside := strings.Cut(s, ".")
	switch {
	case s == "mti":
		return Path{text: s, kind: pathMTI}, nil
	case head == "header" && inside:
		if _, _, ok := c.dialect.headerPart(rest); !ok {
			return Path{}, &PathError{Path: s, What: "part of the header", Word: rest, Known: c.dialect.headerNames()}
		}
		return Path{text: s, kind: pathHeader, field: fieldHeader, name: rest}, nil
	}
	n, err := strconv.Atoi(head)
	f, known := c.dialect.Fields[n]
	if err != nil || !known || strconv.Itoa(n) != head {
		return Path{}, &PathError{Path: s, What: "field", Word: head, Known: c.pathHeads()}
	}
	p := Path{text: s, kind: pathField, field: n}
	switch {
	case !inside:
		return p, nil
	case f.TLV:
		if hint := tagFault(rest); hint != "" {
			return Path{}, &PathError{Path: s, Word: rest, Hint: hint}
		}
		p.kind, p.name = pathTag, rest
		return p, nil
	}
	return c.partPath(p, f, rest)
}

// pathHeads are the words that a path may begin with.
func (c *Codec) pathHeads() []string {
	heads := []string{"mti"}
	if len(c.dialect.Header) > 0 {
		heads = append(heads, "header")
	}
	for _, n := range slices.Sorted(maps.Keys(c.dialect.Fields)) {
		heads = append(heads, strconv.Itoa(n))
	}
	return heads
}

func (c *Codec) partPath(p Path, f Field, word string) (Path, error) {
	var names []string
	start := 0
	for i, part := range f.Parts {
		if part.Name == word || strconv.Itoa(i+1) == word {
			p.kind, p.start, p.end = pathPart, start, start+part.Length
			if part.Length == 0 {
				p.end = 0
			}
			return p, nil
		}
		names = append(names, part.Name)
		start += part.Length
	}
	return Path{}, &PathError{Path: p.text, What: fmt.Sprintf("part of field %d", p.field), Word: word, Known: names}
}

// Get gives the value at a path; false where the message has none.
func (c *Codec) Get(m Message, p Path) (string, bool) {
	switch p.kind {
	case pathMTI:
		return m.MTI, m.MTI != ""
	case pathHeader:
		return c.HeaderPart(m.Header, p.name)
	}
	value, ok := m.Fields[p.field]
	if !ok {
		return "", false
	}
	switch p.kind {
	case pathField:
		return value, true
	case pathTag:
		_, start, end, found := findTag(value, p.name, 0, 0)
		if !found || !hexadecimal(value) {
			return "", false
		}
		return value[start:end], true
	case pathPart:
		end := p.end
		if end == 0 {
			end = len(value)
		}
		if p.start > len(value) || end > len(value) || p.start == end {
			return "", false
		}
		return value[p.start:end], true
	}
	return "", false
}

// Set puts a value at a path, in m's own map. A part has its fixed length, unless it is the rest; one
// that begins where a value ends is appended to it. Whether the dialect can write the value is for Pack
// to say. The error is a *FieldError.
func (c *Codec) Set(m *Message, p Path, value string) error {
	if m.Fields == nil {
		m.Fields = map[int]string{}
	}
	switch p.kind {
	case pathMTI:
		m.MTI = value
	case pathHeader:
		header, err := c.SetHeaderPart(m.Header, p.name, value)
		if err != nil {
			return err
		}
		m.Header = header
	case pathField:
		m.Fields[p.field] = value
	case pathTag:
		data, err := setTag(m.Fields[p.field], p.name, value)
		if err != nil {
			return &FieldError{Field: p.field, Err: err}
		}
		m.Fields[p.field] = data
	case pathPart:
		whole, err := setPart(m.Fields[p.field], p.start, p.end, value)
		if err != nil {
			return &FieldError{Field: p.field, Err: err}
		}
		m.Fields[p.field] = whole
	default:
		return &FieldError{Field: p.field, Err: ErrUnknownField}
	}
	return nil
}

// setPart replaces the characters from start to end; end 0 is the rest.
func setPart(whole string, start, end int, value string) (string, error) {
	switch {
	case start > len(whole):
		return "", fmt.Errorf("%w: the parts before are missing", ErrLength)
	case end == 0 || end >= len(whole):
		if end != 0 && len(value) != end-start {
			return "", ErrLength
		}
		return whole[:start] + value, nil
	case len(value) != end-start:
		return "", ErrLength
	}
	return whole[:start] + value + whole[end:], nil
}
