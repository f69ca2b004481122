package terminal

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// dialect is how this terminal speaks to its host. What a message must have and how it is told from
// others it takes from the host fixture; what goes into a field is in fields.go.
type dialect struct {
	host  *hosts.Host
	codec *iso8583.Codec
	// ed1993: function codes, reasons and action codes of ISO 8583:1993; else the edition of 1987.
	ed1993 bool
	// private: field 60 has type, batch and function of every message, as with UnionPay.
	private bool

	number, result, customer, download iso8583.Path
	debitCount, debitAmount            iso8583.Path
	creditCount, creditAmount          iso8583.Path
}

// The operations that the application asks for, by hosts.OperationNames.
const (
	opPurchase       = "purchase"
	opAuthorisation  = "authorisation"
	opCompletion     = "completion"
	opVoid           = "void"
	opRefund         = "refund"
	opBalance        = "balance"
	opReversal       = "reversal"
	opReversalAdvice = "reversal-advice"
	opAdvice         = "advice"
	opSignOn         = "sign-on"
	opEcho           = "echo"
	opParameters     = "parameters"
	opSettlement     = "settlement"
	opBatchUpload    = "batch-upload"
	opBatchEnd       = "batch-end"
	opScriptResult   = "script-result"
)

func newDialect(host *hosts.Host) (*dialect, error) {
	codec, err := iso8583.NewCodec(host.Dialect)
	if err != nil {
		return nil, fmt.Errorf("%w: host %q: %w", ErrConfig, host.ID, err)
	}
	d := &dialect{host: host, codec: codec, private: len(host.Dialect.Fields[60].Parts) > 0}
	for _, needed := range []string{opPurchase, opReversal, opSignOn} {
		o := d.operation(needed)
		if o == nil {
			return nil, fmt.Errorf("%w: host %q has no operation %s", ErrConfig, host.ID, needed)
		}
		d.ed1993 = o.Request[0] == '1'
	}
	b := host.Batch
	for text, path := range map[*string]*iso8583.Path{
		&b.Number: &d.number, &b.Result: &d.result, &host.CustomerID: &d.customer, &host.Keys.Download: &d.download,
		&b.DebitCount: &d.debitCount, &b.DebitAmount: &d.debitAmount,
		&b.CreditCount: &d.creditCount, &b.CreditAmount: &d.creditAmount,
	} {
		if *text == "" {
			continue
		}
		if *path, err = codec.Path(*text); err != nil {
			return nil, fmt.Errorf("%w: host %q: %w", ErrConfig, host.ID, err)
		}
	}
	return d, nil
}

// operation is the host's first of that name; nil where it has none.
func (d *dialect) operation(name string) *hosts.Operation { return d.operationOf(name, "") }

// operationOf prefers one that is about another operation ("" any), and one whose conditions are those given, as
// "path=value".
func (d *dialect) operationOf(name, of string, when ...string) *hosts.Operation {
	for i := range d.host.Operations {
		o := &d.host.Operations[i]
		if o.Name == name && (of == "" || o.Of == "" || o.Of == of) && fulfils(o, when) {
			return o
		}
	}
	return nil
}

func fulfils(o *hosts.Operation, when []string) bool {
	for _, w := range when {
		path, value, _ := strings.Cut(w, "=")
		if !slices.ContainsFunc(o.When, func(k hosts.Condition) bool { return k.Path == path && k.Pattern == value }) {
			return false
		}
	}
	return true
}

// reversal is the operation that takes a transaction back: in 1993 an advice, which the host can't refuse.
func (d *dialect) reversal() *hosts.Operation {
	if d.ed1993 {
		return d.operation(opReversalAdvice)
	}
	return d.operation(opReversal)
}

// compose makes a request: what the operation needs, what distinguishes it, and what else the terminal
// has to say about the transaction. Values that are missing are for the host to complain about.
func (a *app) compose(o *hosts.Operation, s *sale) (iso8583.Message, error) {
	d := a.dialect
	m := iso8583.Message{MTI: o.Request, Fields: map[int]string{}}
	put := func(n int) {
		if _, known := d.host.Dialect.Fields[n]; !known {
			return
		}
		if value := a.field(n, o, s); value != "" && m.Fields[n] == "" {
			m.Fields[n] = value
		}
	}
	for _, n := range o.Require {
		put(n)
	}
	for _, n := range carried(o.Name) {
		put(n)
	}
	for _, k := range o.When {
		path, err := d.codec.Path(k.Path)
		if err == nil && !k.Holds(d.codec, m) {
			err = d.codec.Set(&m, path, d.fill(k, path))
		}
		if err != nil {
			return m, fmt.Errorf("%s: %w", o.Name, err)
		}
	}
	for _, n := range o.Missing(d.codec, m) {
		put(n)
	}
	if (o.Name == opPurchase || o.Name == opAdvice) && s.customerID != "" && !d.customer.IsZero() {
		if err := d.codec.Set(&m, d.customer, s.customerID); err != nil {
			return m, fmt.Errorf("%s: %w", o.Name, err)
		}
	}
	return m, nil
}

// carried are the fields that a request has when there is something to put into them, mandatory or not.
func carried(operation string) []int {
	switch operation {
	case opPurchase, opAuthorisation, opBalance:
		return []int{23, 26, 35, 52, 53, 55}
	case opCompletion, opVoid, opRefund:
		return []int{2, 37, 38}
	case opAdvice:
		return []int{23, 38, 55}
	case opSettlement, opBatchEnd:
		return []int{74, 76, 86, 88}
	}
	return nil
}

// fill is the value that fulfils a condition: the pattern, with zeros for what it leaves open.
func (d *dialect) fill(k hosts.Condition, path iso8583.Path) string {
	value := strings.ReplaceAll(k.Pattern, "?", "0")
	if head, open := strings.CutSuffix(value, "*"); open {
		value = head + strings.Repeat("0", max(0, d.host.Dialect.Fields[path.Field()].Length-len(head)))
	}
	return value
}

// approves says whether a response code of an operation is an approval, and whether of a part only.
func (d *dialect) approves(o *hosts.Operation, code string) (approved, partly bool) {
	switch {
	case code == d.host.Code(o, "approved"):
		return true, false
	case code == d.host.Code(o, "partial"):
		return true, true
	case d.ed1993:
		return code == "000" || code == "001" || code == "003", false
	}
	return slices.Contains([]string{"11", "A2", "A4", "A5", "A6"}, code), false
}
