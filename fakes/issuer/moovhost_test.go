package issuer

import (
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"sync"
	"testing"

	moov "github.com/moov-io/iso8583"
	"github.com/moov-io/iso8583/encoding"
	"github.com/moov-io/iso8583/field"
	"github.com/moov-io/iso8583/prefix"

	"github.com/assay-hil/assay/protocol/iso8583"
)

// moovHost is what the benchmark is held against: a host built plainly on moov-io/iso8583, with that
// library's own encoders. It unpacks a sale, makes the answer and packs it; it has no books, no journal, no
// PIN, no cryptogram and no MAC.
type moovHost struct {
	spec   *moov.MessageSpec
	header int // bytes before the MTI, sent back as they came
	work   sync.WaitGroup
}

// moovSpec writes a dialect's fields for moov.
func moovSpec(d iso8583.Dialect) *moov.MessageSpec {
	var digits encoding.Encoder = encoding.ASCII
	fixed, variable := prefix.ASCII.Fixed, map[int]prefix.Prefixer{2: prefix.ASCII.LL, 3: prefix.ASCII.LLL}
	if d.Digits == "bcd" {
		digits, fixed, variable = encoding.BCD, prefix.BCD.Fixed, map[int]prefix.Prefixer{2: prefix.BCD.LL, 3: prefix.BCD.LLL}
	}
	bits := &field.Spec{Length: 8, Enc: encoding.Binary, Pref: prefix.Binary.Fixed}
	if d.Bitmap == "hex" {
		bits = &field.Spec{Length: 16, Enc: encoding.BytesToASCIIHex, Pref: prefix.Hex.Fixed}
	}
	spec := &moov.MessageSpec{Fields: map[int]field.Field{
		0: field.NewString(&field.Spec{Length: 4, Enc: digits, Pref: fixed}),
		1: field.NewBitmap(bits),
	}}
	for n, f := range d.Fields {
		s := &field.Spec{Length: f.Length, Enc: encoding.ASCII, Pref: prefix.ASCII.Fixed}
		if f.Type == "n" {
			s.Enc, s.Pref = digits, fixed
		}
		if f.Var > 0 {
			s.Pref = variable[f.Var]
		}
		if f.Type != "b" {
			spec.Fields[n] = field.NewString(s) // z too: its BCD encoder does not know the separator
			continue
		}
		if d.Bitmap == "hex" { // hexadecimal digits
			s.Length *= 2
			spec.Fields[n] = field.NewString(s)
			continue
		}
		if s.Enc = encoding.Binary; f.Var == 0 {
			s.Pref = prefix.Binary.Fixed
		}
		spec.Fields[n] = field.NewBinary(s)
	}
	return spec
}

// serve answers connections until the listener is closed.
func (h *moovHost) serve(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		h.work.Go(func() {
			defer conn.Close()
			for h.exchange(conn) == nil {
			}
		})
	}
}

func (h *moovHost) exchange(conn net.Conn) error {
	head := make([]byte, 2)
	if _, err := io.ReadFull(conn, head); err != nil {
		return err
	}
	payload := make([]byte, binary.BigEndian.Uint16(head))
	if _, err := io.ReadFull(conn, payload); err != nil {
		return err
	}
	answer, err := h.answer(payload)
	if err != nil {
		return err
	}
	_, err = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
	return err
}

// echoedFields go back as they came.
var echoedFields = []int{2, 3, 4, 7, 11, 12, 13, 25, 41, 42, 49, 60}

func (h *moovHost) answer(payload []byte) ([]byte, error) {
	request := moov.NewMessage(h.spec)
	if err := request.Unpack(payload[h.header:]); err != nil {
		return nil, err
	}
	reply := moov.NewMessage(h.spec)
	reply.MTI("0210")
	for _, n := range echoedFields {
		if h.spec.Fields[n] == nil {
			continue
		}
		if value, err := request.GetString(n); err != nil {
			return nil, err
		} else if value != "" {
			if err := reply.Field(n, value); err != nil {
				return nil, err
			}
		}
	}
	for n, value := range map[int]string{37: "000000000001", 38: "000001", 39: "00"} {
		if err := reply.Field(n, value); err != nil {
			return nil, err
		}
	}
	if err := h.put(reply, 55, "91080102030405060708"); err != nil {
		return nil, err
	}
	packed, err := reply.Pack()
	return append(payload[:h.header:h.header], packed...), err
}

// put sets a field; bytes are in hexadecimal.
func (h *moovHost) put(m *moov.Message, n int, value string) error {
	if _, bytes := h.spec.Fields[n].(*field.Binary); !bytes {
		return m.Field(n, value)
	}
	raw, err := hex.DecodeString(value)
	if err != nil {
		return err
	}
	return m.BinaryField(n, raw)
}

// sale packs a seller's sale as moov reads it.
func (h *moovHost) sale(t testing.TB, s *seller, n int) []byte {
	t.Helper()
	own, err := s.codec.Unpack(s.sale(t, n))
	if err != nil {
		t.Fatal(err)
	}
	m := moov.NewMessage(h.spec)
	m.MTI("0200")
	for n, value := range own.Fields {
		if err := h.put(m, n, value); err != nil {
			t.Fatal(err)
		}
	}
	packed, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return append(make([]byte, h.header), packed...)
}
