// Package scan looks for card data that got past every mask: the last look at a run folder before
// anybody else gets to see it. It is apart from package mask on purpose and shares nothing with it, so that a hole
// in the one is not a hole in the other.
//
// Found are
//   - the card numbers that it is given, anywhere, in every encoding that assay writes: text (digits of any
//     script, grouped or not, escaped as in JSON or XML), UTF-16, hexadecimal of ASCII, EBCDIC or packed digits, packed
//     digits in binary at either nibble, base64 of any of these;
//   - any other number that could be a card's, in the same encodings: 13 to 19 digits that stand alone, or behind their length
//     or their EMV tag, with the check digit (ISO/IEC 7812-1, annex B) and the first digits of a scheme that issues
//     numbers of that length;
//   - tracks 1 and 2 (ISO/IEC 7813), with their separator and at least a date behind it;
//   - PIN blocks in clear (ISO 9564-1): format 2 of any PIN, formats 0 and 2 of the cards that it is given.
//
// In a capture (pcapng) digits are cut where packets end. What could be anybody's number is looked for in its streams, put
// together again; what is known, in every byte of it.
//
// A finding says where and what, never which.
package scan

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
)

// Limits of a scan.
const (
	// MaxFindings is how many are told of a folder. One is too many already.
	MaxFindings = 100
	chunk       = 16 << 20 // of a file, in bytes, at a time
	overlap     = 64 << 10 // what two chunks have in common
	maxNested   = 2        // base64 within base64
)

// Finding is card data in clear.
type Finding struct {
	File string // within the folder
	What string // for example "card number, packed digits"
	Line int    // from 1; 0 in a binary file
}

// Card is a card that is known: what of it must not be found.
type Card struct{ PAN, PIN string }

// Scanner is safe for use by several goroutines.
type Scanner struct {
	cards   []known
	issuers [issuers/64 + 1]uint64 // a bit for each that a known card has
}

// New makes a scanner that knows these cards, besides the shapes of all others.
func New(cards []Card) *Scanner {
	s := &Scanner{}
	for _, c := range cards {
		if len(c.PAN) >= shortest {
			s.know(knownOf(c))
		}
	}
	return s
}

// Folder scans every file below a folder. Findings are in the order of the files' names.
func (s *Scanner) Folder(ctx context.Context, dir string) ([]Finding, error) {
	paths := make(chan string)
	found, failed := make(chan Finding), make(chan error)
	var workers sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for path := range paths {
				all, err := s.File(path)
				for _, f := range all {
					if name, err := filepath.Rel(dir, path); err == nil {
						f.File = filepath.ToSlash(name)
					}
					found <- f
				}
				if err != nil {
					failed <- err
				}
			}
		})
	}
	go func() {
		if err := walk(ctx, dir, paths); err != nil {
			failed <- err
		}
		close(paths)
		workers.Wait()
		close(found)
	}()
	var all []Finding
	var errs []error
	for {
		select {
		case f, ok := <-found:
			if !ok {
				slices.SortFunc(all, func(a, b Finding) int {
					return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.What, b.What))
				})
				return all, errors.Join(errs...)
			}
			if all = append(all, f); len(all) == MaxFindings {
				cancel()
			}
			all = all[:min(len(all), MaxFindings)]
		case err := <-failed:
			if len(all) < MaxFindings { // else it is our own cancel
				errs = append(errs, err)
			}
		}
	}
}

func walk(ctx context.Context, dir string, paths chan<- string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		select {
		case paths <- path:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
}

// File scans one file. A capture is scanned as it is and as the streams that it holds.
func (s *Scanner) File(path string) ([]Finding, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	capture := isCapture(file)
	all, err := s.pieces(file, path, info.Size(), capture)
	if err != nil || !capture {
		return all, err
	}
	streams, err := s.streams(file, path)
	if err != nil { // not a capture after all, or a broken one: what is cut in it can't be told
		if _, err = file.Seek(0, io.SeekStart); err == nil {
			streams, err = s.pieces(file, path, info.Size(), false)
		}
	}
	for _, f := range streams {
		if !slices.Contains(all, f) {
			all = append(all, f)
		}
	}
	return all, err
}

// pieces scans a file piece by piece; cut says that runs of digits in it may be parts of longer ones.
func (s *Scanner) pieces(file io.Reader, path string, size int64, cut bool) ([]Finding, error) {
	var all []Finding
	line := 1
	buffer := make([]byte, min(int(min(size, chunk)), chunk)+overlap)
	kept := 0
	for {
		n, err := io.ReadFull(file, buffer[kept:])
		b := buffer[:kept+n]
		for _, f := range s.scan(b, cut) {
			f.File = path
			if f.Line > 0 {
				f.Line += line - 1
			}
			if !slices.Contains(all, f) {
				all = append(all, f)
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return all, nil
		}
		if err != nil {
			return all, fmt.Errorf("%s: %w", path, err)
		}
		line += bytes.Count(b[:len(b)-overlap], []byte{'\n'})
		kept = copy(buffer, b[len(b)-overlap:])
	}
}

// Bytes scans what would be a file.
func (s *Scanner) Bytes(b []byte) []Finding { return s.scan(b, false) }

// scan finds everything in one piece.
func (s *Scanner) scan(b []byte, cut bool) []Finding {
	l := &look{scanner: s, whole: b, binary: bytes.IndexByte(b, 0) >= 0, cut: cut, places: map[string]int{}}
	l.all(b, 0, "", maxNested)
	var all []Finding
	for what, at := range l.places {
		f := Finding{What: what}
		if !l.binary {
			f.Line = 1 + bytes.Count(b[:min(at, len(b))], []byte{'\n'})
		}
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b Finding) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.What, b.What)) })
	return all
}

// look is one piece being looked at.
type look struct {
	scanner *Scanner
	whole   []byte
	binary  bool
	cut     bool           // runs of digits may be parts of longer ones
	places  map[string]int // what → the first place
}

func (l *look) found(what, how string, at int) {
	if how != "" {
		what += ", " + how
	}
	if _, before := l.places[what]; !before {
		l.places[what] = at
	}
}

// all looks at bytes in every way. at is where they are in the whole, how the encoding they came from.
func (l *look) all(b []byte, at int, how string, nested int) {
	l.digits(b, at, how)
	l.tokens(b, at, how, nested)
	l.packed(b, at, how)
	if plain, changed := unescape(b); changed {
		l.digits(plain, at, "escaped")
	}
}
