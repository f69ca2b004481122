package terminal_test

import (
	"fmt"
	"strconv"

	"github.com/assay-hil/assay/fakes/terminal"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// books is a host that keeps its own accounts, in any dialect: what it approved and has not reversed. It is written apart from
// the issuer's.
type books struct {
	host *scriptedHost
	open map[string]*posting // of the batch, by STAN
	// closed is the last batch: a terminal that has not heard that it was closed still has it.
	closed map[string]*posting
	wrong  error // the first thing that no sound terminal does
}

// posting is one approved transaction.
type posting struct {
	kind, of string // the operation; the STAN of what it is about
	amount   string // field 4
	auth     string // field 38 of the answer
	void     bool
	done     bool // an authorisation that was completed
}

func newBooks(host *scriptedHost) *books {
	return &books{host: host, open: map[string]*posting{}, closed: map[string]*posting{}}
}

// process answers one request by the books. agree: the totals of a settlement do, whatever they are.
func (b *books) process(request iso8583.Message, agree bool) (iso8583.Message, error) {
	h := b.host
	h.request = request
	reply, err := h.reply(nil)
	if err != nil {
		return reply, err
	}
	stan, o := request.Fields[11], h.answered
	switch o.Name {
	case "sign-on":
		if h.dialect.Keys.Download != "" {
			reply, err = h.reply([]string{"keys"})
		}
	case "purchase", "authorisation", "completion", "refund", "advice", "void":
		auth := "A" + stan[1:]
		if proved, err := h.reply([]string{"38=" + auth, "arpc"}); err == nil {
			reply = proved
		} else if reply, err = h.reply([]string{"38=" + auth}); err != nil { // no chip: or another issuer's, and the card decides
			return reply, err
		}
		b.post(stan, &posting{kind: o.Name, of: b.original(request), amount: request.Fields[4], auth: auth})
	case "reversal", "reversal-advice":
		b.reverse(stan)
	case "settlement":
		err = b.settle(request, &reply, agree)
	case "batch-end":
		b.close()
	}
	return reply, err
}

// original is the STAN of the transaction that a request is about; "" for none. Some requests name it by its approval only.
func (b *books) original(request iso8583.Message) string {
	path, err := b.host.codec.Path(b.host.answered.Original["stan"])
	if err != nil {
		return ""
	}
	named, _ := b.host.codec.Get(request, path)
	for stan, p := range b.open {
		if named == "" && p.auth == request.Fields[38] {
			return stan
		}
	}
	return named
}

func (b *books) post(stan string, p *posting) {
	if first, known := b.open[stan]; known && (first.kind != p.kind || first.amount != p.amount) && b.wrong == nil {
		b.wrong = fmt.Errorf("trace number %s stands for two transactions", stan)
	}
	b.open[stan] = p
	b.mark(p, true)
}

// mark notes on what a posting is about what it does to it, or that it does no more.
func (b *books) mark(p *posting, does bool) {
	original := b.open[p.of]
	switch {
	case original == nil:
	case p.kind == "void":
		original.void = does
	case p.kind == "completion":
		original.done = does
	}
}

func (b *books) reverse(stan string) {
	p := b.open[stan]
	if p == nil {
		return
	}
	b.mark(p, false)
	delete(b.open, stan)
}

// settle holds the terminal's totals against its own: those of the open batch, or with the last one of a terminal that did not
// hear the end. Nothing else can come from a sound terminal, which has nothing pending now.
func (b *books) settle(request iso8583.Message, reply *iso8583.Message, agree bool) error {
	batch := b.host.dialect.Batch
	told := ""
	for _, text := range []string{batch.DebitCount, batch.DebitAmount, batch.CreditCount, batch.CreditAmount} {
		path, err := b.host.codec.Path(text)
		if err != nil {
			return err
		}
		value, _ := b.host.codec.Get(request, path)
		n, _ := strconv.ParseInt(value, 10, 64)
		told += fmt.Sprintf(" %d", n)
	}
	both := map[string]*posting{}
	for _, of := range []map[string]*posting{b.closed, b.open} {
		for stan, p := range of {
			both[stan] = p
		}
	}
	if told != totalsOf(b.open) && told != totalsOf(both) && b.wrong == nil {
		b.wrong = fmt.Errorf("totals%s, charged%s", told, totalsOf(b.open))
	}
	path, err := b.host.codec.Path(batch.Result)
	if err != nil {
		return err
	}
	if !agree {
		return b.host.codec.Set(reply, path, batch.Differ)
	}
	if !b.host.hasAgreedEnd() {
		b.close()
	}
	return b.host.codec.Set(reply, path, batch.Agree)
}

// hasAgreedEnd says whether the end of a batch that agrees is a message of its own.
func (h *scriptedHost) hasAgreedEnd() bool {
	for _, o := range h.dialect.Operations {
		for _, k := range o.When {
			if o.Name == "batch-end" && k.Pattern == "207" {
				return true
			}
		}
	}
	return false
}

func (b *books) close() {
	b.closed, b.open = b.open, map[string]*posting{}
	for stan, p := range b.closed { // what only holds money stays
		if p.kind == "authorisation" && !p.void && !p.done {
			b.open[stan] = p
		}
	}
}

// totalsOf are count and sum of debits, then of credits.
func totalsOf(all map[string]*posting) string {
	var count, sum [2]int64
	for _, p := range all {
		side := 0
		switch {
		case p.void, p.kind == "void", p.kind == "authorisation":
			continue
		case p.kind == "refund":
			side = 1
		}
		amount, _ := strconv.ParseInt(p.amount, 10, 64)
		count[side]++
		sum[side] += amount
	}
	return fmt.Sprintf(" %d %d %d %d", count[0], sum[0], count[1], sum[1])
}

// audit compares the terminal's memory with the host's books: what is in the journal stands at the host, with its amount, and what
// stands there is in the journal, or waits to be reversed or to be told.
func audit(w *world, b *books) error {
	if b.wrong != nil {
		return b.wrong
	}
	m := terminal.PeekMemory(&w.nvram)
	known := map[string]bool{}
	for _, row := range m.Journal {
		p := b.open[row.STAN]
		if p == nil {
			p = b.closed[row.STAN]
		}
		switch {
		case known[row.STAN]:
			return fmt.Errorf("row %s is there twice", row.STAN)
		case p == nil && !row.Offline:
			return fmt.Errorf("row %s of %d does not stand at the host", row.STAN, row.Amount)
		case p != nil && p.amount != fmt.Sprintf("%012d", row.Amount):
			return fmt.Errorf("row %s of %d, at the host %s", row.STAN, row.Amount, p.amount)
		case p != nil && row.Void && !p.void:
			return fmt.Errorf("row %s was voided, at the host it stands", row.STAN)
		}
		known[row.STAN] = true
	}
	if m.Pending != nil {
		stan := m.Pending.Fields[11]
		if known[stan] {
			return fmt.Errorf("%s is approved and to be reversed", stan)
		}
		known[stan] = true
	}
	for _, advice := range m.Advices {
		known[advice.Fields[11]] = true
	}
	for stan, p := range b.open {
		switch {
		case p.kind == "void" && !known[stan]: // it has no row of its own
			if row := rowOf(m, p.of); row == nil || !row.Void {
				return fmt.Errorf("%s was voided by %s, and the terminal doesn't know", p.of, stan)
			}
		case !known[stan] && !p.done:
			return fmt.Errorf("%s (%s) stands at the host, and the terminal doesn't know", stan, p.kind)
		}
	}
	return nil
}

func rowOf(m terminal.State, stan string) *terminal.Row {
	for i := range m.Journal {
		if m.Journal[i].STAN == stan {
			return &m.Journal[i]
		}
	}
	return nil
}
