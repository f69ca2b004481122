package bank

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// model is a naive bank for one card with more money than anybody spends: transactions by STAN and what stands
// of them.
type model struct {
	known  map[int]*modelled
	buried map[int]bool
}

type modelled struct {
	operation string
	amount    int64
	approved  bool
	undone    bool
	original  *modelled // of a completion, refund or void
	refunded  int64
	captured  bool
}

// stands says whether money moved by it has not moved back.
func (m *modelled) stands() bool { return m.approved && !m.undone }

// send predicts what becomes of a request with a new STAN; of is its original.
func (m *model) send(stan int, operation string, amount int64, of int) {
	x := &modelled{operation: operation, amount: amount}
	if len(about(operation)) > 0 {
		x.original = m.known[of]
	}
	m.known[stan] = x
	if x.approved = m.approves(x); x.approved {
		m.apply(x, 1)
	}
	if m.buried[stan] && x.approved {
		m.reverse(stan)
		x.approved = false
	}
	delete(m.buried, stan)
}

func (m *model) approves(x *modelled) bool {
	o := x.original
	switch x.operation {
	case "completion":
		return o != nil && o.operation == "authorisation" && o.stands() && !o.captured && x.amount <= o.amount
	case "refund":
		return o != nil && (o.operation == "purchase" || o.operation == "completion") && o.stands() && o.refunded+x.amount <= o.amount
	case "void":
		return o != nil && o.operation != "void" && o.stands() && !o.captured && o.refunded == 0 && x.amount == o.amount
	}
	return true
}

// apply does (1) or undoes (-1) what an approved transaction does to its original.
func (m *model) apply(x *modelled, sign int64) {
	switch o := x.original; x.operation {
	case "completion":
		o.captured = sign > 0
	case "refund":
		o.refunded += sign * x.amount
	case "void":
		o.undone = sign > 0
		if o.original != nil {
			m.apply(o, -sign)
		}
	}
}

func (m *model) reverse(stan int) {
	x := m.known[stan]
	switch {
	case x == nil:
		m.buried[stan] = true
		return
	case !x.stands() || x.captured || x.refunded > 0:
		return
	case x.operation == "void" && x.original.original != nil && !m.again(x.original):
		return
	}
	x.undone = true
	m.apply(x, -1)
}

// again says whether a voided completion or refund can still stand: its original may have changed meanwhile.
func (m *model) again(x *modelled) bool {
	o := x.original
	if x.operation == "completion" {
		return o.stands() && !o.captured
	}
	return o.stands() && o.refunded+x.amount <= o.amount
}

// net is what has left the card, and held what is set aside.
func (m *model) net() (gone, held int64) {
	for _, x := range m.known {
		switch {
		case !x.stands():
		case x.operation == "purchase" || x.operation == "completion":
			gone += x.amount
		case x.operation == "refund":
			gone -= x.amount
		case x.operation == "authorisation" && !x.captured:
			held += x.amount
		}
	}
	return gone, held
}

// Whatever terminals send in whatever order, and however often, the books prove themselves and the card has
// lost exactly what the model says; also after the bank was started again on its books.
func TestAnyConversationKeepsTheMoneyRight(t *testing.T) {
	const much = 1_000_000_000
	host := loadHost(t, "iso87-ascii")
	rapid.Check(t, func(r *rapid.T) {
		w := newWorldOf(t, host, func(c *Config) { c.Cards[0].Balance = much })
		m := &model{known: map[int]*modelled{}, buried: map[int]bool{}}
		amounts := map[int]int64{}
		for range rapid.IntRange(1, 40).Draw(r, "messages") {
			stan := rapid.IntRange(1, 12).Draw(r, "stan")
			of := rapid.IntRange(1, 12).Draw(r, "of")
			operation := rapid.SampledFrom([]string{"purchase", "purchase", "authorisation", "completion", "refund", "void", "reversal", "reversal", "restart"}).Draw(r, "operation")
			if amounts[stan] == 0 {
				amounts[stan] = rapid.Int64Range(1, 400).Draw(r, "amount")
				if operation == "void" && m.known[of] != nil {
					amounts[stan] = m.known[of].amount
				}
			}
			exchange(t, w, m, operation, stan, of, amounts)
			gone, held := m.net()
			available := w.bank.book.Available("chip", "156")
			if available != much-gone-held || w.bank.book.Held("chip", "156") != held {
				r.Fatalf("after %s %d of %d: %d have left the card and %d are held, the model says %d and %d", operation, stan, of,
					much-available-w.bank.book.Held("chip", "156"), w.bank.book.Held("chip", "156"), gone, held)
			}
			if err := w.bank.book.Check(); err != nil {
				r.Fatal(err)
			}
		}
	})
}

// exchange sends one message to bank and model.
func exchange(t *testing.T, w *world, m *model, operation string, stan, of int, amounts map[int]int64) {
	x := m.known[stan]
	words := fmt.Sprintf("%s stan=%d of=%d amount=%d", operation, stan, of, amounts[stan])
	switch {
	case operation == "restart":
		if err := w.bank.Restart(); err != nil {
			t.Fatal(err)
		}
		return
	case operation == "reversal":
		mti := "0200"
		if x != nil {
			mti = map[string]string{"authorisation": "0100", "completion": "0220"}[x.operation]
		}
		if mti == "" {
			mti = "0200"
		}
		w.ask(t, fmt.Sprintf("reversal stan=%d amount=%d 90=%s%06d0101120000%s", stan, amounts[stan], mti, stan, strings.Repeat("0", 22)))
		m.reverse(stan)
	case x != nil && x.operation != operation: // the same identity for something else: refused
		w.ask(t, words)
	case x != nil: // a repeat, whatever it says of its original
		w.ask(t, words)
	case of == stan:
	default:
		w.ask(t, words)
		m.send(stan, operation, amounts[stan], of)
	}
}
