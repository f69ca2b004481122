package bank

import (
	"testing"

	"github.com/assay-hil/assay/fixtures/hosts"
)

// Whatever arrives, the bank does not panic, posts nothing on a format error, and answers with what can be
// packed; and an answer never has the card's number, track or PIN where the request was not understood.
func FuzzProcess(f *testing.F) {
	all := []*hosts.Host{loadHost(f, "iso87-ascii"), loadHost(f, "unionpay-bcd"), loadHost(f, "iso93-binary")}
	for i, host := range all {
		w := newWorldOf(f, host, nil)
		for _, words := range []string{"purchase", "authorisation", "balance", "refund of=2", "void of=2", "completion of=2", "reversal",
			"settlement", "batch-upload of=2 rows=1:5", "batch-end", "script-result of=1 script-result=20", "sign-on", "sign-off", "echo", "advice"} {
			f.Add(i, w.payload(words+" stan=3"))
		}
	}
	f.Fuzz(func(t *testing.T, i int, payload []byte) {
		w := newWorldOf(t, all[max(i%len(all), 0)], nil)
		first, _ := w.bank.Understand(w.payload("purchase stan=1 amount=5"))
		w.bank.Process(first)
		for range 2 {
			before := w.bank.book.Len()
			r, err := w.bank.Understand(payload)
			res := w.bank.Process(r)
			if (err != nil || res.Reason == formatError || res.Reason == macError) && w.bank.book.Len() != before {
				t.Fatalf("%s, %v, but something was posted", res.Reason, err)
			}
			if err := w.bank.book.Check(); err != nil {
				t.Fatal(err)
			}
			for _, reply := range []Result{res, w.bank.Refuse(r, "05")} {
				if reply.Reply.MTI == "" {
					continue
				}
				if _, err := w.bank.Seal(reply.Reply, r.Terminal()); err != nil && w.bank.codec.Dialect().Fields[39].Length == len("05") {
					t.Fatalf("the answer cannot be packed: %v", err)
				}
			}
		}
	})
}
