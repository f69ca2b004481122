package issuer

import (
	"errors"
	"fmt"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/bank"
	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fakes/issuer/rules"
	"github.com/assay-hil/assay/fakes/issuer/wire"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// setup replaces books, bank, rules and journal in one step: a message is processed by the old
// ones or by the new ones, and late answers of the old ones are dropped.
func (s *Server) setup(setup client.Setup) error {
	set, err := rules.FromSetup(setup, s.terms)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.book.Reset(bank.Accounts(s.config.Cards)); err != nil {
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	before := s.era.bank
	if err := s.begin(); err != nil {
		return err
	}
	if !setup.ForgetSessions {
		s.era.bank.Inherit(before)
	}
	s.rules.Replace(set)
	s.journal.Reset()
	return nil
}

// errBroken: the issuer itself cannot go on, whatever is asked.
var errBroken = errors.New("issuer broken")

// begin replaces the era. The caller holds mu.
func (s *Server) begin() error {
	next, err := s.newEra()
	if err != nil {
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	old := s.era
	s.era = next
	close(old.replaced)
	return nil
}

// restart ends every connection, forgets sessions, keys, PIN tries and waiting answers, and takes
// connections again after a time. Books, journal, violations and rules are what a bank has on disk: they stay.
func (s *Server) restart(down time.Duration) {
	s.mu.Lock()
	texts, more := s.era.texts, s.era.more
	err := s.begin()
	if err == nil {
		s.era.texts, s.era.more = texts, more
	}
	s.mu.Unlock()
	if err != nil {
		s.violated("restart: %v", err)
	}
	s.wire.Restart(down)
}

// state is a copy of what the money audit needs.
func (s *Server) state() client.State {
	s.mu.RLock()
	defer s.mu.RUnlock()
	state := s.era.bank.State()
	entries := s.journal.After(0)
	state.Journal, state.Dropped = entries.Entries, entries.Dropped
	state.Violations = s.era.violations.list()
	return state
}

// errUnknown: what is asked for is not there.
var errUnknown = errors.New("unknown")

// send sends a message that no terminal asked for on the connection on which a terminal was heard last.
func (s *Server) send(u client.Unsolicited) error {
	if u.Terminal == "" {
		return errors.New("terminal: say which, by its field 41")
	}
	if u.After < 0 || u.After > rules.MaxLate {
		return fmt.Errorf("after %v: want 0 to %v", u.After, rules.MaxLate)
	}
	var found *wire.Conn
	s.wire.Each(func(c *wire.Conn) {
		if c.Tagged() == u.Terminal && (found == nil || c.Heard().After(found.Heard())) {
			found = c
		}
	})
	if found == nil {
		return fmt.Errorf("%w: terminal %q has no connection", errUnknown, u.Terminal)
	}
	return s.sendOn(found, u.Terminal, u)
}

// sendOn has an unsolicited message written.
func (s *Server) sendOn(c *wire.Conn, terminal string, u client.Unsolicited) error {
	s.mu.RLock()
	e := s.era
	s.mu.RUnlock()
	plan, err := rules.Unsolicited(s.codec, u, terminal, func(m iso8583.Message) ([]byte, error) { return e.bank.Seal(m, terminal) })
	if err != nil {
		return err
	}
	n := &note{server: s, era: e, late: true}
	n.sent.Connection, n.sent.Payload, n.sent.Message = c.ID(), plan.Payload, plan.Message
	return c.Send(wire.Answer{Acts: plan.Acts, Until: e.replaced, Note: n})
}
