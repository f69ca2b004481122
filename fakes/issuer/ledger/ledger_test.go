package ledger

import (
	"errors"
	"strings"
	"testing"
)

func testAccounts() []Account {
	return []Account{{ID: "chip", Opening: 10000}, {ID: "stripe", Opening: 5000}}
}

func newBook(t testing.TB) *Book {
	t.Helper()
	b, err := New(Config{Accounts: testAccounts()})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// post wants an entry posted.
func post(t testing.TB, b *Book, e Entry) uint64 {
	t.Helper()
	posted, err := b.Post(e)
	if err != nil {
		t.Fatalf("%+v: %v", e, err)
	}
	if err := b.Check(); err != nil {
		t.Fatalf("after %+v: %v", e, err)
	}
	return posted.Seq
}

// refuse wants an entry refused, and nothing changed.
func refuse(t testing.TB, b *Book, e Entry, want error) {
	t.Helper()
	available, held, n := b.Available("chip", "156"), b.Held("chip", "156"), b.Len()
	if _, err := b.Post(e); !errors.Is(err, want) {
		t.Errorf("%+v: %v, want %v", e, err, want)
	}
	if b.Available("chip", "156") != available || b.Held("chip", "156") != held || b.Len() != n {
		t.Errorf("%+v was refused, but something has changed", e)
	}
	if err := b.Check(); err != nil {
		t.Errorf("%+v: %v", e, err)
	}
}

// money wants what is available and held of card chip, and what the suspense account has paid.
func money(t testing.TB, b *Book, available, held, suspended int64) {
	t.Helper()
	if a, h, s := b.Available("chip", "156"), b.Held("chip", "156"), b.Suspended("156"); a != available || h != held || s != suspended {
		t.Errorf("available %d, held %d, suspended %d; want %d, %d, %d", a, h, s, available, held, suspended)
	}
}

func charge(amount int64) Entry {
	return Entry{Kind: Charge, Account: "chip", Terminal: "T1", Currency: "156", Amount: amount}
}

func hold(amount int64) Entry {
	e := charge(amount)
	e.Kind = Hold
	return e
}

func undo(of uint64) Entry { return Entry{Kind: Undo, Of: of} }

func TestChargeAndUndo(t *testing.T) {
	b := newBook(t)
	sale := post(t, b, charge(1250))
	money(t, b, 8750, 0, 0)
	refuse(t, b, charge(8751), ErrFunds)
	reversal := post(t, b, undo(sale))
	money(t, b, 10000, 0, 0)
	refuse(t, b, undo(sale), ErrUndone)
	post(t, b, undo(reversal)) // the sale stands again
	money(t, b, 8750, 0, 0)
	again := post(t, b, undo(sale))
	money(t, b, 10000, 0, 0)
	if x, _ := b.Get(sale); x.UndoneBy != again {
		t.Errorf("undone by %d, want %d", x.UndoneBy, again)
	}
}

func TestAnUndoOfAnUndoIsFinal(t *testing.T) {
	b := newBook(t)
	sale := post(t, b, charge(1250))
	again := post(t, b, undo(post(t, b, undo(sale))))
	refuse(t, b, undo(again), ErrUnknown)
}

func TestHoldsAreCapturedUpToTheirCeiling(t *testing.T) {
	b := newBook(t)
	e := hold(1000)
	e.Ceiling = 1150
	h := post(t, b, e)
	money(t, b, 9000, 1000, 0)
	part := post(t, b, Entry{Kind: Capture, Of: h, Amount: 300})
	money(t, b, 9000, 700, 0)
	refuse(t, b, Entry{Kind: Capture, Of: h, Amount: 851}, ErrExceeds)
	refuse(t, b, undo(h), ErrBuiltOn)
	last := post(t, b, Entry{Kind: Capture, Of: h, Amount: 850, Final: true})
	money(t, b, 8850, 0, 0)
	refuse(t, b, Entry{Kind: Capture, Of: h, Amount: 1}, ErrClosed)
	refuse(t, b, Entry{Kind: Release, Of: h}, ErrClosed)
	post(t, b, undo(last))
	money(t, b, 9000, 700, 0)
	post(t, b, Entry{Kind: Release, Of: h})
	money(t, b, 9700, 0, 0)
	post(t, b, undo(part)) // its hold is closed: the money is free
	money(t, b, 10000, 0, 0)
	if x, _ := b.Get(h); x.Captured != 0 || x.Held != 0 {
		t.Errorf("%+v", x)
	}
}

func TestFinalCaptureFreesTheRestAndItsUndoHoldsItAgain(t *testing.T) {
	b := newBook(t)
	h := post(t, b, hold(4000))
	c := post(t, b, Entry{Kind: Capture, Of: h, Amount: 3000, Final: true})
	money(t, b, 7000, 0, 0)
	post(t, b, charge(6500)) // of the 1000 that were freed, 500 are spent
	undone := post(t, b, undo(c))
	money(t, b, 0, 3500, 0)
	post(t, b, undo(undone)) // captured anew, the rest freed
	money(t, b, 500, 0, 0)
	post(t, b, undo(c))
	money(t, b, 0, 3500, 0)
}

func TestReleaseAndItsUndo(t *testing.T) {
	b := newBook(t)
	h := post(t, b, hold(4000))
	r := post(t, b, Entry{Kind: Release, Of: h})
	money(t, b, 10000, 0, 0)
	post(t, b, charge(9000))
	back := post(t, b, undo(r))
	money(t, b, 0, 1000, 0) // as far as the money is there
	post(t, b, undo(back))
	money(t, b, 1000, 0, 0)
	refuse(t, b, undo(h), ErrClosed)
}

func TestHoldUndoneAndBack(t *testing.T) {
	b := newBook(t)
	h := post(t, b, hold(4000))
	void := post(t, b, undo(h))
	money(t, b, 10000, 0, 0)
	refuse(t, b, Entry{Kind: Capture, Of: h, Amount: 1}, ErrUndone)
	post(t, b, undo(void))
	money(t, b, 6000, 4000, 0)
	post(t, b, Entry{Kind: Capture, Of: h, Amount: 4000})
	money(t, b, 6000, 0, 0)
}

func TestRefundsUpToTheCharge(t *testing.T) {
	b := newBook(t)
	sale := post(t, b, charge(900))
	first := post(t, b, Entry{Kind: Refund, Of: sale, Amount: 400})
	refuse(t, b, Entry{Kind: Refund, Of: sale, Amount: 501}, ErrExceeds)
	refuse(t, b, undo(sale), ErrBuiltOn)
	money(t, b, 9500, 0, 0)
	undone := post(t, b, undo(first))
	second := post(t, b, Entry{Kind: Refund, Of: sale, Amount: 600})
	refuse(t, b, undo(undone), ErrExceeds) // 400 have no room any more
	post(t, b, undo(second))
	post(t, b, undo(undone))
	money(t, b, 9500, 0, 0)
	void := post(t, b, charge(10))
	post(t, b, undo(void))
	refuse(t, b, Entry{Kind: Refund, Of: void, Amount: 10}, ErrUndone)
	post(t, b, Entry{Kind: Refund, Account: "chip", Terminal: "T1", Currency: "156", Amount: 70}) // of nothing that is known
	money(t, b, 9570, 0, 0)
}

func TestSuspensePaysWhatHasTakenPlace(t *testing.T) {
	b := newBook(t)
	e := charge(12000)
	refuse(t, b, e, ErrFunds)
	e.Force = true
	advice := post(t, b, e)
	money(t, b, 0, 0, 2000)
	post(t, b, undo(advice))
	money(t, b, 10000, 0, 0)
	sale := post(t, b, charge(10000))
	refund := post(t, b, Entry{Kind: Refund, Of: sale, Amount: 10000})
	post(t, b, charge(9000))
	post(t, b, undo(refund)) // the money is gone
	money(t, b, 0, 0, 9000)
	h := post(t, b, Entry{Kind: Hold, Account: "stripe", Terminal: "T1", Currency: "156", Amount: 5000, Ceiling: 6000})
	c := post(t, b, Entry{Kind: Capture, Of: h, Amount: 6000, Final: true, Force: true})
	if s := b.Suspended("156"); s != 10000 {
		t.Errorf("suspended %d", s)
	}
	post(t, b, undo(c))
	if s := b.Suspended("156"); s != 9000 {
		t.Errorf("suspended %d after the undo", s)
	}
}

// A sale that is brought back after its money was spent stands by other legs, and is undone by those.
func TestWhatIsBroughtBackIsUndoneAsItStands(t *testing.T) {
	b := newBook(t)
	sale := post(t, b, charge(10000))
	void := post(t, b, undo(sale))
	post(t, b, charge(9000))
	post(t, b, undo(void))
	money(t, b, 0, 0, 9000)
	post(t, b, undo(sale))
	money(t, b, 1000, 0, 0)
}

func TestBatchesAndSettlement(t *testing.T) {
	b := newBook(t)
	sale := post(t, b, charge(500))
	gone := post(t, b, charge(300))
	void := post(t, b, undo(gone))
	post(t, b, Entry{Kind: Refund, Of: sale, Amount: 200})
	if got, want := b.Totals("T1", "156"), (Totals{1, 500, 1, 200}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if list := b.Batch("T1", "156"); len(list) != 2 || list[0].Seq != sale {
		t.Errorf("%+v", list)
	}
	post(t, b, Entry{Kind: Settle, Terminal: "T1", Currency: "156"})
	if got := b.Totals("T1", "156"); got != (Totals{}) {
		t.Errorf("%+v after the settlement", got)
	}
	if x, _ := b.Get(sale); !x.Settled {
		t.Error("the sale is not settled")
	}
	if x, _ := b.Get(gone); x.Settled {
		t.Error("what did not stand is settled")
	}
	post(t, b, undo(void)) // stands again, in the next batch
	if got, want := b.Totals("T1", "156"), (Totals{1, 300, 0, 0}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := b.Totals("T1", "840"); got != (Totals{}) {
		t.Errorf("%+v in another currency", got)
	}
}

func TestCurrenciesAreApart(t *testing.T) {
	b := newBook(t)
	post(t, b, charge(10000))
	e := charge(10000)
	e.Currency = "840"
	sale := post(t, b, e)
	refuse(t, b, Entry{Kind: Refund, Of: sale, Currency: "156", Amount: 1}, ErrUnknown)
	refuse(t, b, charge(1), ErrFunds)
}

func TestEntriesThatAreNone(t *testing.T) {
	b := newBook(t)
	sale := post(t, b, charge(100))
	for _, tt := range []struct {
		name string
		e    Entry
		want error
	}{
		{"nothing", charge(0), ErrEntry},
		{"negative", charge(-5), ErrEntry},
		{"too much", charge(MaxAmount + 1), ErrEntry},
		{"no currency", Entry{Kind: Charge, Account: "chip", Amount: 1}, ErrEntry},
		{"no kind", Entry{Account: "chip"}, ErrEntry},
		{"unknown account", Entry{Kind: Charge, Account: "gold", Currency: "156", Amount: 1}, ErrUnknown},
		{"unknown original", undo(99), ErrUnknown},
		{"capture of a charge", Entry{Kind: Capture, Of: sale, Amount: 1}, ErrUnknown},
		{"ceiling below the hold", Entry{Kind: Hold, Account: "chip", Currency: "156", Amount: 5, Ceiling: 4}, ErrEntry},
		{"long text", Entry{Kind: Note, Terminal: strings.Repeat("T", maxText+1)}, ErrEntry},
		{"refund for another card", Entry{Kind: Refund, Of: sale, Account: "stripe", Amount: 1}, ErrUnknown},
	} {
		t.Run(tt.name, func(t *testing.T) { refuse(t, b, tt.e, tt.want) })
	}
}

func TestBooksThatCannotBeOpened(t *testing.T) {
	for name, accounts := range map[string][]Account{
		"twice":         {{ID: "a"}, {ID: "a"}},
		"no name":       {{}},
		"a card number": {{ID: "4761739001010119"}},
		"negative":      {{ID: "a", Opening: -1}},
		"too rich":      {{ID: "a", Opening: MaxOpening + 1}},
	} {
		if _, err := New(Config{Accounts: accounts}); !errors.Is(err, ErrEntry) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBooksAreFull(t *testing.T) {
	b, err := New(Config{Accounts: testAccounts(), Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	sale := post(t, b, charge(1))
	refuse(t, b, charge(1), ErrFull)
	refuse(t, b, Entry{Kind: Note}, ErrFull)
	void := post(t, b, Entry{Kind: Undo, Of: sale}) // money must be given back, come what may
	post(t, b, Entry{Kind: Undo, Of: void})
	if err := b.Reset(testAccounts()); err != nil {
		t.Fatal(err)
	}
	post(t, b, charge(1))
}

// Every contradiction that Check looks for is found.
func TestCheckFindsWhatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(b *Book)
		want  string
	}{
		{"nothing", func(*Book) {}, ""},
		{"money from nowhere", func(b *Book) { b.card("chip", "156").balance++ }, "its entries make"},
		{"a lost leg", func(b *Book) { b.items[0].legs.n-- }, "sums to"},
		{"a currency that does not sum to zero", func(b *Book) { b.sums["156"] = 1 }, "156 sums to 1"},
		{"captured", func(b *Book) { b.items[1].captured++ }, "captured differs"},
		{"ceiling", func(b *Book) { b.items[1].entry.Ceiling = 1 }, "beyond its ceiling"},
		{"refunded", func(b *Book) { b.items[0].refunded++ }, "refunded differs"},
		{"refunded more", func(b *Book) { b.items[0].entry.Amount = 1 }, "refunded beyond"},
		{"held", func(b *Book) { b.items[1].held++ }, "the holds make"},
		{"held and closed", func(b *Book) { b.items[1].closed = 9 }, "holds what it cannot"},
		{"undone by nobody", func(b *Book) { b.items[4].undone = 99 }, "about another one"},
		{"undone, but built on", func(b *Book) { b.items[0].undone = 6 }, "something builds on it"},
		{"totals", func(b *Book) { b.batches[batchKey{"T1", "156"}].totals.DebitAmount++ }, "totals differ"},
		{"a batch that is gone", func(b *Book) { clear(b.batches) }, "outside its batch"},
		{"overdrawn", func(b *Book) { b.move("card:chip", "opening", 1_000_000) }, "overdrawn"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBook(t)
			sale := post(t, b, charge(500))
			h := post(t, b, hold(400))
			post(t, b, Entry{Kind: Capture, Of: h, Amount: 100})
			post(t, b, Entry{Kind: Refund, Of: sale, Amount: 50})
			gone := post(t, b, charge(30))
			post(t, b, undo(gone))
			tt.spoil(b)
			err := b.Check()
			if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, ErrBooks) || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// move takes money from one account to another by way of the first entry's legs, so that all sums hold.
func (b *Book) move(from, to string, amount int64) {
	l := &b.items[0].legs
	for _, x := range []struct {
		name   string
		amount int64
	}{{from, -amount}, {to, amount}} {
		a := b.account(x.name, "156")
		a.balance += x.amount
		l.add(a, x.amount)
	}
}
