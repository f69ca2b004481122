package bank

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/cvv"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/iso8583"
)

const (
	testTerminal = "TERM0001"
	testMerchant = "MERCHANT0000001"
)

// testCVK is the card verification key of card "stripe".
var testCVK = []byte("\x01\x23\x45\x67\x89\xAB\xCD\xEF\xFE\xDC\xBA\x98\x76\x54\x32\x10")

// testCards are the accounts: 100.00 behind a chip card, 50.00 behind a stripe card with a CVV, and a card
// whose last month is January 2000, the month in which a synctest bubble begins.
func testCards(t testing.TB) []cards.Card {
	value, err := cvv.Compute(testCVK, "5413330089020011", "3012", "101")
	if err != nil {
		t.Fatal(err)
	}
	return []cards.Card{
		{ID: "chip", PAN: "4761739001010119", Expiry: "2812", Service: "201", Discretionary: "12345678900", PIN: "8642", Balance: 10000,
			Chip: &cards.Chip{Sequence: "01", MasterKey: []byte("fedcba9876543210")}},
		{ID: "stripe", PAN: "5413330089020011", Expiry: "3012", Service: "101", Discretionary: "10000" + value, PIN: "7531", Balance: 5000},
		{ID: "old", PAN: "4761739001010010", Expiry: "0001", Service: "101", Discretionary: "0", PIN: "1111", Balance: 5000},
	}
}

// args are the words of a command: plain ones, key=value, and paths to set or fields to remove.
type args struct {
	plain  []string
	named  map[string]string
	fields []setting
	gone   []int
}

type setting struct{ name, value string }

func parseArgs(words []string) args {
	a := args{named: make(map[string]string)}
	for _, word := range words {
		name, value, pair := strings.Cut(word, "=")
		n, err := strconv.Atoi(name)
		switch {
		case err == nil && n < 0:
			a.gone = append(a.gone, -n)
		case pair && (name[0] >= '0' && name[0] <= '9' || strings.HasPrefix(name, "header.")):
			a.fields = append(a.fields, setting{name, value})
		case pair:
			a.named[name] = value
		default:
			a.plain = append(a.plain, word)
		}
	}
	return a
}

func (a args) get(name, fallback string) string {
	if v, ok := a.named[name]; ok {
		return v
	}
	return fallback
}

func (a args) has(word string) bool { return slices.Contains(a.plain, word) }

// terminal is the other side of a conversation: what a payment terminal keeps of it.
type terminal struct {
	mac, pin []byte
	sent     map[string]sent // by STAN: the latest request of each
}

// sent is a request and its answer.
type sent struct {
	request, reply iso8583.Message
	key            []byte // of the answer's cryptogram
	ac             [8]byte
	chip           emv.List
}

func loadHost(t testing.TB, name string) *hosts.Host {
	t.Helper()
	h, err := hosts.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// message builds a right request of an operation in a dialect: what the operation requires, with the
// values that the words say.
func (w *world) message(name string, a args) iso8583.Message {
	op := w.operation(name, a)
	m := iso8583.Message{MTI: a.get("mti", op.Request), Fields: map[int]string{}}
	c := w.card(a.get("card", "chip"))
	required := w.fields(op, a, c)
	for _, n := range required {
		w.fill(&m, n, c, a)
	}
	for _, k := range slices.Concat(op.When, op.Values) {
		w.set(&m, k.Path, example(k.Pattern, w.length(k.Path)))
	}
	w.original(&m, op, a)
	w.batch(&m, op, a)
	for _, s := range a.fields {
		w.set(&m, s.name, s.value)
	}
	for _, n := range a.gone {
		delete(m.Fields, n)
	}
	return m
}

// operation finds one by its name, the first with the MTI or the 60.type that is said.
func (w *world) operation(name string, a args) *hosts.Operation {
	for i := range w.host.Operations {
		o := &w.host.Operations[i]
		if o.Name == name && (a.get("of-mti", o.Request) == o.Request) && w.kind(o, a.get("kind", "")) {
			return o
		}
	}
	w.fatalf("the dialect has no operation %q", name)
	return nil
}

// kind says whether one of an operation's conditions has this pattern.
func (w *world) kind(o *hosts.Operation, kind string) bool {
	for _, k := range o.When {
		if k.Pattern == kind {
			return true
		}
	}
	return kind == ""
}

// fields are those of a request: required ones, those that the way of reading the card adds, and the PIN.
func (w *world) fields(op *hosts.Operation, a args, c cards.Card) []int {
	list := append([]int{}, op.Require...)
	entry := len(op.RequireWhen) > 0
	if entry {
		list = append(list, 35)
	}
	if (entry || a.get("cid", "") != "") && c.Chip != nil {
		list = append(list, 23, 55)
	}
	if entry && a.get("pin", c.PIN) != "none" {
		list = append(list, 52)
		if _, ok := w.host.Dialect.Fields[53]; ok {
			list = append(list, 26, 53)
		}
	}
	return list
}

// fill gives a field its right value.
func (w *world) fill(m *iso8583.Message, n int, c cards.Card, a args) {
	f, f12 := m.Fields, w.host.Dialect.Fields[12].Length == 12
	switch n {
	case 2:
		f[n] = c.PAN
	case 4:
		f[n] = pad(a.get("amount", "1250"), 12)
	case 7:
		f[n] = "0101120000"
	case 11:
		f[n] = pad(a.get("stan", "1"), 6)
	case 12:
		f[n] = "120000"
		if f12 {
			f[n] = "000101120000"
		}
	case 13:
		f[n] = "0101"
	case 14:
		f[n] = c.Expiry
	case 22:
		f[n] = w.entryMode(c, a)
	case 23:
		f[n] = "0" + c.Chip.Sequence
	case 35:
		f[n] = c.PAN + "=" + c.Expiry + c.Service + c.Discretionary
	case 41:
		f[n] = a.get("terminal", testTerminal)
	case 42:
		f[n] = testMerchant
	case 49:
		f[n] = a.get("currency", "156")
	case 52:
		f[n] = w.pinBlock(a.get("pin", c.PIN), c.PAN, a)
	case 55:
		w.chip(f, c, a)
	default:
		w.rest(m, n, a)
	}
}

// rest are fields that only mean something in their dialect.
func (w *world) rest(m *iso8583.Message, n int, a args) {
	typ := w.host.Dialect.Fields[n]
	switch {
	case n == 39:
		m.Fields[n] = a.get("reason", "98")
	case n == 60 && len(typ.Parts) > 0:
		m.Fields[n] = "00" + pad(a.get("batch", "1"), 6) + "00050"
	case n == 60:
		m.Fields[n] = pad(a.get("batch", "1"), 6)
	case typ.Var == 0:
		m.Fields[n] = strings.Repeat("0", typ.Length)
	default:
		m.Fields[n] = ""
	}
}

// entryMode is DE22: chip or stripe, with PIN or without.
func (w *world) entryMode(c cards.Card, a args) string {
	chip, entered := c.Chip != nil, a.get("pin", c.PIN) != "none"
	if w.host.Dialect.Fields[22].Length == 12 {
		mode := []byte("210101200140")
		mode[6] = map[bool]byte{true: '5', false: '2'}[chip]
		mode[7] = map[bool]byte{true: '1', false: '0'}[entered]
		return string(mode)
	}
	return map[bool]string{true: "05", false: "02"}[chip] + map[bool]string{true: "1", false: "2"}[entered]
}

// original fills in what names the transaction that a message is about: the one sent with STAN of=.
func (w *world) original(m *iso8583.Message, op *hosts.Operation, a args) {
	if len(op.Original) == 0 {
		return
	}
	term := w.terminal(m.Fields[41])
	o, known := term.sent[pad(a.get("of", a.get("stan", "1")), 6)]
	if !known {
		o.request = iso8583.Message{MTI: map[bool]string{true: "1200", false: "0200"}[m.MTI[0] == '1'], Fields: m.Fields}
	}
	for _, name := range hosts.OriginalKeys() {
		path := op.Original[name]
		if path == "" {
			continue
		}
		w.begin(m, path)
		value := ""
		switch name {
		case "mti":
			value = o.request.MTI
		case "stan":
			value = pad(a.get("of", a.get("stan", "1")), 6)
		case "time":
			value = o.request.Fields[7]
			if w.length(path) == 12 {
				value = o.request.Fields[12]
			}
		case "rrn":
			value = o.reply.Fields[37]
		case "authorisation":
			value = o.reply.Fields[38]
		case "batch":
			value = pad(a.get("batch", "1"), 6)
		}
		if value == "" || path == "11" {
			continue
		}
		w.set(m, path, value)
	}
}

// begin fills a field with zeros up to the part that a path names; all of it, where its length is fixed.
func (w *world) begin(m *iso8583.Message, path string) {
	field, part, inside := strings.Cut(path, ".")
	n, err := strconv.Atoi(field)
	if !inside || err != nil {
		return
	}
	f, length := w.host.Dialect.Fields[n], 0
	for _, p := range f.Parts {
		if p.Name == part {
			break
		}
		length += p.Length
	}
	if f.Var == 0 {
		length = f.Length
	}
	m.Fields[n] += strings.Repeat("0", max(0, length-len(m.Fields[n])))
}

// batch fills in a settlement's totals.
func (w *world) batch(m *iso8583.Message, op *hosts.Operation, a args) {
	if op.Name == "batch-upload" && w.host.Batch.Upload != "" {
		rows := strings.Split(a.get("rows", ""), ",")
		value := pad(strconv.Itoa(len(rows)), 2)
		for _, r := range rows {
			stan, amount, _ := strings.Cut(r, ":")
			value += "00" + pad(stan, 6) + pad(w.card(a.get("card", "chip")).PAN, 20) + pad(amount, 12)
		}
		w.set(m, w.host.Batch.Upload, value)
		return
	}
	if op.Name != "settlement" && op.Name != "batch-end" {
		return
	}
	if w.host.ID == "unionpay-bcd" {
		m.Fields[48] = strings.Repeat("0", 62)
	}
	b := w.host.Batch
	for _, x := range []struct{ path, value string }{
		{b.DebitCount, a.get("count", "0")}, {b.DebitAmount, a.get("sum", "0")},
		{b.CreditCount, a.get("credits", "")}, {b.CreditAmount, a.get("credit-sum", "")},
	} {
		if x.value != "" {
			w.set(m, x.path, pad(x.value, w.length(x.path)))
		}
	}
}

// length is that of the value at a path; 0 for none that is fixed.
func (w *world) length(path string) int {
	field, part, inside := strings.Cut(path, ".")
	n, err := strconv.Atoi(field)
	if err != nil {
		return 0
	}
	f := w.host.Dialect.Fields[n]
	for _, p := range f.Parts {
		if inside && p.Name == part {
			return p.Length
		}
	}
	if f.Var > 0 {
		return 0
	}
	return f.Length
}

// example is a value that has a pattern.
func example(pattern string, length int) string {
	value := strings.ReplaceAll(strings.TrimSuffix(pattern, "*"), "?", "0")
	for strings.HasSuffix(pattern, "*") && len(value) < length {
		value += "0"
	}
	return value
}

func (w *world) set(m *iso8583.Message, path, value string) {
	p, err := w.bank.codec.Path(path)
	if err == nil {
		err = w.bank.codec.Set(m, p, value)
	}
	if err != nil {
		w.fatalf("%s=%s: %v", path, value, err)
	}
}

func (w *world) card(id string) cards.Card {
	for _, c := range w.cards {
		if c.ID == id {
			return c
		}
	}
	w.fatalf("no card %q", id)
	return cards.Card{}
}

func pad(s string, length int) string { return strings.Repeat("0", max(0, length-len(s))) + s }
