package rules

import (
	"testing"

	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// Published test card numbers.
var testCards = []cards.Card{{ID: "visa", PAN: "4111111111111111"}, {ID: "mastercard", PAN: "5413330089010012"}}

func termsOf(t testing.TB, dialect string) Terms {
	t.Helper()
	h, err := hosts.Load(dialect)
	if err != nil {
		t.Fatal(err)
	}
	codec, err := iso8583.NewCodec(h.Dialect)
	if err != nil {
		t.Fatal(err)
	}
	return Terms{Host: h, Codec: codec, Cards: testCards}
}
