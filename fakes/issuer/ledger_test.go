package issuer

import (
	"errors"
	"strings"
	"testing"

	"github.com/assay-hil/assay/fakes/issuer/client"
)

func TestLedgerRefusesWhatDoesNotBalance(t *testing.T) {
	tests := []struct {
		name   string
		amount int64
		spoil  func(l *ledger, a *account)
		want   string // "" for a posting that is right
	}{
		{"right", 100, func(*ledger, *account) {}, ""},
		{"everything", 10000, func(*ledger, *account) {}, ""},
		{"overdraft", 10001, func(*ledger, *account) {}, "overdrawn"},
		{"nothing", 0, func(*ledger, *account) {}, "sale of 0"},
		{"negative", -5, func(*ledger, *account) {}, "sale of -5"},
		{"money from nowhere", 100, func(_ *ledger, a *account) { a.balance++ }, "has spent 99, its sales are 100"},
		{"a lost sale", 100, func(l *ledger, a *account) { a.balance -= 7 }, "has spent 107"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLedger(testCards())
			a := l.accounts[chipPAN]
			tt.spoil(l, a)
			before := a.balance
			c, err := l.charge(a, client.Charge{Amount: tt.amount})
			if tt.want == "" {
				if err != nil || a.balance != before-tt.amount || !c.open() {
					t.Errorf("%v, balance %d", err, a.balance)
				}
				return
			}
			if !errors.Is(err, errBooks) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if a.balance != before || len(l.charges) != 0 {
				t.Error("a refused posting left something behind")
			}
		})
	}
}

func TestReverseThatDoesNotBalance(t *testing.T) {
	l := newLedger(testCards())
	a := l.accounts[chipPAN]
	c, err := l.charge(a, client.Charge{Amount: 100})
	if err != nil {
		t.Fatal(err)
	}
	a.balance--
	if _, err := l.reverse(c); !errors.Is(err, errBooks) || !c.open() || a.balance != 9899 {
		t.Errorf("%v, open %v, balance %d", err, c.open(), a.balance)
	}
}

// Broken books show: the sale gets 96 and the issuer says why.
func TestBrokenBooksAnswer96(t *testing.T) {
	s := newServer(t)
	s.bank.books.accounts[stripePAN].balance = 6000
	if d := s.decide(swipe(t, 1, 100)); d.reply.Fields[39] != codeSystem {
		t.Errorf("answer %v", d.reply)
	}
	if v := s.state().Violations; len(v) != 1 || !strings.Contains(v[0], errBooks.Error()) {
		t.Errorf("violations %q", v)
	}
}

func TestBooksAreBounded(t *testing.T) {
	s := newServer(t)
	if err := s.setup(client.Setup{}); err != nil {
		t.Fatal(err)
	}
	for n := range MaxSales { // declined sales are remembered too
		s.decide(swipe(t, n, 99999))
	}
	sale := swipe(t, MaxSales, 100)
	if d := s.decide(sale); d.reply.Fields[39] != codeSystem {
		t.Errorf("one sale too many: %v", d.reply)
	}
	sale.MTI = "0400"
	sale.Fields[39], sale.Fields[90] = "98", "0200"+sale.Fields[11]+sale.Fields[7]+strings.Repeat("0", 22)
	if d := s.decide(sale); d.reply.Fields[39] != codeSystem {
		t.Errorf("one reversal too many: %v", d.reply)
	}
	if d := s.decide(swipe(t, 7, 99999)); d.effect != client.EffectRepeat {
		t.Errorf("a repeat is refused: %v", d)
	}
	st := s.state()
	if len(st.Violations) != 2 || len(s.bank.books.sales) != MaxSales {
		t.Errorf("violations %q", st.Violations)
	}
}

func TestJournalIsBounded(t *testing.T) {
	var j journal
	for range MaxJournal + 3 {
		j.add(client.Entry{})
	}
	list := j.list()
	if len(list) != MaxJournal || j.dropped != 3 || list[0].Seq != 4 || list[MaxJournal-1].Seq != MaxJournal+3 {
		t.Errorf("%d entries from %d, dropped %d", len(list), list[0].Seq, j.dropped)
	}
}

func TestViolationsAreBounded(t *testing.T) {
	var v violations
	for range MaxViolations + 2 {
		v.add("wrong")
	}
	if list := v.list(); len(list) != MaxViolations+1 || list[MaxViolations] != "and 2 more" {
		t.Errorf("%d, the last %q", len(list), list[len(list)-1])
	}
}

func TestMaskPAN(t *testing.T) {
	for pan, want := range map[string]string{
		chipPAN: "476173******0119", "4222222222222": "422222***2222", "476173900119": "[pan 12]", "": "[pan 0]",
	} {
		if got := maskPAN(pan); got != want {
			t.Errorf("%d digits: %q, want %q", len(pan), got, want)
		}
	}
}
