package issuer

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/iso8583"
	"github.com/assay-hil/assay/protocol/mac"
	"github.com/assay-hil/assay/protocol/pin"
)

// richCard is a chip card with money for a benchmark.
func richCard() cards.Card {
	return cards.Card{ID: "rich", PAN: chipPAN, Expiry: "2812", Service: "201", Discretionary: "12345", PIN: "8642",
		Balance: 1_000_000_000, Chip: &cards.Chip{Sequence: "01", MasterKey: []byte("fedcba9876543210")}}
}

// seller is a terminal that sells to the rich card, in one dialect: complete chip sales with PIN, of 19
// fields and 147 bytes of chip data.
type seller struct {
	host   *hosts.Host
	codec  *iso8583.Codec
	fields map[int]string
}

func newSeller(t testing.TB, dialect, terminal string) *seller {
	t.Helper()
	h, err := hosts.Load(dialect)
	if err != nil {
		t.Fatal(err)
	}
	codec, err := iso8583.NewCodec(h.Dialect)
	if err != nil {
		t.Fatal(err)
	}
	c := richCard()
	block, err := pin.Seal(h.PINFormat, h.PINKey, c.PIN, c.PAN, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := map[int]string{
		2: c.PAN, 3: "000000", 4: "000000000001", 14: c.Expiry, 22: "051", 23: "0" + c.Chip.Sequence, 25: "00",
		35: c.PAN + "=" + c.Expiry + c.Service + c.Discretionary, 41: terminal, 42: "MERCHANT0000001", 49: "156",
		52: strings.ToUpper(hex.EncodeToString(block)),
	}
	f[55], _, _ = chipField(t, c, f[4])
	switch dialect {
	case "unionpay-bcd":
		f[26], f[32], f[53], f[60] = "12", "48020000", "2600000000000000", "22000001000501"
	case "iso87-ascii":
		f[7], f[12], f[13], f[48], f[60] = "0101120000", "120000", "0101", "4711", "000001"
	}
	return &seller{host: h, codec: codec, fields: f}
}

// sale is the message of the n-th sale, packed, with its MAC where the dialect has one.
func (s *seller) sale(t testing.TB, n int) []byte {
	t.Helper()
	s.fields[11] = fmt.Sprintf("%06d", n)
	m := iso8583.Message{MTI: "0200", Fields: s.fields}
	d := s.host.Dialect
	b, err := s.codec.Seal(m, func(data []byte) ([]byte, error) { return mac.Sum(d.MAC.Algorithm, s.host.Keys.MAC, data) })
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// victimHost is the dialect of the issuers that are killed.
func victimHost() (*hosts.Host, error) { return hosts.Load("iso87-ascii") }
