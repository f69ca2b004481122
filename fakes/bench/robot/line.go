package robot

// lineBuffer collects a line the way the firmware does: blanks, control characters, '/' and
// comments are dropped, letters become capitals. Both '\n' and '\r' end a line, so that "\r\n"
// gives a second, empty one.
type lineBuffer struct {
	text      []byte
	overflow  bool
	paren     bool // in ( … )
	semicolon bool // after ;
	slash     bool // '/' is kept: FluidNC names settings with it
}

// add takes one character; true when it ended the line.
func (b *lineBuffer) add(c byte) bool {
	switch {
	case c == '\n' || c == '\r':
		return true
	case b.overflow || b.semicolon:
	case b.paren:
		b.paren = c != ')'
	case c <= ' ' || c == '/' && !b.slash:
	case c == '(':
		b.paren = true
	case c == ';':
		b.semicolon = true
	case len(b.text) >= lineUsable:
		b.overflow = true
	case c >= 'a' && c <= 'z':
		b.text = append(b.text, c-'a'+'A')
	default:
		b.text = append(b.text, c)
	}
	return false
}

// take gives the line and makes room for the next.
func (b *lineBuffer) take() (text string, overflow bool) {
	text, overflow = string(b.text), b.overflow
	*b = lineBuffer{text: b.text[:0], slash: b.slash}
	return text, overflow
}
