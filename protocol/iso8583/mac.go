package iso8583

import (
	"encoding/hex"
	"strings"
)

// macLength is the number of bytes of a MAC field (ISO 8583: b 64).
const macLength = 8

// noMAC stands in a MAC field until the MAC is known.
var noMAC = strings.Repeat("00", macLength)

// macField is the field of the MAC in a message with these fields: the dialect's, but 128 where
// a message of a dialect that uses 64 has fields beyond it (the MAC is always the last field).
func (c *Codec) macField(fields fieldSet) int {
	n := c.dialect.MAC.Field
	if n == lastOfFirst && fields[1] != 0 {
		n = lastField
	}
	return n
}

// Seal packs m with its MAC field computed by sum over all bytes from the MTI up to the MAC field; sum
// gives 8 bytes. A MAC in m is replaced. Without Dialect.MAC it is Pack. An error of
// sum is returned as it is.
func (c *Codec) Seal(m Message, sum func(data []byte) ([]byte, error)) ([]byte, error) {
	if c.dialect.MAC == nil {
		return c.Pack(m)
	}
	var values [lastField + 1]string
	fields, _, err := present(m, &values)
	if err != nil {
		return nil, err
	}
	n := c.macField(fields)
	sealed := Message{Header: m.Header, MTI: m.MTI, Fields: make(map[int]string, len(m.Fields)+1)}
	for number, value := range m.Fields {
		sealed.Fields[number] = value
	}
	delete(sealed.Fields, c.dialect.MAC.Field)
	sealed.Fields[n] = noMAC
	b, err := c.Pack(sealed)
	if err != nil {
		return nil, err
	}
	value := len(b) - c.entries[n].wire(c.entries[n].most)
	mac, err := sum(b[c.headerBytes:value:value])
	if err != nil {
		return nil, err
	}
	if len(mac) != macLength {
		return nil, &FieldError{Field: n, Err: ErrLength}
	}
	return c.entries[n].append(b[:value], strings.ToUpper(hex.EncodeToString(mac))), nil
}

// MACData gives the bytes under the MAC, from the MTI up to the MAC field, and the MAC in a packed message.
// The data are part of payload. Errors: a *FieldError, ErrNoMAC in it for a message (or a dialect)
// without one.
func (c *Codec) MACData(payload []byte) (data, mac []byte, err error) {
	p, err := c.preamble(payload)
	if err != nil {
		return nil, nil, err
	}
	if c.dialect.MAC == nil {
		return nil, nil, &FieldError{Field: lastOfFirst, Err: ErrNoMAC}
	}
	field := c.macField(p.fields)
	if !p.fields.has(field) {
		return nil, nil, &FieldError{Field: field, Err: ErrNoMAC}
	}
	pos := p.body
	for n := p.fields.next(1); n > 0; n = p.fields.next(n) {
		e := c.entries[n]
		if e == nil {
			return nil, nil, &FieldError{Field: n, Err: ErrUnknownField}
		}
		units, value, end, err := e.extent(payload, pos)
		if err != nil {
			return nil, nil, &FieldError{Field: n, Err: err}
		}
		if n < field {
			pos = end
			continue
		}
		text, err := e.decode(nil, payload[value:end], units)
		if err != nil {
			return nil, nil, &FieldError{Field: n, Err: err}
		}
		mac, err := hex.DecodeString(string(text))
		if err != nil {
			return nil, nil, &FieldError{Field: n, Err: ErrCharacters}
		}
		return payload[c.headerBytes:pos:pos], mac, nil
	}
	return nil, nil, &FieldError{Field: field, Err: ErrNoMAC}
}
