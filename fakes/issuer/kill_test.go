package issuer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/bank"
	"github.com/assay-hil/assay/fakes/issuer/ledger"
	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// victimLedger names the ledger file of a process that is an issuer and waits to be killed.
const victimLedger = "ISSUER_TEST_LEDGER"

func TestMain(m *testing.M) {
	if file := os.Getenv(victimLedger); file != "" {
		fmt.Fprintln(os.Stderr, victim(file))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// victim is an issuer with its books in a file; it prints its address and serves until it is killed.
func victim(file string) error {
	host, err := victimHost()
	if err != nil {
		return err
	}
	s, err := New(Config{Host: host, Cards: []cards.Card{richCard()}, LedgerFile: file})
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	return s.Serve(context.Background(), ln)
}

const (
	killTransactions = 1000
	kills            = 6
	killTerminals    = 4
)

// TestKillLosesNothing kills an issuer (SIGKILL) in the middle of sales, holds, completions, refunds and reversals,
// again and again, and holds its ledger file against what it had acknowledged. Requests without an answer
// are repeated at the next issuer: each is posted once.
func TestKillLosesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger")
	d := newDriver(t)
	random := rand.New(rand.NewPCG(3, 5))
	for n := range kills {
		target := int64(killTransactions)
		if n < kills-1 {
			target = int64(killTransactions/kills*n + 1 + random.IntN(killTransactions/kills))
		}
		before, unanswered := d.acknowledged.Load(), d.unanswered()
		d.runUntilKilled(t, file, target, time.Duration(random.IntN(2000))*time.Microsecond)
		t.Logf("killed after %d acknowledgements, %d requests without an answer", d.acknowledged.Load(), d.unanswered())
		if d.acknowledged.Load() <= before+int64(unanswered) && n > 0 && target > before {
			t.Fatalf("nothing went on after kill %d", n)
		}
		for _, problem := range d.check(t, file) {
			t.Error(problem)
		}
	}
	if got := d.acknowledged.Load(); got < killTransactions {
		t.Errorf("%d transactions, want %d", got, killTransactions)
	}
}

// driver is some terminals and what they were told.
type driver struct {
	codec        *iso8583.Codec
	terminals    []*shop
	acknowledged atomic.Int64
}

// shop is one terminal's side: its transactions one after the other, and those that were acknowledged.
type shop struct {
	codec   *iso8583.Codec
	name    string
	step    int
	pending *deed
	done    []*deed
}

// deed is one transaction.
type deed struct {
	request iso8583.Message
	kind    ledger.Kind
	of      *deed
	rrn     string
	auth    string
}

func newDriver(t *testing.T) *driver {
	t.Helper()
	host, err := victimHost()
	if err != nil {
		t.Fatal(err)
	}
	codec, err := iso8583.NewCodec(host.Dialect)
	if err != nil {
		t.Fatal(err)
	}
	d := &driver{codec: codec}
	for n := range killTerminals {
		d.terminals = append(d.terminals, &shop{codec: codec, name: fmt.Sprintf("TERM%04d", n)})
	}
	return d
}

func (d *driver) unanswered() (n int) {
	for _, s := range d.terminals {
		if s.pending != nil {
			n++
		}
	}
	return n
}

// runUntilKilled starts an issuer, has all terminals go on, and kills it a little after so many
// acknowledgements.
func (d *driver) runUntilKilled(t *testing.T, file string, target int64, delay time.Duration) {
	t.Helper()
	process := exec.Command(os.Args[0])
	process.Env = append(os.Environ(), victimLedger+"="+file)
	process.Stderr = os.Stderr
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = process.Process.Kill(); _ = process.Wait() }()
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the issuer did not start: %v", err)
	}
	reached := make(chan struct{})
	var once sync.Once
	var all sync.WaitGroup
	for _, s := range d.terminals {
		all.Go(func() {
			err := s.trade(strings.TrimSpace(addr), func() {
				if d.acknowledged.Add(1) >= target {
					once.Do(func() { close(reached) })
				}
			})
			if err != nil {
				t.Error(err)
				once.Do(func() { close(reached) })
			}
		})
	}
	<-reached
	<-time.After(delay)
	if err := process.Process.Kill(); err != nil {
		t.Error(err)
	}
	all.Wait()
}

// errRefused: the issuer declined what it should have approved.
var errRefused = errors.New("declined")

// trade makes transactions until the connection breaks, which is no error.
func (s *shop) trade(addr string, acknowledged func()) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil // killed already
	}
	defer conn.Close()
	framing := s.codec.Dialect().Framing
	for {
		repeat := s.pending != nil
		if !repeat {
			s.pending = s.next()
		}
		m := s.pending.request
		if repeat {
			m.MTI = m.MTI[:3] + "1"
		}
		b, err := s.codec.Pack(m)
		if err != nil {
			return err
		}
		if framing.WriteFrame(conn, b) != nil {
			return nil
		}
		if b, err = framing.ReadFrame(conn); err != nil {
			return nil
		}
		answer, err := s.codec.Unpack(b)
		if err != nil {
			return err
		}
		if answer.Fields[39] != "00" || answer.Fields[11] != m.Fields[11] {
			return fmt.Errorf("%w: %s STAN %s: %s", errRefused, m.MTI, m.Fields[11], answer.Fields[39])
		}
		s.pending.rrn, s.pending.auth = answer.Fields[37], answer.Fields[38]
		s.done = append(s.done, s.pending)
		s.pending = nil
		acknowledged()
	}
}

// next is the next transaction: a sale and a refund of a part of it, a hold and its completion, a sale and
// its reversal, and again.
func (s *shop) next() *deed {
	s.step++
	d := &deed{request: s.sale(), kind: ledger.Charge}
	f := d.request.Fields
	last := func() *deed { return s.done[len(s.done)-1] }
	about := func(kind ledger.Kind) {
		d.kind, d.of = kind, last()
		of := d.of.request
		f[90] = of.MTI + of.Fields[11] + of.Fields[7] + strings.Repeat("0", 22)
	}
	switch s.step % 6 {
	case 2:
		about(ledger.Refund)
		f[3], f[4], f[37] = "200000", "000000000030", d.of.rrn
	case 3:
		d.request.MTI, d.kind = "0100", ledger.Hold
	case 4:
		about(ledger.Capture)
		d.request.MTI, f[25], f[38], f[4] = "0220", "06", d.of.auth, "000000000070"
	case 0:
		about(ledger.Undo)
		f[11], f[12], f[13] = d.of.request.Fields[11], d.of.request.Fields[12], d.of.request.Fields[13]
		d.request.MTI, f[39] = "0400", "98"
		delete(f, 35)
	}
	return d
}

func (s *shop) sale() iso8583.Message {
	c := richCard()
	return iso8583.Message{MTI: "0200", Fields: map[int]string{
		2: c.PAN, 3: "000000", 4: "000000000100", 7: "0101120000", 11: fmt.Sprintf("%06d", s.step), 12: "120000", 13: "0101",
		14: c.Expiry, 22: "022", 25: "00", 35: c.PAN + "=" + c.Expiry + c.Service + "101", 41: s.name, 42: testMerchant, 49: "156"}}
}

// check opens the file as the next issuer would, and holds it against the acknowledgements.
func (d *driver) check(t *testing.T, file string) (problems []string) {
	t.Helper()
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	book, recovery, err := ledger.Open(file, ledger.Config{Accounts: bank.Accounts([]cards.Card{richCard()})})
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	if recovery.Torn > 0 {
		t.Logf("%d bytes of an unfinished line were cut off", recovery.Torn)
	}
	if err := book.Check(); err != nil {
		wrong("%v", err)
	}
	found := make(map[string]ledger.Standing)
	for _, e := range book.Entries() {
		if e.Kind == ledger.Undo {
			continue
		}
		k := e.Terminal + e.Memo.STAN
		if other, twice := found[k]; twice {
			wrong("%s is posted twice: %v and %v", k, other.Kind, e.Kind)
		}
		found[k] = e
	}
	known := 0
	for _, s := range d.terminals {
		for _, x := range s.done {
			e, ok := found[s.name+x.request.Fields[11]]
			switch {
			case !ok:
				wrong("%s %s was acknowledged and is lost", s.name, x.request.Fields[11])
				continue
			case x.kind == ledger.Undo:
				if e.UndoneBy == 0 {
					wrong("%s %s was reversed and stands", s.name, x.request.Fields[11])
				}
				continue
			case e.Kind != x.kind || fmt.Sprintf("%012d", e.Amount) != x.request.Fields[4]:
				wrong("%s %s: %s of %d", s.name, x.request.Fields[11], e.Kind, e.Amount)
			}
			known++
		}
	}
	if extra := len(found) - known; extra > d.unanswered() {
		wrong("%d postings that nobody was told of, %d requests without an answer", extra, d.unanswered())
	}
	return problems
}

// TestKillCheckCanFail proves that a lost, a doubled and an unasked posting would be noticed.
func TestKillCheckCanFail(t *testing.T) {
	d, file := newDriver(t), filepath.Join(t.TempDir(), "ledger")
	book, _, err := ledger.Open(file, ledger.Config{Accounts: bank.Accounts([]cards.Card{richCard()})})
	if err != nil {
		t.Fatal(err)
	}
	s := d.terminals[0]
	lost := s.next()
	s.done = []*deed{lost}
	doubled := s.next()
	s.done = append(s.done, &deed{request: doubled.request, kind: ledger.Charge})
	for _, stan := range []string{doubled.request.Fields[11], doubled.request.Fields[11], "000009"} {
		e := ledger.Entry{Kind: ledger.Charge, Account: "rich", Terminal: s.name, Currency: "156", Amount: 30, Memo: ledger.Memo{STAN: stan}}
		if _, err := book.Post(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(d.check(t, file), "; ")
	for _, want := range []string{"000001 was acknowledged and is lost", "000002 is posted twice", "postings that nobody was told of"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %q", want, got)
		}
	}
}
