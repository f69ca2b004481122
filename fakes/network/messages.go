package network

import (
	"strconv"

	"github.com/assay-hil/assay/protocol/iso8583"
)

// Messages is what an injector must know of the messages that pass. It is safe for concurrent use and
// keeps no payload.
type Messages interface {
	// Identify reads MTI and STAN; ok is false for bytes that are no message.
	Identify(payload []byte) (id Identity, ok bool)
	// CheckPath says what is wrong with a path to a value, such as "39" or "60.batch".
	CheckPath(path string) error
	// Read gives the value at a path; ok is false where the message has none.
	Read(payload []byte, path string) (value string, ok bool)
	// Rewrite gives a copy of a message with another value at a path, or without it when the value
	// is "". All else stays, an authentication code too.
	Rewrite(payload []byte, path, value string) ([]byte, error)
	// Locate says where a field lies: from start its length digits, from value to end its value. Field
	// 0 is the MTI, 1 the bitmap.
	Locate(payload []byte, field int) (start, value, end int, ok bool)
	// Mask gives a copy of the same length in which card data and what cannot be read are overwritten.
	Mask(payload []byte) []byte
}

// ISO8583 knows the messages of a dialect.
func ISO8583(codec *iso8583.Codec) Messages { return dialect{codec} }

type dialect struct{ codec *iso8583.Codec }

func (d dialect) Identify(payload []byte) (Identity, bool) {
	var room [32]byte // on the stack
	text, mti, err := d.codec.AppendMTIAndSTAN(room[:0], payload)
	if err != nil {
		return Identity{}, false
	}
	return IdentityOf(text[:mti], text[mti:])
}

func (d dialect) CheckPath(path string) error {
	_, err := d.codec.Path(path)
	return err
}

func (d dialect) Read(payload []byte, path string) (string, bool) {
	p, err := d.codec.Path(path)
	if err != nil {
		return "", false
	}
	m, err := d.codec.UnpackPartial(payload)
	if err != nil && m.MTI == "" {
		return "", false
	}
	return d.codec.Get(m, p)
}

func (d dialect) Rewrite(payload []byte, path, value string) ([]byte, error) {
	p, err := d.codec.Path(path)
	if err != nil {
		return nil, err
	}
	m, err := d.codec.Unpack(payload)
	if err != nil {
		return nil, err
	}
	if value == "" && path == strconv.Itoa(p.Field()) {
		delete(m.Fields, p.Field())
	} else if err := d.codec.Set(&m, p, value); err != nil {
		return nil, err
	}
	return d.codec.Pack(m)
}

func (d dialect) Locate(payload []byte, field int) (start, value, end int, ok bool) {
	spans, _ := d.codec.Spans(payload) // with an error those that could be followed
	for _, s := range spans {
		if s.Field == field {
			return s.Start, s.Value, s.End, true
		}
	}
	return 0, 0, 0, false
}

func (d dialect) Mask(payload []byte) []byte { return d.codec.MaskLegibly(payload) }
