package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-hil/assay/fixtures/messages"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// Limits of `assay issuer send`.
const (
	sendTimeout = 30 * time.Second // by default, for everything from dialling on
	maxPolls    = 1000             // signs of life that are answered before the answer
	maxCAFile   = 1 << 20          // bytes
)

// sendFlags are the flags of `assay issuer send`.
type sendFlags struct {
	dialect string
	to      string
	keys    string
	timeout time.Duration
	tls     bool
	ca      string
	cert    string
	key     string
}

func newIssuerSend() *cobra.Command {
	var f sendFlags
	cmd := &cobra.Command{
		Use:   "send --dialect D --to HOST:PORT FILE...",
		Short: "Send messages to a host and print its answers",
		Long: `Sends the message in FILE to any host that speaks the dialect, and prints the answer decoded, card data
masked, in the form that FILE has. Several files are sent one after the other on one connection, each when the one
before it is answered. A message is written as

  mti: "0200"
  header: {processing-request: "0"}   # only what is not as the dialect has it
  fields:
    3: "000000"
    4: "000000001250"
    60.batch: "000001"                # a part of a field; 55.9F26 is a tag
  pin: "8642"                         # of a test card: its block goes into field 52
  mac: auto                           # or none, or 8 bytes in hexadecimal

MACs and PIN blocks are made, and the answers' MACs checked, with the dialect's keys before the first sign-on. A
sign-on that brings new ones puts them in force for the files after it, and with --keys for later calls too.

Exit codes: 0 every message has an answer, whatever it says; 2 usage; 3 one has none, or none that can be read, or
the keys in it have a wrong check value.`,
		Example: `  assay issuer send --dialect iso87-ascii --to 127.0.0.1:8583 echo.yaml
  assay issuer send --dialect unionpay-bcd --to 127.0.0.1:8583 sign-on.yaml sale.yaml
  assay issuer send --dialect unionpay-bcd --to 127.0.0.1:8583 --keys term1.keys sale.yaml
  assay issuer send --dialect unionpay-bcd --to 127.0.0.1:8583 --tls --ca certs/ca.pem sale.yaml`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(fmt.Errorf("a message file is needed; see '%s --help'", cmd.CommandPath()))
			}
			return f.run(cmd.Context(), args, cmd.OutOrStdout())
		},
	}
	dialectFlag(cmd, &f.dialect, "dialect of the message")
	flags := cmd.Flags()
	flags.StringVar(&f.to, "to", "", "host and port of the host")
	flags.StringVar(&f.keys, "keys", "", "file that keeps the terminal's working keys from one call to the next, made by its sign-on")
	flags.DurationVar(&f.timeout, "timeout", sendTimeout, "longest wait for an answer, dialling included")
	flags.BoolVar(&f.tls, "tls", false, "speak TLS")
	flags.StringVar(&f.ca, "ca", "", "with --tls: certificates to trust, PEM (default: the system's)")
	flags.StringVar(&f.cert, "cert", "", "with --tls: own certificate, PEM")
	flags.StringVar(&f.key, "key", "", "with --tls: its key, PEM")
	return cmd
}

func (f sendFlags) run(ctx context.Context, files []string, out io.Writer) error {
	if err := f.check(); err != nil {
		return usage(err)
	}
	d, err := namedDialect(f.dialect)
	if err != nil {
		return usage(err)
	}
	c := &conversation{flags: f, dialect: d, session: messages.NewSession(d.host, d.codec), out: out}
	if f.keys != "" {
		if err := c.session.Open(f.keys); err != nil {
			return usage(fmt.Errorf("--keys: %w", err))
		}
	}
	for _, file := range files { // a mistake in the last one is found before the first is sent
		if _, err := c.session.Load(file); err != nil {
			return usage(err)
		}
	}
	if c.tls, err = f.tlsConfig(); err != nil {
		return usage(err)
	}
	defer c.close()
	for i, file := range files {
		if i > 0 {
			if _, err := io.WriteString(out, "---\n"); err != nil {
				return err
			}
		}
		if err := c.send(ctx, file); err != nil {
			return err
		}
	}
	return nil
}

// conversation is one run of `assay issuer send`.
type conversation struct {
	flags   sendFlags
	dialect dialect
	session *messages.Session
	tls     *tls.Config // nil: none
	conn    net.Conn    // nil: not dialled yet
	out     io.Writer
}

func (c *conversation) close() {
	if c.conn != nil {
		_ = c.conn.Close() // everything that was asked for is answered
	}
}

// send sends one file, prints the answer, and learns the keys that it brings.
func (c *conversation) send(ctx context.Context, file string) error {
	request, err := c.session.Load(file)
	if err != nil {
		return usage(err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.flags.timeout)
	defer cancel()
	answer, err := c.exchange(ctx, request)
	if err != nil {
		return &exit{exitInconclusive, fmt.Errorf("%s: no answer from %s: %w", file, c.flags.to, err)}
	}
	text, err := c.session.Format(answer)
	if err != nil {
		return &exit{exitInconclusive, fmt.Errorf("%s: an answer of %d bytes that can't be read: %w", file, len(answer), err)}
	}
	if _, err := io.WriteString(c.out, text); err != nil {
		return err
	}
	fresh, err := c.session.Learn(request, answer)
	if err != nil {
		return &exit{exitInconclusive, fmt.Errorf("%s: %w", file, err)}
	}
	if fresh && c.flags.keys != "" {
		if err := c.session.Save(c.flags.keys); err != nil {
			return &exit{exitInconclusive, fmt.Errorf("--keys: %w", err)}
		}
	}
	return nil
}

// exchange sends one message, on a connection that is dialled for the first, and returns what comes back.
func (c *conversation) exchange(ctx context.Context, request []byte) (answer []byte, err error) {
	if c.conn == nil {
		if c.conn, err = dial(ctx, c.flags.to, c.tls); err != nil {
			c.conn = nil
			return nil, err
		}
	}
	return converse(ctx, c.conn, c.dialect.host.Dialect.Framing, request)
}

func (f sendFlags) check() error {
	switch {
	case f.to == "":
		return errors.New("--to is needed: host and port, such as 127.0.0.1:8583")
	case f.timeout <= 0:
		return errors.New("--timeout: a time above zero is needed, such as 30s")
	case !f.tls && (f.ca != "" || f.cert != "" || f.key != ""):
		return errors.New("--ca, --cert and --key are for --tls, which is not given")
	case (f.cert == "") != (f.key == ""):
		return errors.New("--cert and --key belong together")
	}
	if _, _, err := net.SplitHostPort(f.to); err != nil {
		return fmt.Errorf("--to: host and port are needed, such as 127.0.0.1:8583: %w", err)
	}
	return nil
}

// tlsConfig is nil without TLS.
func (f sendFlags) tlsConfig() (*tls.Config, error) {
	if !f.tls {
		return nil, nil
	}
	host, _, _ := net.SplitHostPort(f.to) // check has read it
	config := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if f.ca != "" {
		pool, err := readPool(f.ca)
		if err != nil {
			return nil, fmt.Errorf("--ca: %w", err)
		}
		config.RootCAs = pool
	}
	if f.cert != "" {
		own, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return nil, fmt.Errorf("--cert: %w", err)
		}
		config.Certificates = []tls.Certificate{own}
	}
	return config, nil
}

func readPool(name string) (*x509.CertPool, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxCAFile))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", name)
	}
	return pool, nil
}

// converse sends one message and returns the first that comes back. Signs of life before it are
// answered.
func converse(ctx context.Context, conn net.Conn, framing iso8583.Framing, payload []byte) ([]byte, error) {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	defer stop()
	if err := framing.WriteFrame(conn, payload); err != nil {
		return nil, interrupted(ctx, err)
	}
	for range maxPolls {
		answer, err := framing.ReadFrame(conn)
		if !errors.Is(err, iso8583.ErrPoll) {
			return answer, interrupted(ctx, err)
		}
		if _, err := conn.Write(framing.Poll()); err != nil {
			return nil, interrupted(ctx, err)
		}
	}
	return nil, fmt.Errorf("%d signs of life and no message", maxPolls)
}

func dial(ctx context.Context, to string, config *tls.Config) (net.Conn, error) {
	if config == nil {
		return (&net.Dialer{}).DialContext(ctx, "tcp", to)
	}
	return (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", to)
}

// interrupted says that time was over, or Ctrl-C pressed, where that is why something failed.
func interrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
