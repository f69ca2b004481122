package mutants

import (
	"bytes"
	"cmp"
	"slices"
)

// edits are insertions into a text. Wraps may be nested, and wraps of the same range are nested in the order in which
// they came, the first outside.
type edits struct{ all []insertion }

type insertion struct {
	at    int
	open  bool // opens a wrap
	other int  // where the wrap ends or begins
	order int
	text  string
}

// wrap puts text before and after the range from … to, which must not be empty.
func (e *edits) wrap(from, to int, before, after string) {
	n := len(e.all)
	e.all = append(e.all, insertion{from, true, to, n, before}, insertion{to, false, from, n, after})
}

// apply makes the insertions.
func (e *edits) apply(text []byte) []byte {
	slices.SortFunc(e.all, func(a, b insertion) int {
		if c := cmp.Compare(a.at, b.at); c != 0 {
			return c
		}
		switch {
		case a.open != b.open: // what ends here comes before what begins here
			if b.open {
				return -1
			}
			return 1
		case a.open: // the longer is outside
			return cmp.Or(cmp.Compare(b.other, a.other), cmp.Compare(a.order, b.order))
		default: // the shorter is inside
			return cmp.Or(cmp.Compare(b.other, a.other), cmp.Compare(b.order, a.order))
		}
	})
	var out bytes.Buffer
	done := 0
	for _, i := range e.all {
		out.Write(text[done:i.at])
		out.WriteString(i.text)
		done = i.at
	}
	out.Write(text[done:])
	return out.Bytes()
}
