package harness

import (
	"cmp"
	"context"
	"maps"
	"regexp"
	"slices"

	network "github.com/assay-hil/assay/fakes/network/client"
	"github.com/assay-hil/assay/fixtures/scenarios"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/harness/judge"
	"github.com/assay-hil/assay/harness/record"
)

// begin records that the cashier begins a transaction: the judge takes what follows for a part of it. A wait for a
// request is for one of this transaction.
func (r *run) begin(kind string, fields map[string]string) {
	r.note(kind, fields)
	r.awaited = r.session.requested()
}

// requested counts the requests that were seen so far, by type.
func (s *Session) requested() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.now.requests)
}

// procedure presses what a cashier presses for a purpose that needs no data.
func (r *run) procedure(ctx context.Context, name string) error {
	if err := r.untilIdle(ctx); err != nil {
		return err
	}
	if slices.Contains(judge.Begun, name) {
		r.begin(name, nil)
	}
	return r.follow(ctx, name, func(context.Context, string) error {
		return blame(record.Config, "profile %s: the procedure %s types something, and there is nothing to type", r.session.world.Profile.ID, name)
	}, "")
}

// transact begins a transaction from the menu.
func (r *run) transact(ctx context.Context, t scenarios.Transaction) error {
	if err := r.untilIdle(ctx); err != nil {
		return err
	}
	trace, err := r.traceOf(ctx, t)
	if err != nil {
		return err
	}
	fields := map[string]string{}
	if t.Amount != 0 {
		fields["amount"] = scenarios.Money(t.Amount)
	}
	if t.Of != 0 {
		fields["of"], fields["trace"] = scenarios.Money(t.Of), trace
	}
	r.begin(t.Name, fields)
	return r.follow(ctx, t.Name, func(ctx context.Context, what string) error {
		switch what {
		case "amount":
			return r.typeAmount(ctx, t.Amount)
		case "trace-number":
			return r.typeText(ctx, trace, false)
		default:
			password := r.session.world.Profile.OperatorPassword
			if t.Password == "wrong" {
				password = wrongPIN(password)
			}
			return r.typeText(ctx, password, true)
		}
	}, t.Until)
}

func (r *run) typeText(ctx context.Context, text string, secret bool) error {
	if err := r.pressAll(ctx, text, secret); err != nil {
		return err
	}
	return r.press(ctx, "ENTER", false)
}

// follow does a procedure of the profile step by step, each when the prompt before it is shown, as far as the prompt
// until; with "" to its end.
func (r *run) follow(ctx context.Context, name string, typed func(ctx context.Context, what string) error, until string) error {
	steps, ok := r.session.world.Profile.Procedures[name]
	if !ok {
		return blame(record.Config, "profile %s has no procedure %s", r.session.world.Profile.ID, name)
	}
	for _, step := range steps {
		if err := r.followed(ctx, step, typed); err != nil {
			return err
		}
		if step.Then == "" {
			continue
		}
		awaited := []string{step.Then}
		if until != "" {
			awaited = append(awaited, until)
		}
		if err := r.prompted(ctx, r.patience().local, awaited...); err != nil {
			return err
		}
		if slices.Contains(r.session.look().prompts, until) {
			return nil
		}
	}
	return nil
}

func (r *run) followed(ctx context.Context, step terminals.ProcedureStep, typed func(ctx context.Context, what string) error) error {
	if step.Type != "" {
		return typed(ctx, step.Type)
	}
	return r.press(ctx, step.Key, false)
}

// traceOf finds the trace number of the transaction that another one is about, as it was in its request or, where the host was not
// asked, on its receipt: what a cashier reads off it.
func (r *run) traceOf(ctx context.Context, t scenarios.Transaction) (trace string, err error) {
	if t.Of == 0 {
		return t.Trace, nil
	}
	amount := scenarios.Money(t.Of)
	seen, err := r.session.until(ctx, r.patience().local, func(*view) bool {
		events, _ := r.timeline.Events() // what is missing is told when the verdict is made
		trace = cmp.Or(r.sentFor(amount, events), r.printedFor(amount, events))
		return trace != ""
	})
	if err == nil && !seen {
		err = r.missing(ctx, "the request or the receipt of the transaction of "+amount)
	}
	return trace, err
}

// sentFor is the trace number of the request of the transaction of an amount; "" when none was seen.
func (r *run) sentFor(amount string, events []record.Event) string {
	in := false
	for _, e := range events {
		switch {
		case e.Source == "harness" && slices.Contains(judge.Begun, e.Kind):
			in = e.Fields["amount"] == amount
		case in && e.Source == "network" && e.Kind == "message" && e.Fields["direction"] == network.FromTerminal &&
			slices.Contains(judge.Financial, r.session.world.Tongue.CanonicalMTI(e.Fields["mti"])):
			return e.Fields["stan"]
		}
	}
	return ""
}

// printedFor is the trace number on the first receipt of an amount; "" when none came, or the profile can't read it.
func (r *run) printedFor(amount string, events []record.Event) string {
	receipt := r.session.world.Profile.Receipt
	var of, trace string
	for _, e := range events {
		switch {
		case e.Source != "printer":
		case e.Kind == "cut":
			of, trace = "", ""
		case e.Kind == "line":
			of = cmp.Or(group(receipt.Amount, e.Fields["text"]), of)
			trace = cmp.Or(group(receipt.Trace, e.Fields["text"]), trace)
			if of == amount && trace != "" {
				return trace
			}
		}
	}
	return ""
}

// group is the group "value" of a pattern that matches; "" otherwise.
func group(pattern *regexp.Regexp, text string) string {
	if pattern == nil {
		return ""
	}
	m := pattern.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[pattern.SubexpIndex("value")]
}
