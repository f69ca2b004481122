package bank

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fakes/issuer/ledger"
)

// Limits of a batch upload.
const (
	MaxUpload      = 10_000 // transactions of one batch
	MaxDifferences = 100    // in words; more are counted
)

// upload is a batch whose totals differed and whose transactions are sent one by one.
type upload struct {
	claim  claim
	listed int            // its place in Bank.settlements; -1: not listed
	rows   map[string]row // by STAN
	twice  []string       // differences within the upload
}

// row is one uploaded transaction.
type row struct {
	amount int64
	card   string // ID; "" where it is not said or not known
}

// closed is the batch that a terminal has closed last.
type closed struct {
	claim  claim
	agrees bool
}

// Layout of the rows that Batch.Upload has: two digits for their number, then for each the kind of card
// (2), STAN (6), card number (20, zeros before it) and amount (12).
const (
	rowCount  = 2
	rowSTAN   = 2
	rowCard   = rowSTAN + 6
	rowAmount = rowCard + 20
	rowLength = rowAmount + 12
)

// rows reads what a batch upload message has.
func (b *Bank) rows(q *inquiry) (map[string]row, error) {
	if b.paths.upload.IsZero() {
		stan := q.named["stan"]
		if stan == "" || q.amount < 0 {
			return nil, fmt.Errorf("it names no transaction with an amount")
		}
		return map[string]row{stan: {q.amount, q.Card}}, nil
	}
	value, _ := b.codec.Get(q.Message, b.paths.upload)
	n := 0
	if len(value) >= rowCount {
		n, _ = strconv.Atoi(value[:rowCount]) // no number is 0, which no length fits
	}
	if n == 0 || len(value) != rowCount+n*rowLength {
		return nil, fmt.Errorf("%s has not the rows that it announces", b.paths.upload)
	}
	rows := make(map[string]row, n)
	for part := value[rowCount:]; part != ""; part = part[rowLength:] {
		amount, err := strconv.ParseInt(part[rowAmount:rowLength], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: an amount is no number", b.paths.upload)
		}
		r := row{amount: amount}
		if c := b.cards[strings.TrimLeft(part[rowCard:rowAmount], "0")]; c != nil {
			r.card = c.ID
		}
		rows[part[rowSTAN:rowCard]] = r
	}
	return rows, nil
}

// batchUpload takes transactions of a batch that differed. The same one may come again.
func (b *Bank) batchUpload(q *inquiry) outcome {
	rows, err := b.rows(q)
	if err != nil {
		q.fault("%v", err)
		return outcome{reason: formatError}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sessions[q.Terminal()]
	number, _ := b.codec.Get(q.Message, b.paths.number)
	switch {
	case s != nil && s.upload != nil && s.upload.claim.number == number:
	case s != nil && s.closed != nil && s.closed.claim.number == number:
		if s.closed.agrees {
			q.fault("an upload of batch %.6q, whose totals agreed", number)
		}
		return outcome{reason: approved, effect: client.EffectRepeat}
	default:
		q.fault("an upload of batch %.6q, which did not differ", number)
		return outcome{reason: invalidTransaction}
	}
	if len(s.upload.rows)+len(rows) > MaxUpload {
		q.fault("more than %d transactions in a batch", MaxUpload)
		return outcome{reason: systemError}
	}
	effect := client.EffectRepeat
	for _, stan := range slices.Sorted(maps.Keys(rows)) {
		switch first, known := s.upload.rows[stan]; {
		case !known:
			s.upload.rows[stan] = rows[stan]
			effect = client.EffectUploaded
		case first != rows[stan]:
			s.upload.twice = append(s.upload.twice, fmt.Sprintf("STAN %.12s: uploaded twice, differently", stan))
			effect = client.EffectUploaded
		}
	}
	return outcome{reason: approved, effect: effect}
}

// batchEnd closes a batch after its upload: what was uploaded is held against the books row by row, and
// the differences are recorded. The books stay as they are.
func (b *Bank) batchEnd(q *inquiry) outcome {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sessions[q.Terminal()]
	if s != nil {
		b.endsOtherwise(q, s)
	}
	if s == nil || s.upload == nil {
		if s != nil && s.closed != nil {
			return outcome{reason: approved, effect: client.EffectRepeat}
		}
		q.fault("the end of a batch without a settlement")
		return outcome{reason: invalidTransaction}
	}
	u := s.upload
	differences := append(u.differences(b.book.Batch(q.Terminal(), u.claim.currency)), u.twice...)
	if err := b.closeBatch(q, s, u.claim, false); err != nil {
		q.fault("%v", err)
		return outcome{reason: systemError}
	}
	if u.listed >= 0 {
		x := &b.settlements[u.listed]
		x.Closed, x.Uploaded = true, len(u.rows)
		x.Differences = differences[:min(len(differences), MaxDifferences)]
		if more := len(differences) - MaxDifferences; more > 0 {
			x.Differences = append(x.Differences[:MaxDifferences:MaxDifferences], fmt.Sprintf("and %d more", more))
		}
	}
	effect := client.EffectSettled
	if len(differences) > 0 {
		effect = client.EffectUnbalanced
	}
	return b.ended(len(differences) == 0, effect)
}

// ended is the answer to the end of a batch. It says whether the batch agrees where a field of its own does.
func (b *Bank) ended(agrees bool, effect string) outcome {
	out := b.judged(agrees, effect)
	if p := b.paths.result; p.Field() == fieldCode || p.String() != strconv.Itoa(p.Field()) {
		out.change = nil
	}
	return out
}

// differences are what an upload and the books disagree on.
func (u *upload) differences(books []ledger.Entry) (list []string) {
	rest := maps.Clone(u.rows)
	for _, e := range books {
		stan := e.Memo.STAN
		r, uploaded := rest[stan]
		delete(rest, stan)
		switch {
		case !uploaded:
			list = append(list, fmt.Sprintf("STAN %s: not uploaded, the books have %d", stan, e.Amount))
		case r.amount != e.Amount:
			list = append(list, fmt.Sprintf("STAN %s: uploaded %d, the books have %d", stan, r.amount, e.Amount))
		case r.card != e.Account:
			list = append(list, fmt.Sprintf("STAN %s: uploaded for another card than %s", stan, e.Account))
		}
	}
	for _, stan := range slices.Sorted(maps.Keys(rest)) {
		list = append(list, fmt.Sprintf("STAN %s: uploaded %d, %s", stan, rest[stan].amount, client.NotInTheBooks))
	}
	return list
}

// MaxScripts bounds the list of script results; later ones are answered, but not listed.
const MaxScripts = 1000

// tagScriptResult is what became of an issuer script, at the terminal (UnionPay and PBOC, tag DF31).
const tagScriptResult = 0xDF31

// scriptResult takes what a terminal tells of an issuer script.
func (b *Bank) scriptResult(q *inquiry) outcome {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.known.scripts[q.identity] {
		return outcome{reason: approved, effect: client.EffectRepeat}
	}
	r := client.ScriptResult{Terminal: q.Terminal(), STAN: q.f[fieldSTAN], At: time.Now(), Card: q.Card}
	if t := b.known.named(q.Terminal(), q.named, opPurchase, opAuthorisation, opCompletion, opRefund, opBalance); t != nil {
		r.Original = t.memo.RRN
	} else {
		q.fault("a script result for a transaction that the bank does not know")
	}
	if value, ok := q.chip.Find(tagScriptResult); ok {
		r.Result = fmt.Sprintf("%X", value)
		q.scriptsFailed(value)
	} else {
		q.fault("a script result without tag DF31: nothing says what became of it")
	}
	if len(b.scripts) < MaxScripts {
		b.scripts = append(b.scripts, r)
		b.known.scripts[q.identity] = true
	}
	return outcome{reason: approved, effect: client.EffectNoted}
}
