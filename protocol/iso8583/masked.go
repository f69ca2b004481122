package iso8583

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/assay-hil/assay/protocol/mask"
)

// shortestPAN is the fewest digits a card number has here: a shorter value of a "pan" field is
// an expiry date, which may well turn up inside another value by chance.
const shortestPAN = 12

// Masked gives the values by field number, fit for logs and files: a sensitive one as its
// kind and length only ("[pan 16]"; bytes are counted for b fields). So is a field
// that the dialect does not know, and a free one in which the message's card number turns up. Of
// a broken message (UnpackPartial) only trace number and terminal are shown.
func (c *Codec) Masked(m Message) map[string]string {
	pans := c.pans(m)
	out := make(map[string]string, len(m.Fields))
	for n, value := range m.Fields {
		f, known := c.dialect.Fields[n]
		kind := f.Sensitive
		switch {
		case !known:
			kind = "unknown"
		case kind == "" && m.broken && n != fieldSTAN && n != fieldTerminal:
			kind = "unreadable"
		case kind == "" && shows(f.Type, value, pans):
			kind = "pan inside"
		}
		if kind != "" {
			value = fmt.Sprintf("[%s %d]", kind, characters(f, value))
		}
		out[strconv.Itoa(n)] = value
	}
	return out
}

// characters is a value's length in the unit of Field.Length: bytes for b.
func characters(f Field, value string) int {
	if f.Type == "b" {
		return len(value) / 2
	}
	return len(value)
}

// pans are the card numbers of a message, from "pan" fields and from tracks.
func (c *Codec) pans(m Message) []string {
	var pans []string
	for _, e := range c.cards {
		value := m.Fields[e.number]
		if e.kind == "z" || e.kind == "ans" {
			value = digitsBefore(value)
		}
		if len(value) >= shortestPAN && digits(value) {
			pans = append(pans, value)
		}
	}
	return pans
}

// digitsBefore are the digits that a track begins with, after the format code of track 1.
func digitsBefore(track string) string {
	track = strings.TrimPrefix(track, "B")
	for i := range len(track) {
		if !digit(track[i]) {
			return track[:i]
		}
	}
	return track
}

// shows says whether a free value has one of the card numbers in it, as text or as bytes, or, in a text,
// anything of a card number's shape.
func shows(kind, value string, pans []string) bool {
	for _, pan := range pans {
		if strings.Contains(value, pan) {
			return true
		}
		if kind == "b" && strings.Contains(value, strings.ToUpper(hex.EncodeToString([]byte(pan)))) {
			return true
		}
	}
	return kind == "ans" && count(value) >= fewestShown && mask.Text(value) != value
}

// fewestShown is the fewest digits of anything that package mask knows the shape of.
const fewestShown = 8

// count is the number of digits in a value.
func count(value string) (n int) {
	for i := range len(value) {
		if digit(value[i]) {
			n++
		}
	}
	return n
}

// hidden is what stands for every byte that MaskPayload takes away: in any encoding no digit.
const hidden = '*'

// MaskPayload gives a copy of a packed message of the same length in which the wire bytes of
// sensitive values are overwritten with '*', and of free values in which a card number turns up. Of
// bytes that Unpack refuses only the MTI stays, if there is one: what looks like one field, or a bitmap, may
// be part of another.
func (c *Codec) MaskPayload(payload []byte) []byte {
	out := append([]byte(nil), payload...)
	m, err := c.Unpack(payload)
	if err != nil {
		p, _ := c.preamble(payload) // an MTI or none
		if p.digits[0] == 0 {
			overwrite(out)
			return out
		}
		overwrite(out[:p.mti])
		overwrite(out[p.bitmap:])
		return out
	}
	spans, err := c.Spans(payload)
	if err != nil {
		overwrite(out)
		return out
	}
	pans := c.pans(m)
	for _, s := range spans {
		if s.Field < 2 {
			continue
		}
		if e := c.entries[s.Field]; e.sensitive || shows(e.kind, m.Fields[s.Field], pans) {
			overwrite(out[s.Value:s.End])
		}
	}
	return out
}

func overwrite(b []byte) {
	for i := range b {
		b[i] = hidden
	}
}
