package nightly

import (
	"bufio"
	"errors"
	"io"
	"iter"
)

// linesFrom gives the whole lines between two offsets, each with its end of line.
func linesFrom(r io.ReaderAt, from, to int64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		b := bufio.NewReader(io.NewSectionReader(r, from, to-from))
		for {
			line, err := b.ReadBytes('\n')
			switch {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				yield(nil, err)
				return
			case !yield(line, nil):
				return
			}
		}
	}
}
