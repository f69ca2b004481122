package ledger

import (
	"path/filepath"
	"reflect"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// Whatever is posted in whatever order, accepted or refused, the books prove themselves after every entry, and
// the money that has left a card is what a model that knows only standing entries says.
func TestAnySequenceKeepsTheInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, err := New(Config{Accounts: testAccounts()})
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 60).Draw(t, "entries") {
			e := drawEntry(t, b.Len())
			before := standings(b)
			if _, err := b.Post(e); err != nil && !reflect.DeepEqual(standings(b), before) {
				t.Fatalf("%+v was refused (%v), but something has changed", e, err)
			}
			if err := b.Check(); err != nil {
				t.Fatalf("after %+v: %v", e, err)
			}
			holdModel(t, b)
		}
	})
}

func standings(b *Book) []Standing { return b.Entries() }

func drawEntry(t *rapid.T, n int) Entry {
	e := Entry{
		Kind:     rapid.SampledFrom([]Kind{Charge, Charge, Hold, Hold, Capture, Capture, Release, Refund, Undo, Undo, Undo, Settle, Note}).Draw(t, "kind"),
		Terminal: rapid.SampledFrom([]string{"T1", "T2"}).Draw(t, "terminal"),
		Amount:   rapid.Int64Range(1, 4000).Draw(t, "amount"),
		Force:    rapid.Bool().Draw(t, "force"),
		Final:    rapid.Bool().Draw(t, "final"),
	}
	switch e.Kind {
	case Capture, Release, Refund, Undo:
		e.Of = rapid.Uint64Range(0, uint64(n)).Draw(t, "of")
	}
	if e.Of == 0 {
		e.Account = rapid.SampledFrom([]string{"chip", "stripe", "nobody"}).Draw(t, "account")
		e.Currency = rapid.SampledFrom([]string{"156", "840"}).Draw(t, "currency")
	}
	if e.Kind == Hold {
		e.Ceiling = e.Amount + rapid.Int64Range(0, 500).Draw(t, "more")
	}
	return e
}

// holdModel compares the books with sums over the entries that stand.
func holdModel(t *rapid.T, b *Book) {
	for _, currency := range []string{"156", "840"} {
		var gone, opening int64
		for _, x := range b.Entries() {
			if x.UndoneBy != 0 || x.Currency != currency {
				continue
			}
			switch x.Kind {
			case Charge, Capture:
				gone += x.Amount
			case Refund:
				gone -= x.Amount
			}
		}
		var left int64
		for _, a := range testAccounts() {
			opening += a.Opening
			left += b.Available(a.ID, currency) + b.Held(a.ID, currency)
		}
		if opening-left != gone-b.Suspended(currency) {
			t.Fatalf("%s: %d has left the cards and %d the suspense account, the entries say %d", currency, opening-left, b.Suspended(currency), gone)
		}
	}
}

// Books that are read from their file are the books that were written, after every sequence.
func TestAnySequenceSurvivesTheFile(t *testing.T) {
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		path := filepath.Join(dir, strconv.Itoa(n))
		b, _, err := Open(path, Config{Accounts: testAccounts()})
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 30).Draw(t, "entries") {
			if _, err := b.Post(drawEntry(t, b.Len())); err == nil && rapid.IntRange(0, 20).Draw(t, "reset") == 0 {
				if err := b.Reset(testAccounts()); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := standings(b)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		again, r, err := Open(path, Config{Accounts: testAccounts()})
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		if got := standings(again); !same(got, want) || r.Entries != len(want) || r.Torn != 0 {
			t.Fatalf("%+v\n%v\nwant\n%v", r, got, want)
		}
	})
}

// same compares entries, but for the monotonic part of their times.
func same(a, b []Standing) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		x, y := a[i], b[i]
		if !x.At.Equal(y.At) {
			return false
		}
		x.At = y.At
		if x != y {
			return false
		}
	}
	return true
}
