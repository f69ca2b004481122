package network

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/assay-hil/assay/fixtures/strict"
)

// place is somewhere in a frame, its length included.
type place struct {
	from   int    // offset; from the end with fromEnd
	anchor string // "", "end", "length", "mti", "bitmap", "field", "value"
	field  int
}

var placeWords = []string{"0", "1", "last", "last-1", "after-length", "after-mti", "after-bitmap", "field:N", "value:N"}

// parsePlace reads the words that client.Vocabulary explains.
func parsePlace(s string) (place, error) {
	switch s {
	case "last":
		return place{anchor: "end", from: 1}, nil
	case "last-1":
		return place{anchor: "end", from: 2}, nil
	case "after-length":
		return place{anchor: "length"}, nil
	case "after-mti":
		return place{anchor: "mti"}, nil
	case "after-bitmap":
		return place{anchor: "bitmap"}, nil
	}
	anchor, number, named := strings.Cut(s, ":")
	if !named {
		anchor, number = "", s
	}
	n, err := strconv.Atoi(number)
	switch {
	case err != nil || n < 0 || !isDigits(number), named && anchor != "field" && anchor != "value":
		return place{}, fmt.Errorf("%s", strict.UnknownMessage("place", s, placeWords))
	case !named:
		return place{from: n}, nil
	case n < 2 || n > lastField:
		return place{}, fmt.Errorf("field %d: 2 to %d", n, lastField)
	}
	return place{anchor: anchor, field: n}, nil
}

// lastField is the greatest field number (ISO 8583:1987, 4.3).
const lastField = 128

// offset finds the place in a message's frame, if it has it.
func (p place) offset(m *passage) (int, bool) {
	s, raw := m.flow.connection.server, m.image.raw
	switch p.anchor {
	case "":
		return p.from, p.from < len(raw)
	case "end":
		return len(raw) - p.from, len(raw) >= p.from
	case "length":
		return s.head, true
	}
	if len(raw) < s.head {
		return 0, false
	}
	number := map[string]int{"mti": 0, "bitmap": 1, "field": p.field, "value": p.field}[p.anchor]
	start, value, end, ok := s.config.Messages.Locate(raw[s.head:], number)
	switch p.anchor {
	case "field":
		return s.head + start, ok
	case "value":
		return s.head + value, ok
	}
	return s.head + end, ok
}
