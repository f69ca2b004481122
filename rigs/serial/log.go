package serial

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// LogLimit bounds a wire log, in bytes; a line that floods must not fill the disk.
const LogLimit = 4 << 20

// NewLog makes a trace that writes the wire's shape, a line for each read and write:
//
//	12:04:05.123456 > a# a# a#\n
//	12:04:05.130012 < ok\r\n
//
// What passes a line can be card data, and a keypad's positions are a PIN. So a number, with its sign and
// however long, is written as #, every letter as a, whatever it is, and every byte that is no ASCII text as ?, except in
// the words given, such as "ok" or "error": what is not known to be harmless is hidden. The log ends, and says so, at
// LogLimit, or when w fails.
func NewLog(w io.Writer, words ...string) Trace {
	l := &wireLog{w: w, harmless: map[string]bool{}}
	for _, word := range words {
		if !strings.ContainsFunc(word, func(r rune) bool { return r > 0x7F || !letter(byte(r)) }) {
			l.harmless[word] = true
		}
	}
	return l.note
}

type wireLog struct {
	harmless map[string]bool

	mu      sync.Mutex
	w       io.Writer // nil: the log has ended
	written int
}

func (l *wireLog) note(at time.Time, out bool, p []byte) {
	way := "<"
	if out {
		way = ">"
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.w == nil {
		return
	}
	n, err := fmt.Fprintf(l.w, "%s %s %s\n", at.Format("15:04:05.000000"), way, l.shape(p))
	l.written += n
	if err != nil || l.written > LogLimit {
		_, _ = fmt.Fprintln(l.w, "the log is full") // nobody can be told of a disk that is full too
		l.w = nil
	}
}

// shape is what may be written of p.
func (l *wireLog) shape(p []byte) string {
	var b strings.Builder
	for len(p) > 0 {
		n := 1
		switch c := p[0]; {
		case letter(c):
			n = span(p, letter)
			word := string(p[:n])
			if !l.harmless[word] {
				word = strings.Repeat("a", n)
			}
			b.WriteString(word)
		case numeric(c):
			n = span(p, numeric)
			b.WriteByte('#')
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c >= ' ' && c < 0x7F:
			b.WriteByte(c)
		default:
			b.WriteByte('?')
		}
		p = p[n:]
	}
	return b.String()
}

// span is how many bytes at the beginning are of a kind.
func span(p []byte, of func(byte) bool) int {
	n := 0
	for n < len(p) && of(p[n]) {
		n++
	}
	return n
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// numeric says that a byte can be part of a number.
func numeric(c byte) bool { return c >= '0' && c <= '9' || c == '.' || c == '-' || c == '+' }
