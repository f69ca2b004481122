package iso8583

import (
	"fmt"
	"strings"
)

// Limits of TLV data in a field.
const (
	longestTag = 4 // bytes
	// mostNested is how deep templates are looked into.
	mostNested = 8
)

// findTag looks for a tag (upper-case hexadecimal) in BER-TLV data written as hexadecimal, templates
// included, and says where its object begins and where its value lies. Data that are no TLV
// end the search.
func findTag(data, tag string, from, depth int) (start, value, end int, ok bool) {
	for pos := from; pos < len(data); {
		tagEnd, value, end, good := objectAt(data, pos)
		if !good {
			return 0, 0, 0, false
		}
		if data[pos:tagEnd] == tag {
			return pos, value, end, true
		}
		if nibble(data[pos])&2 != 0 && depth < mostNested { // constructed: bit 6 of the tag
			if s, v, e, found := findTag(data[:end], tag, value, depth+1); found {
				return s, v, e, true
			}
		}
		pos = end
	}
	return 0, 0, 0, false
}

// objectAt reads one object of TLV data written as hexadecimal: where its tag ends, its value
// begins and ends.
func objectAt(data string, pos int) (tagEnd, value, end int, ok bool) {
	tagEnd = pos + 2
	if tagEnd > len(data) {
		return 0, 0, 0, false
	}
	if octet(data, pos)&0x1F == 0x1F {
		for more := true; more; tagEnd += 2 {
			if tagEnd+2 > len(data) || tagEnd-pos >= 2*longestTag {
				return 0, 0, 0, false
			}
			more = octet(data, tagEnd)&0x80 != 0
		}
	}
	if tagEnd+2 > len(data) {
		return 0, 0, 0, false
	}
	length, value := int(octet(data, tagEnd)), tagEnd+2
	if length > 0x7F {
		count := length & 0x7F
		if count < 1 || count > 2 || value+2*count > len(data) {
			return 0, 0, 0, false
		}
		for length = 0; count > 0; count-- {
			length = length<<8 | int(octet(data, value))
			value += 2
		}
	}
	end = value + 2*length
	return tagEnd, value, end, end <= len(data)
}

// octet is the byte at a place of a hexadecimal text.
func octet(data string, pos int) byte { return nibble(data[pos])<<4 | nibble(data[pos+1]) }

// setTag gives the data with the tag's value replaced; a tag that is not there is added at the end.
// A tag inside a template keeps its length, for those around it count on it.
func setTag(data, tag, value string) (string, error) {
	if !hexadecimal(value) {
		return "", ErrCharacters
	}
	if len(value)%2 != 0 || len(value)/2 > 0xFFFF {
		return "", ErrLength
	}
	if !hexadecimal(data) || !topLevel(data, len(data)) {
		return "", fmt.Errorf("%w: the data so far are no TLV", ErrMalformed)
	}
	start, was, end, found := findTag(data, tag, 0, 0)
	if !found {
		return data + tag + lengthOf(value) + value, nil
	}
	if len(value) == end-was {
		return data[:was] + value + data[end:], nil
	}
	if !topLevel(data, start) {
		return "", fmt.Errorf("%w: inside a template it cannot change", ErrLength)
	}
	return data[:start] + tag + lengthOf(value) + value + data[end:], nil
}

// topLevel says whether an object of the outermost list begins, or the list ends, at start.
func topLevel(data string, start int) bool {
	pos := 0
	for pos < start {
		_, _, end, ok := objectAt(data, pos)
		if !ok {
			return false
		}
		pos = end
	}
	return pos == start
}

// lengthOf is a value's length field, in the fewest bytes.
func lengthOf(value string) string {
	switch n := len(value) / 2; {
	case n < 0x80:
		return fmt.Sprintf("%02X", n)
	case n < 0x100:
		return fmt.Sprintf("81%02X", n)
	default:
		return fmt.Sprintf("82%04X", n)
	}
}

// tagFault says why a text is no tag.
func tagFault(tag string) string {
	if tag == "" || !hexadecimal(tag) || len(tag)%2 != 0 {
		return "a tag is written as upper-case hexadecimal, for example 9F26"
	}
	if end, _, _, ok := objectAt(tag+strings.Repeat("0", 2), 0); !ok || end != len(tag) {
		return "its first byte asks for another number of bytes"
	}
	return ""
}
