package iso8583

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

const (
	lastField       = 128     // a secondary bitmap goes so far
	fieldThirdBits  = 65      // announces a third bitmap, which ISO 8583:1987 does not have
	longestMessage  = 1 << 20 // bounds what a peer can make us allocate
	longestTwoBytes = 1<<16 - 1
	longestFixed    = 999
)

// Validate says everything that makes the dialect unusable, a line a fault in the order of
// fields. Errors wrap ErrDialect.
func (d Dialect) Validate() error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("%w %q: %s", ErrDialect, d.Name, fmt.Sprintf(format, args...)))
	}
	if d.Name == "" {
		fault("it has no name")
	}
	if err := d.Framing.validate(); err != nil {
		fault("%v", err)
	}
	if d.Bitmap != "hex" && d.Bitmap != "binary" {
		fault("bitmap %q: want hex or binary", d.Bitmap)
	}
	if len(d.Fields) == 0 {
		fault("it has no fields")
	}
	for _, n := range slices.Sorted(maps.Keys(d.Fields)) {
		if n < 2 || n > lastField || n == fieldThirdBits {
			fault("field %d: numbers go from 2 to %d, without %d", n, lastField, fieldThirdBits)
			continue
		}
		for _, text := range d.faults(d.Fields[n]) {
			fault("field %d: %s", n, text)
		}
	}
	return errors.Join(faults...)
}

// faults says what is wrong with one field.
func (d Dialect) faults(f Field) (texts []string) {
	if f.Name == "" {
		texts = append(texts, "it has no name")
	}
	if !slices.Contains([]string{"n", "an", "ans", "z", "b"}, f.Type) {
		texts = append(texts, fmt.Sprintf("type %q: want n, an, ans, z or b", f.Type))
	}
	if !slices.Contains([]string{"", "pan", "track", "pin"}, f.Sensitive) {
		texts = append(texts, fmt.Sprintf("sensitive %q: want pan, track, pin or nothing", f.Sensitive))
	}
	longest := map[int]int{0: longestFixed, 2: 99, 3: 999}[f.Var]
	switch {
	case longest == 0:
		texts = append(texts, fmt.Sprintf("var %d: want 0, 2 or 3 length digits", f.Var))
	case f.Length < 1:
		texts = append(texts, fmt.Sprintf("length %d: want 1 or more", f.Length))
	case d.units(f, f.Length) > longest:
		texts = append(texts, fmt.Sprintf("length %d: %d on the wire, at most %d", f.Length, d.units(f, f.Length), longest))
	}
	return texts
}

// validate says why nothing can be framed this way.
func (f Framing) validate() error {
	longest := 0
	switch f.LengthBytes {
	case 2:
		longest = longestTwoBytes
	case 4:
		longest = longestMessage
	default:
		return fmt.Errorf("%w: %d length bytes, want 2 or 4", ErrFraming, f.LengthBytes)
	}
	if f.MaxLength < 1 || f.MaxLength > longest {
		return fmt.Errorf("%w: longest message %d bytes, want 1 to %d", ErrFraming, f.MaxLength, longest)
	}
	return nil
}

// ErrFraming: a Framing cannot be used as it is.
var ErrFraming = errors.New("unusable framing")
