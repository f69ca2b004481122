package iso8583

import "bytes"

// MaskLegibly is MaskPayload for who reads the copy as a message again, such as a protocol analyser:
// where only digits can stand, zeros take the place of '*'. A message that Unpack refuses is
// masked as MaskPayload does.
func (c *Codec) MaskLegibly(payload []byte) []byte {
	out := c.MaskPayload(payload)
	if _, err := c.Unpack(payload); err != nil {
		return out
	}
	spans, err := c.Spans(payload)
	if err != nil {
		return out
	}
	for _, s := range spans {
		if s.Field < 2 {
			continue
		}
		value, e := out[s.Value:s.End], c.entries[s.Field]
		digits := e.kind == "n" || e.kind == "z" || e.kind == "b" && e.sensitive
		if digits && len(bytes.Trim(value, string(hidden))) == 0 {
			zero(value, e.encoding)
		}
	}
	return out
}

// zero fills a value with the digit 0 in its encoding.
func zero(value []byte, e encoding) {
	fill := byte('0')
	switch e {
	case encodingEBCDIC:
		fill = 0xF0
	case encodingBCD, encodingBinary:
		fill = 0
	}
	for i := range value {
		value[i] = fill
	}
}
