package bank

import (
	"fmt"
	"strings"

	"github.com/assay-hil/assay/fakes/issuer/client"
)

// show compares a view of the bank's state with the lines below the command.
func (w *world) show(c command) {
	s := w.bank.State()
	views := map[string]func(client.State) []string{
		"effect": func(client.State) []string { return nonEmpty(w.last.Effect) }, "ledger": w.ledger, "holds": holdsView,
		"refunds": refundsView, "settlements": settlementView, "sessions": sessionsView, "scripts": scriptsView,
		"faults": func(client.State) []string { return w.faults },
	}
	view := views[c.words[0]]
	if view == nil {
		w.fatalf("no such command")
	}
	got, want := strings.Join(view(s), "\n\t\t"), strings.Join(c.block, "\n\t\t")
	if got != want {
		w.fatalf("got\n\t\t%s\n\twant\n\t\t%s", got, want)
	}
	if c.words[0] == "faults" {
		w.faults = nil
	}
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// ledger: the charges as "STAN amount state [settled] …", then what has changed of cards' money.
func (w *world) ledger(s client.State) (lines []string) {
	for _, c := range s.Charges {
		line := fmt.Sprintf("%s %d %s", c.STAN, c.Amount, c.State)
		if c.Operation != "purchase" {
			line += " by " + c.Operation
		}
		if c.Asked != 0 {
			line += fmt.Sprintf(" of %d", c.Asked)
		}
		if c.Refunded != 0 {
			line += fmt.Sprintf(" refunded %d", c.Refunded)
		}
		if c.Settled {
			line += " settled"
		}
		if c.CustomerID != "" {
			line += " customer=" + c.CustomerID
		}
		lines = append(lines, line)
	}
	for _, c := range w.cards {
		available, held := w.bank.book.Available(c.ID, "156"), w.bank.book.Held(c.ID, "156")
		if available != c.Balance || held != 0 {
			line := fmt.Sprintf("balance %s %d", c.ID, available)
			if held != 0 {
				line += fmt.Sprintf(" held %d", held)
			}
			lines = append(lines, line)
		}
	}
	if s := w.bank.book.Suspended("156"); s != 0 {
		lines = append(lines, fmt.Sprintf("suspense %d", s))
	}
	return lines
}

func holdsView(s client.State) (lines []string) {
	for _, h := range s.Holds {
		lines = append(lines, fmt.Sprintf("%s %d %s captured %d held %d", h.STAN, h.Amount, h.State, h.Captured, h.Held))
	}
	return lines
}

func refundsView(s client.State) (lines []string) {
	for _, r := range s.Refunds {
		lines = append(lines, fmt.Sprintf("%s %d %s", r.STAN, r.Amount, r.State))
	}
	return lines
}

func settlementView(s client.State) (lines []string) {
	for _, x := range s.Settlements {
		line := fmt.Sprintf("batch %s terminal %d/%d host %d/%d agrees=%v", x.Batch,
			x.TerminalCount, x.TerminalAmount, x.HostCount, x.HostAmount, x.Agrees)
		if !x.Agrees && x.Closed {
			line += fmt.Sprintf(" closed, %d uploaded", x.Uploaded)
		}
		lines = append(append(lines, line), x.Differences...)
	}
	return lines
}

func sessionsView(s client.State) (lines []string) {
	for _, x := range s.Sessions {
		lines = append(lines, fmt.Sprintf("%s on=%v batch %s", x.Terminal, x.SignedOn, x.Batch))
	}
	return lines
}

func scriptsView(s client.State) (lines []string) {
	for _, x := range s.Scripts {
		lines = append(lines, fmt.Sprintf("%s %s for %s: %s", x.STAN, x.Card, x.Original, x.Result))
	}
	return lines
}
