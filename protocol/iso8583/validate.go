package iso8583

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/assay-hil/assay/protocol/mac"
)

const (
	lastField      = 128 // a secondary bitmap goes so far
	lastOfFirst    = 64
	fieldThirdBits = 65      // announces a third bitmap, which ISO 8583:1987 does not have
	longestMessage = 1 << 20 // bounds what a peer can make us allocate
	longestFixed   = 999
	longestHeader  = 64 // digits
)

// DialectError is one fault of a dialect.
type DialectError struct {
	Dialect string
	// Section is where: "framing", "header", "mac", "fields" (Field says which), or "" for the dialect's own words.
	Section string
	Field   int
	Text    string
}

func (e *DialectError) Error() string { return fmt.Sprintf("%v %q: %s", ErrDialect, e.Dialect, e.Text) }

// Unwrap gives ErrDialect.
func (e *DialectError) Unwrap() error { return ErrDialect }

// Validate says everything that makes the dialect unusable, a *DialectError a fault, in the order of
// fields. Errors wrap ErrDialect.
func (d Dialect) Validate() error {
	var faults []error
	fault := func(section string, field int, texts ...string) {
		for _, text := range texts {
			faults = append(faults, &DialectError{d.Name, section, field, text})
		}
	}
	if d.Name == "" {
		fault("", 0, "it has no name")
	}
	if err := d.Framing.validate(); err != nil {
		fault("framing", 0, err.Error())
	}
	fault("", 0, d.wordFaults()...)
	fault("header", 0, d.headerFaults()...)
	if len(d.Fields) == 0 {
		fault("fields", 0, "it has no fields")
	}
	for _, n := range slices.Sorted(maps.Keys(d.Fields)) {
		if n < 2 || n > lastField || n == fieldThirdBits {
			fault("fields", n, fmt.Sprintf("field %d: numbers go from 2 to %d, without %d", n, lastField, fieldThirdBits))
			continue
		}
		for _, text := range d.faults(d.Fields[n]) {
			fault("fields", n, fmt.Sprintf("field %d: %s", n, text))
		}
	}
	fault("mac", 0, d.macFaults()...)
	return errors.Join(faults...)
}

// wordFaults says which of the dialect's own words are not known.
func (d Dialect) wordFaults() (texts []string) {
	if d.Bitmap != "hex" && d.Bitmap != "binary" {
		texts = append(texts, fmt.Sprintf("bitmap %q: want hex or binary", d.Bitmap))
	}
	if !slices.Contains([]string{"", "ascii", "bcd", "ebcdic"}, d.Digits) {
		texts = append(texts, fmt.Sprintf("digits %q: want ascii, bcd or ebcdic", d.Digits))
	}
	if !slices.Contains([]string{"", "ascii", "ebcdic"}, d.Text) {
		texts = append(texts, fmt.Sprintf("text %q: want ascii or ebcdic", d.Text))
	}
	if !slices.Contains([]string{"", "hex", "binary"}, d.Binary) {
		texts = append(texts, fmt.Sprintf("binary %q: want hex or binary", d.Binary))
	}
	if !slices.Contains([]string{"", "ascii", "bcd"}, d.HeaderEncoding) {
		texts = append(texts, fmt.Sprintf("header-encoding %q: want bcd or ascii", d.HeaderEncoding))
	}
	return texts
}

func (d Dialect) headerFaults() (texts []string) {
	seen := map[string]bool{}
	for i, p := range d.Header {
		switch {
		case p.Name == "" || strings.Contains(p.Name, "."):
			texts = append(texts, fmt.Sprintf("header part %d: name %q: want a word without dots", i+1, p.Name))
		case seen[p.Name]:
			texts = append(texts, fmt.Sprintf("header part %q is there twice", p.Name))
		}
		seen[p.Name] = true
		if p.Length < 1 || len(p.Value) != p.Length || !digits(p.Value) {
			texts = append(texts, fmt.Sprintf("header part %q: value %q: want %d digits", p.Name, p.Value, p.Length))
		}
		if _, _, ok := d.headerPart(p.Reply); p.Reply != "" && (!ok || d.partLength(p.Reply) != p.Length) {
			texts = append(texts, fmt.Sprintf("header part %q: reply %q: want the name of a part of %d digits", p.Name, p.Reply, p.Length))
		}
	}
	n := d.headerDigits()
	if n > longestHeader {
		texts = append(texts, fmt.Sprintf("header of %d digits, at most %d", n, longestHeader))
	}
	if n%2 != 0 && d.headerEncoding() == encodingBCD {
		texts = append(texts, fmt.Sprintf("header: %d digits do not fill bytes", n))
	}
	return texts
}

// partLength is the number of digits of a part of the header.
func (d Dialect) partLength(name string) int {
	start, end, _ := d.headerPart(name)
	return end - start
}

func (d Dialect) macFaults() (texts []string) {
	if d.MAC == nil {
		return nil
	}
	if !slices.Contains(mac.Names, d.MAC.Algorithm) {
		texts = append(texts, fmt.Sprintf("MAC algorithm %q: want one of %s", d.MAC.Algorithm, strings.Join(mac.Names, ", ")))
	}
	if d.MAC.Field != lastOfFirst && d.MAC.Field != lastField {
		return append(texts, fmt.Sprintf("MAC in field %d: want %d or %d", d.MAC.Field, lastOfFirst, lastField))
	}
	fields := []int{d.MAC.Field}
	if d.MAC.Field == lastOfFirst && slices.Max(append(slices.Collect(maps.Keys(d.Fields)), 0)) > lastOfFirst {
		fields = append(fields, lastField)
	}
	for _, n := range fields {
		if f := d.Fields[n]; f.Type != "b" || f.Var != 0 || f.Length != macLength {
			texts = append(texts, fmt.Sprintf("MAC: field %d must be there, of type b and length %d", n, macLength))
		}
	}
	return texts
}

// faults says what is wrong with one field.
func (d Dialect) faults(f Field) (texts []string) {
	if f.Name == "" {
		texts = append(texts, "it has no name")
	}
	if !slices.Contains([]string{"n", "an", "ans", "z", "b"}, f.Type) {
		texts = append(texts, fmt.Sprintf("type %q: want n, an, ans, z or b", f.Type))
	}
	if !slices.Contains([]string{"", "pan", "track", "pin", "key"}, f.Sensitive) {
		texts = append(texts, fmt.Sprintf("sensitive %q: want pan, track, pin, key or nothing", f.Sensitive))
	}
	longest := map[int]int{0: longestFixed, 2: 99, 3: 999}[f.Var]
	switch {
	case longest == 0:
		texts = append(texts, fmt.Sprintf("var %d: want 0, 2 or 3 length digits", f.Var))
	case f.Length < 1:
		texts = append(texts, fmt.Sprintf("length %d: want 1 or more", f.Length))
	case d.units(f) > longest:
		texts = append(texts, fmt.Sprintf("length %d: %d on the wire, at most %d", f.Length, d.units(f), longest))
	}
	texts = append(texts, encodingFaults(f)...)
	return append(texts, partFaults(f)...)
}

// units is what length digits say of the longest value.
func (d Dialect) units(f Field) int { return d.entryOf(0, f).most }

func encodingFaults(f Field) (texts []string) {
	want := []string{"ascii", "ebcdic"}
	switch f.Type {
	case "n", "z":
		want = append(want, "bcd")
	case "b":
		want = []string{"binary", "hex"}
	}
	if f.Encoding != "" && !slices.Contains(want, f.Encoding) {
		texts = append(texts, fmt.Sprintf("encoding %q: want %s for type %s", f.Encoding, strings.Join(want, " or "), f.Type))
	}
	if !slices.Contains([]string{"", "left", "right"}, f.Align) {
		texts = append(texts, fmt.Sprintf("align %q: want left or right", f.Align))
	}
	return texts
}

func partFaults(f Field) (texts []string) {
	if f.TLV && (f.Type != "b" || len(f.Parts) > 0) {
		texts = append(texts, "tlv: only a field of type b without parts has tags")
	}
	seen, total := map[string]bool{}, 0
	for i, p := range f.Parts {
		switch {
		case p.Name == "" || strings.Contains(p.Name, ".") || digits(p.Name):
			texts = append(texts, fmt.Sprintf("part %d: name %q: want a word without dots", i+1, p.Name))
		case seen[p.Name]:
			texts = append(texts, fmt.Sprintf("part %q is there twice", p.Name))
		}
		if p.Length < 0 || p.Length == 0 && i < len(f.Parts)-1 {
			texts = append(texts, fmt.Sprintf("part %q: length %d: only the last part may be the rest (0)", p.Name, p.Length))
		}
		seen[p.Name] = true
		total += p.Length
	}
	length := f.Length
	if f.Type == "b" {
		length *= 2 // parts count characters of the value, which is hexadecimal
	}
	if total > length {
		texts = append(texts, fmt.Sprintf("parts: %d characters together, the field has %d", total, length))
	}
	return texts
}
