package bank

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/ledger"
	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/iso8583"
	"github.com/assay-hil/assay/protocol/mac"
)

// The files in testdata are conversations between terminals and the bank, a command a line:
//
//	host DIALECT                        first; iso87-ascii without it
//	policy [sign-on] [batch] [tolerance=15] [limit=9999] [partial=stripe] [cvv=stripe] [file]
//	send OPERATION [stan=] [amount=] [card=] [pin=0000|none] [of=STAN] [batch=] [terminal=] [mti=] [kind=] …
//	     [PATH=VALUE] [-NN] [bad-mac] a complete, right request of that operation, changed by its words;
//	     of= is the STAN of the transaction that it is about, kind= tells operations of one name apart by
//	     a pattern of theirs; wish-amount=, wish-auth=, wish-rrn=, wish-script=, wish-bad-kcv are options
//	refuse CODE OPERATION …             the same, refused with a code
//	expect MTI [REASON] [PATH=VALUE] [PATH=*] [-NN] [arpc] [script] [keys|bad-keys]
//	     the answer to the last request; keys are taken over by the terminal, if they are right
//	expect nothing
//	advance 31s                         virtual time
//	reset | restart | reopen            new books; memory lost; the process killed and started on its file
//
// and what the bank shows, compared line by line with the indented lines that follow:
// effect, ledger, holds, refunds, settlements, sessions, scripts, faults.

func TestConversations(t *testing.T) {
	for _, file := range conversations(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			if failure := converse(t, file, parseConversation(t, file)); failure != "" {
				t.Error(failure)
			}
		})
	}
}

func conversations(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	return files
}

// failure ends a conversation.
type failure string

// converse plays a conversation; it gives the first thing that is not as expected, "" for none.
func converse(t *testing.T, file string, commands []command) (wrong string) {
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, dir: dir, cards: testCards(t), host: loadHost(t, "iso87-ascii")}
		defer w.close(&wrong)
		for _, c := range commands {
			w.at = fmt.Sprintf("%s:%d: %s", file, c.line, c.text)
			w.run(c)
		}
		if err := w.bank.book.Check(); err != nil {
			w.fatalf("%v", err)
		}
	})
	return wrong
}

// close ends a conversation, well or not.
func (w *world) close(wrong *string) {
	switch p := recover().(type) {
	case nil:
	case failure:
		*wrong = string(p)
	default:
		panic(p)
	}
	if w.bank != nil {
		_ = w.bank.book.Close()
	}
}

type command struct {
	line  int
	text  string
	words []string
	block []string // indented lines below it
}

func parseConversation(t *testing.T, file string) (commands []command) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	scan := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; scan.Scan(); n++ {
		text, _, _ := strings.Cut(scan.Text(), "#")
		words := strings.Fields(text)
		switch {
		case len(words) == 0:
		case text[0] == ' ' || text[0] == '\t':
			if len(commands) == 0 {
				t.Fatalf("%s:%d: an indented line before the first command", file, n)
			}
			last := &commands[len(commands)-1]
			last.block = append(last.block, strings.Join(words, " "))
		default:
			commands = append(commands, command{line: n, text: strings.TrimSpace(text), words: words})
		}
	}
	return commands
}

// world is a bank and its terminals in one bubble.
type world struct {
	t      *testing.T
	at     string // where in the file we are
	dir    string
	host   *hosts.Host
	policy Policy
	inFile bool
	cards  []cards.Card
	bank   *Bank

	terminals map[string]*terminal
	pending   sent // what the request that is being built will be checked by
	last      Result
	wire      []byte
	faults    []string
}

func (w *world) fatalf(format string, args ...any) {
	panic(failure(fmt.Sprintf("%s\n\t%s", w.at, fmt.Sprintf(format, args...))))
}

// open makes the bank when the first message is sent, on its file where the policy says so.
func (w *world) open() {
	if w.bank != nil {
		return
	}
	var book *ledger.Book
	var err error
	if w.inFile {
		book, _, err = ledger.Open(filepath.Join(w.dir, "books"), ledger.Config{Accounts: Accounts(w.cards)})
		if err != nil {
			w.fatalf("%v", err)
		}
	}
	random := strings.NewReader(strings.Repeat("some keys of the test's own. ", 100))
	w.bank, err = New(Config{Host: w.host, Cards: w.cards, Book: book, Policy: w.policy, Rand: random})
	if err != nil {
		w.fatalf("%v", err)
	}
	if w.terminals == nil {
		w.terminals = make(map[string]*terminal)
	}
}

func (w *world) terminal(name string) *terminal {
	x := w.terminals[name]
	if x == nil {
		x = &terminal{mac: w.host.Keys.MAC, pin: w.host.Keys.PIN, sent: make(map[string]sent)}
		if x.pin == nil {
			x.pin = w.host.PINKey
		}
		w.terminals[name] = x
	}
	return x
}

func (w *world) run(c command) {
	w.t.Helper()
	a := parseArgs(c.words[1:])
	switch c.words[0] {
	case "host":
		w.host = loadHost(w.t, a.plain[0])
	case "policy":
		w.setPolicy(a)
	case "send":
		w.open()
		w.send(a.plain[0], a, "")
	case "refuse":
		w.open()
		w.send(a.plain[1], a, a.plain[0])
	case "expect":
		w.expect(a)
	case "advance":
		d, err := time.ParseDuration(a.plain[0])
		if err != nil {
			w.fatalf("%v", err)
		}
		<-time.After(d)
	case "reset":
		if err := w.bank.Reset(); err != nil {
			w.fatalf("%v", err)
		}
	case "restart":
		if err := w.bank.Restart(); err != nil {
			w.fatalf("%v", err)
		}
	case "reopen":
		_ = w.bank.book.Close()
		w.bank = nil
		w.open()
	default:
		w.show(c)
	}
}

func (w *world) setPolicy(a args) {
	p := &w.policy
	p.SignOn, p.Batch, w.inFile = a.has("sign-on"), a.has("batch"), a.has("file")
	p.Tolerance, _ = strconv.ParseInt(a.get("tolerance", "0"), 10, 64)
	p.Limit, _ = strconv.ParseInt(a.get("limit", "0"), 10, 64)
	p.CVV2 = a.get("cvv2", "")
	if id := a.get("partial", ""); id != "" {
		p.Partial = []string{id}
	}
	if id := a.get("cvv", ""); id != "" {
		p.CVK = map[string][]byte{id: testCVK}
	}
}

// send builds a request, lets the bank process it, and keeps the answer as it is on the wire.
func (w *world) send(name string, a args, refuse string) {
	w.pending = sent{}
	m := w.message(name, a)
	op := w.host.Operation(w.bank.codec, m)
	if op == nil {
		op = w.operation(name, a)
	}
	r, err := w.bank.Understand(w.pack(op, m, a.has("bad-mac")))
	if err != nil {
		w.fatalf("%v", err)
	}
	if refuse != "" {
		w.last = w.bank.Refuse(r, refuse)
	} else {
		w.last = w.bank.ProcessWith(r, w.options(a))
	}
	w.faults = append(w.faults, w.last.Faults...)
	w.wire = nil
	if w.last.Reply.MTI != "" {
		if w.wire, err = w.bank.Seal(w.last.Reply, r.Terminal()); err != nil {
			w.fatalf("%v", err)
		}
	}
	w.pending.request, w.pending.reply = m, w.last.Reply
	if op.Name != opReversal && op.Name != opReversalAdvice {
		w.terminal(m.Fields[41]).sent[m.Fields[11]] = w.pending
	}
}

func (w *world) options(a args) Options {
	o := Options{Authorisation: a.get("wish-auth", ""), RRN: a.get("wish-rrn", ""), BadKCV: a.has("wish-bad-kcv")}
	o.Amount, _ = strconv.ParseInt(a.get("wish-amount", "0"), 10, 64)
	if script := a.get("wish-script", ""); script != "" {
		raw, err := hex.DecodeString(script)
		if err != nil {
			w.fatalf("%v", err)
		}
		o.Script = [][]byte{raw}
	}
	return o
}

// expect holds the answer against the words.
func (w *world) expect(a args) {
	if a.has("nothing") {
		if w.wire != nil {
			w.fatalf("got %v", w.last.Reply)
		}
		return
	}
	if w.wire == nil {
		w.fatalf("no answer")
	}
	m, err := w.bank.codec.Unpack(w.wire)
	if err != nil {
		w.fatalf("%v", err)
	}
	if m.MTI != a.plain[0] {
		w.fatalf("got an %s", m.MTI)
	}
	for _, word := range a.plain[1:] {
		w.expectWord(word, m)
	}
	for _, s := range a.fields {
		p, err := w.bank.codec.Path(s.name)
		if err != nil {
			w.fatalf("%v", err)
		}
		if got, ok := w.bank.codec.Get(m, p); !ok || s.value != "*" && got != s.value {
			w.fatalf("%s is %q in %v", s.name, got, m)
		}
	}
	for _, n := range a.gone {
		if got, ok := m.Fields[n]; ok {
			w.fatalf("field %d is %q, should not be there", n, got)
		}
	}
	w.expectMAC(m)
}

// expectWord is a reason or a thing that the answer must have.
func (w *world) expectWord(word string, m iso8583.Message) {
	switch word {
	case "arpc", "script":
		w.expectChip(word, m)
	case "keys", "bad-keys":
		if err := w.keys(m); (err == nil) != (word == "keys") {
			w.fatalf("keys: %v", err)
		}
	default:
		if w.last.Reason != word {
			w.fatalf("the reason is %s, DE39 %s", w.last.Reason, m.Fields[39])
		}
	}
}

// expectChip holds tag 91 against the card's own computation.
func (w *world) expectChip(word string, m iso8583.Message) {
	raw, err := hex.DecodeString(m.Fields[55])
	if err != nil {
		w.fatalf("%v", err)
	}
	list, err := emv.Parse(raw)
	if err != nil {
		w.fatalf("%v", err)
	}
	if word == "script" {
		scripts, err := emv.Scripts(list)
		if err != nil || len(scripts) != 1 {
			w.fatalf("scripts %v, %v", scripts, err)
		}
		return
	}
	arc, own := list.Find(0x8A)
	if !own {
		arc = []byte(m.Fields[39])
	}
	good := w.last.Reason == approved || w.last.Reason == partial
	want, err := emv.IssuerResponse(w.pending.chip, w.pending.key, w.pending.ac, [2]byte(arc), good)
	got, _ := list.Find(emv.TagIssuerAuth)
	if err != nil || !bytes.Equal(got, want) {
		w.fatalf("tag 91 is %X, want %X (%v)", got, want, err)
	}
}

// expectMAC verifies the answer's MAC with the terminal's key.
func (w *world) expectMAC(m iso8583.Message) {
	d := w.host.Dialect.MAC
	if d == nil || m.Fields[d.Field] == "" {
		return
	}
	data, sum, err := w.bank.codec.MACData(w.wire)
	if err == nil {
		err = mac.Verify(d.Algorithm, w.bank.keys(m.Fields[41]).macKey, data, sum)
	}
	if err != nil {
		w.fatalf("the answer's MAC: %v", err)
	}
}
