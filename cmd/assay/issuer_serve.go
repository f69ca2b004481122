package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-hil/assay/protocol/certs"
)

// shutdownLimit is how long serve may take to end after Ctrl-C; then it is ended as it is.
const shutdownLimit = 10 * time.Second

// Default addresses: loopback, so that nobody else can reach a fake bank by accident.
const (
	defaultListen  = "127.0.0.1:8583"
	defaultControl = "127.0.0.1:0"
)

// serveFlags are the flags of `assay issuer serve`.
type serveFlags struct {
	dialect    string
	listen     string
	control    string
	tokenFile  string
	rules      string
	replay     string
	cards      []string
	parameters string
	ledger     string
	ledgerSync bool
	tls        string
	tlsDir     string
	tlsClient  bool
	proxy      string
	record     string
	policy     policyFlags
	verbose    bool
}

func newIssuerServe() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve --dialect D",
		Short: "Run the fake bank until Ctrl-C",
		Long: `Runs the fake bank for terminals that connect to --listen. When it is ready it prints one line of
JSON: where it listens, where its control API is, which file holds the API's bearer token, which file the
certificate authority to trust. What happens is logged on standard error, one JSON object a line, with card data
masked.

Without --rules it answers by the books. With rules, what no rule expects is declined and is a violation, unless
the file says 'otherwise: books'. Test cards only are known: see --cards. Their CVV and iCVV are checked, and by
--require-sign-on, --check-batch, --limit and --tolerance what a real host is strict about too.

--tls makes the host's certificate good, or wrong in one way: a terminal must refuse to talk to a host whose
certificate is ` + strings.Join(certs.Flaws, ", ") + `.

With --proxy it is no bank but stands before another host, passes everything on, and on the way out writes the
host's answers to --record as a rule file, which --replay then plays in its place.

Ctrl-C, or SIGTERM, ends it in order; a second one at once. Exit codes: 0 ended as asked, 2 usage, 3 it could not
go on.`,
		Example: `  assay issuer serve --dialect iso87-ascii
  assay issuer serve --dialect unionpay-bcd --rules declines.yaml --ledger books.log
  assay issuer serve --dialect iso87-ascii --tls expired --tls-dir certs
  assay issuer serve --dialect iso87-ascii --proxy host.example:8583 --record host.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	dialectFlag(cmd, &f.dialect, "dialect of the host")
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", defaultListen, "address for terminals; port 0 is any free one")
	flags.StringVar(&f.control, "control", defaultControl, "address of the control API; port 0 is any free one")
	flags.StringVar(&f.tokenFile, "token-file", "", "file with the control API's bearer token, made if missing (default: one that is removed in the end)")
	flags.StringVar(&f.rules, "rules", "", "rule file")
	flags.StringVar(&f.replay, "replay", "", "recording of --record to answer with")
	flags.StringSliceVar(&f.cards, "cards", []string{allCards}, "test cards that have an account, or all")
	flags.StringVar(&f.parameters, "parameters", "", "terminal profile, an id or a file, whose chip parameters terminals can download (default: none)")
	f.policy.add(flags)
	flags.StringVar(&f.ledger, "ledger", "", "file to keep the books in, made if missing (default: in memory)")
	flags.BoolVar(&f.ledgerSync, "ledger-sync", false, "with --ledger: flush the disk at every posting, against power cuts")
	flags.StringVar(&f.tls, "tls", tlsNone, "TLS for terminals: "+strings.Join(tlsWords(), ", "))
	flags.StringVar(&f.tlsDir, "tls-dir", "", "folder of the certificate authority, made if missing (default: one that is removed in the end)")
	flags.BoolVar(&f.tlsClient, "tls-client", false, "want a certificate of the terminal too; the folder gets one to use")
	flags.StringVar(&f.proxy, "proxy", "", "host and port to pass everything on to")
	flags.StringVar(&f.record, "record", "", "with --proxy: rule file to write")
	flags.BoolVar(&f.verbose, "verbose", false, "log connections too")
	return cmd
}

// check finds what does not fit together.
func (f serveFlags) check() error {
	if err := oneOf("tls", f.tls, tlsWords()); err != nil {
		return err
	}
	switch {
	case f.rules != "" && f.replay != "":
		return errors.New("--rules and --replay exclude each other: a recording is a rule file")
	case (f.proxy == "") != (f.record == ""):
		return errors.New("--proxy and --record belong together")
	case f.proxy != "" && f.parameters != "":
		return errors.New("--proxy passes on to another host; --parameters are for the fake bank")
	case f.proxy != "" && f.policy.given():
		return errors.New("--proxy passes on to another host; what the fake bank is strict about is not for it")
	case f.proxy != "" && (f.rules != "" || f.replay != "" || f.ledger != ""):
		return errors.New("--proxy passes on to another host; --rules, --replay and --ledger are for the fake bank")
	case f.ledgerSync && f.ledger == "":
		return errors.New("--ledger-sync is for --ledger, which is not given")
	case f.tls == tlsNone && (f.tlsDir != "" || f.tlsClient):
		return errors.New("--tls-dir and --tls-client are for --tls, which is not given; try --tls good")
	}
	addresses := map[string]string{"listen": f.listen, "control": f.control}
	if f.proxy != "" {
		addresses["proxy"] = f.proxy
	}
	for name, address := range addresses {
		if _, _, err := net.SplitHostPort(address); err != nil {
			return fmt.Errorf("--%s: host and port are needed, such as %s: %w", name, defaultListen, err)
		}
	}
	return nil
}

// ready is the line that says where everything is.
type ready struct {
	Listen    string `json:"listen"`
	Control   string `json:"control,omitempty"`
	PID       int    `json:"pid"`
	Dialect   string `json:"dialect"`
	TokenFile string `json:"token_file,omitempty"`
	CA        string `json:"ca,omitempty"`
}

// served is one run of `assay issuer serve`.
type served struct {
	flags   serveFlags
	dialect dialect
	log     *slog.Logger
	out     io.Writer
	folder  string // for files that nobody named; removed in the end
	line    ready
}

func (f serveFlags) run(ctx context.Context, out, errOut io.Writer) (err error) {
	if err := f.check(); err != nil {
		return usage(err)
	}
	d, err := namedDialect(f.dialect)
	if err != nil {
		return usage(err)
	}
	level := slog.LevelInfo
	if f.verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewJSONHandler(errOut, &slog.HandlerOptions{Level: level}))
	s := &served{flags: f, dialect: d, log: log, out: out}
	s.line.PID, s.line.Dialect = os.Getpid(), d.host.ID
	if s.folder, err = os.MkdirTemp("", "assay-issuer-"); err != nil {
		return &exit{exitInconclusive, err}
	}
	defer func() { err = errors.Join(err, os.RemoveAll(s.folder)) }()
	if f.proxy != "" {
		return s.runProxy(ctx)
	}
	return s.runBank(ctx)
}

// listen opens the terminals' side, still without TLS.
func (s *served) listen() (net.Listener, error) {
	ln, err := net.Listen("tcp", s.flags.listen)
	if err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	s.line.Listen = ln.Addr().String()
	warnIfPublic(s.log, "terminals", ln.Addr())
	return ln, nil
}

// tls is the TLS that is wanted; nil: none.
func (s *served) tls() (*tls.Config, error) {
	if s.flags.tls == tlsNone {
		return nil, nil
	}
	dir := s.flags.tlsDir
	if dir == "" {
		dir = s.folder
	}
	s.line.CA = filepath.Join(dir, certs.CertFile)
	return serverTLS(s.flags.tls, dir, s.flags.listen, s.flags.tlsClient, time.Now())
}

// announce prints the ready line.
func (s *served) announce() error {
	data, err := json.Marshal(s.line)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s.out, "%s\n", data); err != nil {
		return err
	}
	s.log.Info("ready", "listen", s.line.Listen, "control", s.line.Control, "dialect", s.line.Dialect, "tls", s.flags.tls)
	return nil
}

// until waits until ctx ends or one of the parts does, by itself and so by a fault. After ctx the next
// signal ends the process.
func (s *served) until(ctx context.Context, parts <-chan error) error {
	select {
	case err := <-parts:
		return err
	case <-ctx.Done():
		signal.Reset(os.Interrupt, syscall.SIGTERM)
		s.log.Info("stopping", "limit", shutdownLimit.String())
		return nil
	}
}

// within runs the end of something, for at most shutdownLimit.
func within(end func() error) error {
	done := make(chan error, 1)
	go func() { done <- end() }()
	select {
	case err := <-done:
		return err
	case <-time.After(shutdownLimit):
		return fmt.Errorf("it did not end within %v", shutdownLimit)
	}
}

func (s *served) runProxy(ctx context.Context) error {
	p, err := newProxy(s.flags, s.dialect, s.log)
	if err != nil {
		return usage(err)
	}
	security, err := s.tls()
	if err != nil {
		return usage(err)
	}
	ln, err := s.listen()
	if err != nil {
		return usage(err)
	}
	if security != nil {
		ln = tls.NewListener(ln, security)
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	parts := make(chan error, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		parts <- p.serve(serving, ln)
	}()
	err = s.announce()
	if err == nil {
		err = s.until(ctx, parts)
	}
	stop()
	err = errors.Join(err, within(func() error { <-ended; return p.finish() }))
	return broken(err)
}

// broken makes the exit code of an end that is not as it should be.
func broken(err error) error {
	if err != nil {
		return &exit{exitInconclusive, err}
	}
	return nil
}

// warnIfPublic says that others can reach a listener.
func warnIfPublic(log *slog.Logger, what string, address net.Addr) {
	if a, ok := address.(*net.TCPAddr); ok && !a.IP.IsLoopback() {
		log.Warn("others on the network can reach this", "what", what, "address", address.String())
	}
}
