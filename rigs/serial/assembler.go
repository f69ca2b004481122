package serial

import (
	"bytes"
	"time"
)

// Terminator says what ends a line of text.
type Terminator int

const (
	// LF ends a line; one CR before it is dropped.
	LF Terminator = iota
	// CR ends a line; one LF after it is dropped.
	CR
	// Break means that every CR and every LF ends a line, and that empty lines are not
	// reported: for devices that send LF CR or mix.
	Break
)

// DefaultLineMax is the longest line, in bytes, of an Assembler that sets no Max.
const DefaultLineMax = 1024

// Row is one line of text.
type Row struct {
	At    time.Time // arrival of its first byte
	Bytes []byte    // without terminator; it may be a part of the chunk
	// Overlong: the line had more than Max bytes; Bytes holds the first Max.
	Overlong bool
}

// Assembler turns chunks into lines. It has no goroutine and is used by one; its zero value
// splits at LF with lines of up to DefaultLineMax bytes. Its memory is bounded by Max.
type Assembler struct {
	Max int        // longest line in bytes; 0 = DefaultLineMax
	End Terminator // what ends a line

	pending []byte // the unfinished line, at most Max and a CR
	started bool   // a byte of the unfinished line came, also one that did not fit
	at      time.Time
	over    bool
	afterCR bool  // the last byte was the CR that ended a line
	rows    []Row // of the last Feed, whose space is used again
}

// Feed takes the next chunk, whose bytes must not change any more, and returns the lines that it completes, in order. The
// slice is good until the next Feed.
func (a *Assembler) Feed(c Chunk) []Row {
	rows, data := a.whole(c)
	for _, b := range data {
		skip := a.End == CR && a.afterCR && b == '\n'
		a.afterCR = false
		if skip {
			continue
		}
		if !a.started {
			a.started, a.at = true, c.At
		}
		if !a.ends(b) {
			a.add(b)
			continue
		}
		a.afterCR = b == '\r'
		row := a.Pending()
		if a.End == LF && !row.Overlong {
			row.Bytes = bytes.TrimSuffix(row.Bytes, []byte{'\r'})
		}
		a.Drop()
		if a.End != Break || len(row.Bytes) > 0 {
			rows = append(rows, row)
		}
	}
	a.rows = rows
	return rows
}

// whole takes lines that stand in one chunk from its beginning to their LF, which needs no copy, and leaves the rest.
func (a *Assembler) whole(c Chunk) (rows []Row, rest []byte) {
	rows, rest = a.rows[:0], c.Data
	if a.End != LF || a.started {
		return rows, rest
	}
	for {
		n := bytes.IndexByte(rest, '\n')
		if n < 0 || n > a.max() {
			return rows, rest
		}
		rows = append(rows, Row{At: c.At, Bytes: bytes.TrimSuffix(rest[:n:n], []byte{'\r'})})
		rest = rest[n+1:]
	}
}

func (a *Assembler) ends(b byte) bool {
	switch a.End {
	case CR:
		return b == '\r'
	case Break:
		return b == '\r' || b == '\n'
	default:
		return b == '\n'
	}
}

func (a *Assembler) max() int {
	if a.Max <= 0 {
		return DefaultLineMax
	}
	return a.Max
}

// add keeps one byte more than Max, because that byte can be the CR of the terminator.
func (a *Assembler) add(b byte) {
	switch n := len(a.pending); {
	case n < a.max(), n == a.max() && b == '\r' && !a.over:
		a.pending = append(a.pending, b)
	default:
		a.over = true
	}
}

// Pending is the unfinished rest: a prompt that no terminator follows. Its Bytes are empty
// and its At is zero when there is none. It stays until a terminator or Drop.
func (a *Assembler) Pending() Row {
	if !a.started {
		return Row{}
	}
	kept := a.pending[:min(len(a.pending), a.max())]
	if !a.over {
		kept = a.pending
	}
	return Row{At: a.at, Bytes: bytes.Clone(kept), Overlong: a.over}
}

// Drop forgets the unfinished rest.
func (a *Assembler) Drop() {
	a.pending, a.started, a.over, a.at = a.pending[:0], false, false, time.Time{}
}
