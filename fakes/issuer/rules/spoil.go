package rules

import (
	"slices"
	"strings"

	"github.com/assay-hil/assay/protocol/iso8583"
)

// spoil applies what changes a packed message.
func (a *answer) spoil(codec *iso8583.Codec, payload []byte) (_ []byte, err error) {
	if slices.Contains(a.source.Wrong, "mac") {
		if payload, err = wrongMAC(codec, payload); err != nil {
			return nil, err
		}
	}
	if a.source.BadBitmap {
		return badBitmap(codec, payload)
	}
	return payload, nil
}

// wrongMAC changes the MAC and nothing else.
func wrongMAC(codec *iso8583.Codec, payload []byte) ([]byte, error) {
	m, err := codec.Unpack(payload)
	if err != nil {
		return nil, err
	}
	field := codec.Dialect().MAC.Field
	if m.Fields[field] == "" {
		return nil, ErrNothing
	}
	m.Fields[field] = otherBits(m.Fields[field])
	return codec.Pack(m)
}

// Where the bits of the primary bitmap begin and end (ISO 8583:1987, 4.1.2); the first announces the secondary one.
const (
	fieldBitmap    = 1
	firstAnnounced = 2
	lastAnnounced  = 64
)

// badBitmap announces a field that is not there: one that the dialect does not have, or else any that the
// message does not have.
func badBitmap(codec *iso8583.Codec, payload []byte) ([]byte, error) {
	spans, err := codec.Spans(payload)
	if err != nil {
		return nil, err
	}
	there := map[int]bool{}
	var bitmap iso8583.Span
	for _, s := range spans {
		there[s.Field] = true
		if s.Field == fieldBitmap {
			bitmap = s
		}
	}
	field := 0
	for n := lastAnnounced; n >= firstAnnounced; n-- {
		_, known := codec.Dialect().Fields[n]
		if there[n] || known && field != 0 {
			continue
		}
		field = n
		if !known {
			break
		}
	}
	if field == 0 {
		return nil, ErrNothing
	}
	out := slices.Clone(payload)
	announce(out[bitmap.Value:bitmap.End], field, codec.Dialect().Bitmap == "hex")
	return out, nil
}

// announce sets a field's bit.
func announce(bitmap []byte, field int, hexadecimal bool) {
	bit := field - 1
	if !hexadecimal {
		bitmap[bit/8] |= 0x80 >> (bit % 8)
		return
	}
	const digits = "0123456789ABCDEF"
	old := strings.IndexByte(digits, strings.ToUpper(string(bitmap[bit/4]))[0])
	bitmap[bit/4] = digits[max(old, 0)|8>>(bit%4)]
}

// frame puts the length before a payload, right or wrong, and junk before both, and cuts it where it
// is to be cut.
func (a *answer) frame(f iso8583.Framing, payload []byte) []byte {
	length := len(payload)
	if a.length != nil {
		length = max(a.length(f, length), zeroLength(f, length)) // no less can be said
	}
	frame := make([]byte, 0, len(a.junk)+f.LengthBytes+len(payload))
	frame = append(frame, a.junk...)
	frame = f.AppendLength(frame, length)
	frame = append(frame, payload...)
	if a.source.Truncate > 0 && a.source.Truncate < len(frame) {
		frame = frame[:a.source.Truncate]
	}
	return frame
}
