package tap

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

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
		out := make([]byte, 0, len(text))
		enc := e.NewEncoder()
		for _, r := range text {
			if r < utf8.RuneSelf {
				out = append(out, byte(r))
				continue
			}
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

// plain says that a row is printable ASCII, a column a character.
func plain(row string) bool {
	for i := range len(row) {
		if row[i] < ' ' || row[i] > '~' {
			return false
		}
	}
	return true
}

// wrap cuts a row where the next character has no room; it gives at least one row. Columns 0
// means that there is room for all.
func wrap(row string, columns int) []string {
	if plain(row) && (columns <= 0 || len(row) <= columns) {
		return []string{row}
	}
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
	if r < utf8.RuneSelf {
		return 1
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}
