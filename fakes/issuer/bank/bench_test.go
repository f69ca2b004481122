package bank

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/assay-hil/assay/fakes/issuer/ledger"
)

// BenchmarkPurchase is a purchase with chip and PIN, from its bytes to the answer's: unpacked, proven, decided,
// posted, answered and packed.
func BenchmarkPurchase(b *testing.B) {
	for _, dialect := range []string{"iso87-ascii", "unionpay-bcd", "iso93-binary"} {
		for name, inFile := range map[string]bool{"memory": false, "file": true} {
			b.Run(dialect+"/"+name, func(b *testing.B) { benchmarkPurchase(b, dialect, inFile) })
		}
	}
}

func benchmarkPurchase(b *testing.B, dialect string, inFile bool) {
	list := testCards(b)
	for i := range list {
		list[i].Balance = ledger.MaxOpening
	}
	c := ledger.Config{Accounts: Accounts(list), Limit: 1 << 24}
	book, err := ledger.New(c)
	if inFile {
		book, _, err = ledger.Open(filepath.Join(b.TempDir(), "books"), c)
	}
	if err != nil {
		b.Fatal(err)
	}
	defer book.Close()
	w := &world{cards: list, host: loadHost(b, dialect), terminals: map[string]*terminal{}}
	if w.bank, err = New(Config{Host: w.host, Cards: list, Book: book}); err != nil {
		b.Fatal(err)
	}
	const messages = 1000
	var payloads [messages][]byte
	op := w.operation("purchase", args{})
	for i := range payloads {
		m := w.message("purchase", parseArgs([]string{fmt.Sprintf("stan=%06d", i+1), "amount=5"}))
		payloads[i] = w.pack(op, m, false)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if n == messages { // the same ones again are new to new books
			b.StopTimer()
			if err := w.bank.Reset(); err != nil {
				b.Fatal(err)
			}
			n = 0
			b.StartTimer()
		}
		r, err := w.bank.Understand(payloads[n])
		if err != nil {
			b.Fatal(err)
		}
		res := w.bank.Process(r)
		if res.Effect != "charged" {
			b.Fatalf("%+v", res)
		}
		if _, err := w.bank.Seal(res.Reply, r.Terminal()); err != nil {
			b.Fatal(err)
		}
		n++
	}
}
