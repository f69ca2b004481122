// Package issuer is the bank that a terminal talks to: an ISO 8583 host with accounts, a ledger
// and a journal, which answers by the books unless a rule tells it to misbehave.
//
//	srv, err := issuer.New(issuer.Config{Host: host, Cards: cards})
//	go srv.Serve(ctx, terminals)                  // ISO 8583, many connections
//	http.Serve(control, srv.Control())            // see package client
//	defer srv.Close()
//
// A message's way: package wire cuts it out of the stream; exchange.go has package bank understand
// it, package rules decide how it is answered, and bank process it, which posts to package ledger;
// package journal remembers it, the feed tells of it, and only then wire writes the answer, as the
// rule wants it written.
package issuer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"github.com/assay-hil/assay/fakes/issuer/bank"
	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/fakes/issuer/journal"
	"github.com/assay-hil/assay/fakes/issuer/ledger"
	"github.com/assay-hil/assay/fakes/issuer/rules"
	"github.com/assay-hil/assay/fakes/issuer/wire"
	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/protocol/emv/parameters"
	"github.com/assay-hil/assay/protocol/feed"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// ErrClosed is returned by Serve after Close.
var ErrClosed = errors.New("issuer: closed")

// Config is what an issuer knows from the start. Host is needed, the rest is not.
type Config struct {
	Host  *hosts.Host  // dialect and keys
	Cards []cards.Card // the accounts; every setup starts from their balances
	// LedgerFile keeps the books in a file that survives the death of the process; "" keeps them in memory.
	// With LedgerSync they survive a power cut too, at the price of a disk's flush for every posting.
	LedgerFile string
	LedgerSync bool
	// Rules are in force until a setup brings others; nil: everything goes by the books.
	Rules *rules.Set
	// Policy is what the bank is free to choose.
	Policy bank.Policy
	// Parameters are what terminals can download for their chip kernels; nil: nothing.
	Parameters *parameters.Set
	// Token must come with every call of the control API, as a bearer token; "" asks for none.
	Token string
	// TLS is spoken on every listener; nil: plain connections. See NewTLS.
	TLS *tls.Config
	// Limits of the terminals' side; zeroes stand for those of package wire.
	Limits wire.Limits
	// Logger is told of connections and violations; nil: nobody is. It gets no card data.
	Logger *slog.Logger
}

// Server is the issuer. Its methods are safe for use by several goroutines.
type Server struct {
	config   Config
	codec    *iso8583.Codec
	terms    rules.Terms
	log      *slog.Logger
	events   feed.Log
	journal  *journal.Journal
	rules    *rules.Engine
	book     *ledger.Book
	recovery ledger.Recovery
	wire     *wire.Engine
	control  http.Handler

	// mu is held for reading while a message is decided on, and for writing while a setup takes over:
	// a message belongs to one setup or to another. It is never held while waiting.
	mu  sync.RWMutex
	era *era
}

// era is what a setup or a restart replaces.
type era struct {
	bank     *bank.Bank
	replaced chan struct{} // closed when it is over
	violations
}

// New makes an issuer with an empty setup, or with the books of its ledger file. Errors say what is
// unusable in the configuration.
func New(config Config) (*Server, error) {
	if config.Host == nil {
		return nil, errors.New("issuer: no host dialect")
	}
	codec, err := iso8583.NewCodec(config.Host.Dialect)
	if err != nil {
		return nil, fmt.Errorf("issuer: host %s: %w", config.Host.ID, err)
	}
	s := &Server{config: config, codec: codec, log: config.Logger,
		terms: rules.Terms{Host: config.Host, Codec: codec, Cards: config.Cards}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if config.Rules == nil {
		if config.Rules, err = rules.FromSetup(client.Setup{Otherwise: client.OtherwiseBooks}, s.terms); err != nil {
			return nil, fmt.Errorf("issuer: %w", err)
		}
	}
	s.rules = rules.NewEngine(config.Rules)
	s.journal = journal.New(s.terms)
	if err := s.openBooks(); err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	if s.era, err = s.newEra(); err != nil {
		_ = s.book.Close()
		return nil, fmt.Errorf("issuer: host %s: %w", config.Host.ID, err)
	}
	s.control = s.routes()
	s.wire = wire.New(wire.Config{Framing: config.Host.Dialect.Framing, Handler: handler{s}, Limits: config.Limits})
	return s, nil
}

// openBooks reads the books from their file, or begins new ones in memory.
func (s *Server) openBooks() (err error) {
	accounts := ledger.Config{Accounts: bank.Accounts(s.config.Cards), Sync: s.config.LedgerSync}
	if s.config.LedgerFile == "" {
		s.book, err = ledger.New(accounts)
		return err
	}
	if s.book, s.recovery, err = ledger.Open(s.config.LedgerFile, accounts); err == nil {
		s.log.Info("books opened", "file", s.config.LedgerFile, "entries", s.recovery.Entries, "torn_bytes", s.recovery.Torn)
	}
	return err
}

// newEra makes a bank that knows what the books know.
func (s *Server) newEra() (*era, error) {
	b, err := bank.New(bank.Config{Host: s.config.Host, Cards: s.config.Cards, Book: s.book, Policy: s.config.Policy, Parameters: s.config.Parameters})
	if err != nil {
		return nil, err
	}
	return &era{bank: b, replaced: make(chan struct{})}, nil
}

// Recovery says what was found in the ledger file.
func (s *Server) Recovery() ledger.Recovery { return s.recovery }

// Serve answers terminals on ln until ctx ends or Close is called, then returns nil once every
// connection and late answer of this listener is done. It closes ln. An error of ln itself ends
// it too, and is returned. During a restart (see client.Restart) ln stays open, and resets who connects.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	return closed(s.wire.Serve(ctx, s.secure(ln)))
}

// ServeFrom is Serve on a listener that a restart really closes: listen is called at once, and
// again when the restart is over.
func (s *Server) ServeFrom(ctx context.Context, listen func() (net.Listener, error)) error {
	return closed(s.wire.ServeFrom(ctx, func() (net.Listener, error) {
		ln, err := listen()
		if err != nil {
			return nil, err
		}
		return s.secure(ln), nil
	}))
}

func (s *Server) secure(ln net.Listener) net.Listener {
	if s.config.TLS == nil {
		return ln
	}
	return tls.NewListener(ln, s.config.TLS)
}

func closed(err error) error {
	if errors.Is(err, wire.ErrClosed) {
		return ErrClosed
	}
	return err
}

// Close ends every Serve, waits for all goroutines of the issuer, and closes the books.
func (s *Server) Close() error {
	err := s.wire.Close()
	if e := s.book.Close(); err == nil {
		err = e
	}
	return err
}
