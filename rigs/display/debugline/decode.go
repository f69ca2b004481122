package debugline

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// decoder turns one line's bytes into text. A line can be decoded by itself, because in none
// of the encodings a character contains LF.
type decoder struct {
	charset encoding.Encoding // nil for UTF-8
}

// newDecoder knows "utf-8", "gbk" and "gb18030"; "" is UTF-8.
func newDecoder(name string) (decoder, error) {
	switch strings.ToLower(name) {
	case "", "utf-8":
		return decoder{}, nil
	case "gbk":
		return decoder{simplifiedchinese.GBK}, nil
	case "gb18030":
		return decoder{simplifiedchinese.GB18030}, nil
	}
	return decoder{}, fmt.Errorf("unknown encoding %q: want utf-8, gbk or gb18030", name)
}

// plain says that a text is ASCII, which each of the encodings has as it is.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// text decodes a line; what is wrong in it becomes U+FFFD.
func (d decoder) text(line []byte) string {
	s := string(line)
	if d.charset != nil && !plain(s) {
		// These decoders replace and never fail; if one did, the bytes would be checked below.
		if decoded, err := d.charset.NewDecoder().String(s); err == nil {
			s = decoded
		}
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	return strings.TrimFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7F })
}
