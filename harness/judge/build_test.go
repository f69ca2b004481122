package judge

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	issuer "github.com/assay-hil/assay/fakes/issuer/client"
	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/harness/record"
)

// at is one event of a record: milliseconds, source, kind and fields in pairs.
func at(ms int64, source, kind string, kv ...string) record.Event {
	e := record.Event{US: ms * 1000, Source: source, Kind: kind, Fields: map[string]string{}}
	for i := 0; i+1 < len(kv); i += 2 {
		e.Fields[kv[i]] = kv[i+1]
	}
	return e
}

// The words of a record, one function for each kind of thing that happens.

func begin(ms int64, phase string) record.Event {
	return at(ms, "harness", "phase", "name", phase, "edge", "begin")
}

func end(ms int64, phase string) record.Event {
	return at(ms, "harness", "phase", "name", phase, "edge", "end")
}

func sale(ms int64, amount string) record.Event { return at(ms, "harness", "sale", "amount", amount) }

func press(ms, tookMS int64, key string) record.Event {
	return at(ms, "keypad", "press", "key", key, "took_us", fmt.Sprint(tookMS*1000))
}

// screen shows prompts by their ids; its text is made of them.
func screen(ms int64, prompts ...string) record.Event {
	return at(ms, "display", "screen", "prompts", strings.Join(prompts, " "), "text", strings.ToUpper(strings.Join(prompts, "\n")))
}

// leaves is a message on its way from the terminal to the host.
func leaves(ms int64, mti, stan string) record.Event {
	return at(ms, "network", "message", "connection", stan, "direction", network.FromTerminal, "mti", mti, "stan", stan, "fate", "passed")
}

// arrives is a message that was handed to the host.
func arrives(ms int64, mti, stan string) record.Event {
	return at(ms, "network", "delivered", "connection", stan, "direction", network.FromTerminal, "mti", mti, "stan", stan)
}

// returns is a message on its way from the host to the terminal.
func returns(ms int64, mti, stan string) record.Event {
	return at(ms, "network", "message", "connection", stan, "direction", network.FromHost, "mti", mti, "stan", stan, "fate", "passed")
}

// reaches is a message that was handed to the terminal.
func reaches(ms int64, mti, stan string) record.Event {
	return at(ms, "network", "delivered", "connection", stan, "direction", network.FromHost, "mti", mti, "stan", stan)
}

func received(ms int64, mti, stan, code string) record.Event {
	return at(ms, "issuer", "received", "mti", mti, "stan", stan, "code", code)
}

func answers(ms int64, mti, stan, code string) record.Event {
	return at(ms, "issuer", "sent", "mti", mti, "stan", stan, "code", code)
}

func line(ms int64, text string) record.Event { return at(ms, "printer", "line", "text", text) }

func cut(ms int64) record.Event { return at(ms, "printer", "cut") }

// exchange is a whole request and its answer, all in one millisecond.
func exchange(ms int64, mti, stan, code string) []record.Event {
	answer := mti[:2] + "10"
	return []record.Event{leaves(ms, mti, stan), arrives(ms, mti, stan), received(ms, mti, stan, ""),
		answers(ms, answer, stan, code), returns(ms, answer, stan), reaches(ms, answer, stan)}
}

// slipFor is an approved receipt in one millisecond.
func slipFor(ms int64, amount, trace string) []record.Event {
	return []record.Event{line(ms, "TRACE: "+trace), line(ms, "AMOUNT: RMB "+amount), line(ms, "APPROVED"), cut(ms)}
}

// story joins events and lists of events; Seq follows their order.
func story(parts ...any) []record.Event {
	var all []record.Event
	for _, part := range parts {
		switch p := part.(type) {
		case record.Event:
			all = append(all, p)
		case []record.Event:
			all = append(all, p...)
		default:
			panic(fmt.Sprintf("a story has events, not %T", part))
		}
	}
	for i := range all {
		all[i].Seq = i + 1
	}
	return all
}

// inAct puts a story between the beginning of the act phase, at 1000 ms, and its end, at 100 000 ms.
func inAct(parts ...any) []record.Event {
	return story(append(append([]any{begin(1000, Act)}, parts...), end(100_000, Act))...)
}

// theCase is a record on the countertop profile in English, on a rig with a printer and exact clocks.
func theCase(t *testing.T, events []record.Event) *Case {
	t.Helper()
	loaded, err := countertop()
	if err != nil {
		t.Fatal(err)
	}
	p := *loaded
	p.Prompts, p.Budgets, p.Floors = maps.Clone(p.Prompts), maps.Clone(p.Budgets), maps.Clone(p.Floors)
	return &Case{Scenario: &scenarios.Scenario{ID: "X-1"}, Profile: &p, Lang: "en", Printer: true, Events: events, States: map[string]issuer.State{}}
}

// countertop is read once; a case has a copy.
var countertop = sync.OnceValues(func() (*terminals.Profile, error) { return terminals.Load("countertop") })

// charge is a sale on the host's books.
func charge(amount int64, stan, state string) issuer.Charge {
	return issuer.Charge{STAN: stan, Amount: amount, State: state, Settled: state == issuer.StateCharged}
}

// books are charges, and the journal that says the same.
func books(charges ...issuer.Charge) issuer.State {
	s := issuer.State{Charges: charges}
	for _, c := range charges {
		s.Journal = append(s.Journal, issuer.Entry{In: true, MTI: "0200", Operation: "purchase", STAN: c.STAN, Amount: c.Amount, Effect: issuer.EffectCharged})
	}
	return s
}

// settled adds a settlement in balance to the books.
func settled(s issuer.State) issuer.State {
	settlement := issuer.Settlement{Agrees: true}
	for _, c := range charged(s) {
		settlement.HostCount++
		settlement.HostAmount += c.Amount
	}
	settlement.TerminalCount, settlement.TerminalAmount = settlement.HostCount, settlement.HostAmount
	s.Settlements = append(s.Settlements, settlement)
	return s
}

// wanted is what a check must say; Observed and Why need only contain the given text.
type wanted struct {
	verdict  record.Verdict
	cause    record.Cause
	observed string
}

func passes(observed string) wanted { return wanted{record.Pass, record.None, observed} }

func fails(observed string) wanted { return wanted{record.Fail, record.Terminal, observed} }

func unclear(cause record.Cause, observed string) wanted {
	return wanted{record.Inconclusive, cause, observed}
}

func (want wanted) hold(t *testing.T, got record.Check) {
	t.Helper()
	if got.Verdict != want.verdict || got.Cause != want.cause || !strings.Contains(got.Observed, want.observed) {
		t.Errorf("%s (%s) %q\nwant %s (%s) %q", got.Verdict, got.Cause, got.Observed, want.verdict, want.cause, want.observed)
	}
}

// expecting evaluates expectations on the act phase and returns the last one's check.
func (c *Case) expecting(t *testing.T, expect ...scenarios.Expectation) record.Check {
	t.Helper()
	checks := c.phase(Act, expect)
	if len(checks) != len(expect) {
		t.Fatalf("%d checks for %d expectations", len(checks), len(expect))
	}
	return checks[len(checks)-1]
}

// audited gives the audit's check of a name.
func (c *Case) audited(t *testing.T, what string) record.Check {
	t.Helper()
	return named(t, c.audit(), what)
}

func named(t *testing.T, checks []record.Check, what string) record.Check {
	t.Helper()
	for _, check := range checks {
		if check.What == what {
			return check
		}
	}
	t.Fatalf("no check of %s", what)
	return record.Check{}
}

const ms = time.Millisecond
