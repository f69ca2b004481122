package tap

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/width"
)

// ErrEncoding: the screen's encoding is none that the tap can write.
var ErrEncoding = errors.New("unknown screen encoding")

// encoder gives a function that never fails: what the encoding lacks becomes a question mark.
func encoder(name string) (func(string) []byte, error) {
	var e encoding.Encoding
	switch name {
	case "utf-8":
		return func(text string) []byte { return []byte(text) }, nil
	case "gbk":
		e = simplifiedchinese.GBK
	case "gb18030":
		e = simplifiedchinese.GB18030
	default:
		return nil, fmt.Errorf("%w %q", ErrEncoding, name)
	}
	return func(text string) []byte {
		var out []byte
		enc := e.NewEncoder()
		for _, r := range text {
			b, err := enc.Bytes([]byte(string(r)))
			if err != nil {
				b = []byte("?")
			}
			out = append(out, b...)
		}
		return out
	}, nil
}

// fit lays rows out on the glass: wraps the wide ones and cuts off what is below the last.
func (t *Tap) fit(rows []string) []string {
	limit := RowLimit
	if t.screen.Rows > 0 {
		limit = t.screen.Rows
	}
	var out []string
	for _, row := range rows {
		out = append(out, wrap(row, t.screen.Columns)...)
	}
	return out[:min(limit, len(out))]
}

// wrap cuts a row where the next character has no room; it gives at least one row. Columns 0
// means that there is room for all.
func wrap(row string, columns int) []string {
	var out []string
	var part strings.Builder
	used := 0
	for _, r := range row {
		if unicode.IsControl(r) {
			r = ' '
		}
		w := cells(r)
		if columns > 0 && used > 0 && used+w > columns {
			out = append(out, part.String())
			part.Reset()
			used = 0
		}
		part.WriteRune(r)
		used += w
	}
	return append(out, part.String())
}

// cells is how many columns a character takes.
func cells(r rune) int {
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}
