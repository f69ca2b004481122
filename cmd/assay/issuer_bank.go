package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/assay-hil/assay/fakes/issuer"
	"github.com/assay-hil/assay/fakes/issuer/rules"
	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/protocol/emv/parameters"
)

// headerLimit bounds how long the header of a control request may take.
const headerLimit = 10 * time.Second

// runBank runs the fake bank until ctx ends.
func (s *served) runBank(ctx context.Context) error {
	chosen, err := chooseCards(s.flags.cards)
	if err != nil {
		return usage(err)
	}
	policy, err := s.flags.policy.policy(chosen)
	if err != nil {
		return usage(err)
	}
	program, err := s.program(chosen)
	if err != nil {
		return usage(err)
	}
	loads, err := s.parameters()
	if err != nil {
		return usage(err)
	}
	security, err := s.tls()
	if err != nil {
		return usage(err)
	}
	s.line.TokenFile = s.flags.tokenFile
	if s.line.TokenFile == "" {
		s.line.TokenFile = filepath.Join(s.folder, "token")
	}
	token, err := openToken(s.line.TokenFile)
	if err != nil {
		return usage(fmt.Errorf("--token-file: %w", err))
	}
	bank, err := issuer.New(issuer.Config{
		Host: s.dialect.host, Cards: chosen, Policy: policy, Parameters: loads, Rules: program, Token: token, TLS: security,
		LedgerFile: s.flags.ledger, LedgerSync: s.flags.ledgerSync, Logger: s.log,
	})
	if err != nil {
		return usage(err)
	}
	b := &running{served: s, bank: bank, parts: make(chan error, 2)}
	if err = b.start(ctx, security); err == nil {
		err = s.until(ctx, b.parts)
	}
	return errors.Join(err, broken(within(b.end)))
}

// parameters are what terminals can download; nil without --parameters.
func (s *served) parameters() (*parameters.Set, error) {
	name := s.flags.parameters
	if name == "" {
		return nil, nil
	}
	load := terminals.Load
	if strings.ContainsAny(name, `/\\`) || strings.HasSuffix(name, ".yaml") {
		load = terminals.LoadFile
	}
	p, err := load(name)
	if err != nil {
		return nil, fmt.Errorf("--parameters: %w", err)
	}
	if p.EMV == nil {
		return nil, fmt.Errorf("--parameters: the terminal %s reads no chip, so that there is nothing to download", p.ID)
	}
	set := p.EMV.Parameters()
	return &set, nil
}

// program is how the bank is to answer: as a rule file says or, nil, by the books.
func (s *served) program(known []cards.Card) (*rules.Set, error) {
	file := s.flags.rules
	if file == "" {
		file = s.flags.replay
	}
	if file == "" {
		return nil, nil
	}
	return rules.Load(file, rules.Terms{Host: s.dialect.host, Codec: s.dialect.codec, Cards: known})
}

// running is a bank that runs, and what must end with it.
type running struct {
	*served
	bank    *issuer.Server
	parts   chan error // what ended by itself
	control *http.Server
}

// start opens both sides and says so.
func (b *running) start(ctx context.Context, security *tls.Config) error {
	api, err := net.Listen("tcp", b.flags.control)
	if err != nil {
		return usage(fmt.Errorf("--control: %w", err))
	}
	warnIfPublic(b.log, "control API", api.Addr())
	b.control = &http.Server{Handler: b.bank.Control(), ReadHeaderTimeout: headerLimit}
	go func() {
		if err := b.control.Serve(api); !errors.Is(err, http.ErrServerClosed) {
			b.parts <- broken(fmt.Errorf("control API: %w", err))
		}
	}()
	ln, err := b.listen()
	if err != nil {
		return usage(err)
	}
	go func() {
		if err := b.bank.ServeFrom(context.WithoutCancel(ctx), again(ln)); err != nil && !errors.Is(err, issuer.ErrClosed) {
			b.parts <- broken(fmt.Errorf("terminals: %w", err))
		}
	}()
	b.line.Control = api.Addr().String()
	return broken(b.announce())
}

// again gives a listener that is open already, and after it others at the same address.
func again(first net.Listener) func() (net.Listener, error) {
	address := first.Addr()
	return func() (net.Listener, error) {
		if ln := first; ln != nil {
			first = nil
			return ln, nil
		}
		return net.Listen(address.Network(), address.String())
	}
}

// end closes everything that was started.
func (b *running) end() error {
	err := b.bank.Close()
	if b.control != nil {
		err = errors.Join(err, b.control.Close())
	}
	return err
}
