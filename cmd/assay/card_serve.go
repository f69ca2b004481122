package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/vpcd"
)

const (
	// connectLimit is how long card serve looks for vpcd unless --wait says otherwise: a PC/SC stack takes seconds to start.
	connectLimit = 10 * time.Second
	// connectPause is between two attempts.
	connectPause = 100 * time.Millisecond
	// maxConnectLimit bounds --wait.
	maxConnectLimit = 10 * time.Minute
)

// cardServeFlags are the flags of `assay card serve`.
type cardServeFlags struct {
	card, vpcd, side string
	wait             time.Duration
}

// plugged is the line of card serve when the card is in the reader.
type plugged struct {
	Card      string `json:"card"`
	VPCD      string `json:"vpcd"`
	Interface string `json:"interface"`
	PID       int    `json:"pid"`
}

func newCardServe() *cobra.Command {
	var f cardServeFlags
	cmd := &cobra.Command{
		Use:   "serve --card NAME",
		Short: "Plug a test card into a PC/SC stack through vpcd, until Ctrl-C",
		Long: `Connects to vpcd, the virtual reader of the vsmartcard project (Debian: pcscd and vsmartcard-vpcd), and answers as the
test card does, for whatever software talks to the PC/SC stack. vpcd listens and the card connects, so start pcscd
first. When the card is in the reader, one line of JSON is printed. Ctrl-C, or SIGTERM, pulls it.

With --interface contactless the card presents itself as PC/SC shows one in a field: the applications are those
of its contactless side.

vpcd listens on all addresses of its machine and takes whoever comes first: on a machine that others reach, run it in a
network namespace of its own (unshare -n).

Exit codes: 0 ended as asked, 2 usage, 3 vpcd was not there in time, or went away.`,
		Example: `  assay card serve --card visa
  assay card serve --card two-applications --vpcd 127.0.0.1:35964
  opensc-tool --send-apdu 00A404000E325041592E5359532E444446303100       # in another shell`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), cmd.OutOrStdout()) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.card, "card", "", "test card, see 'assay card list'")
	flags.StringVar(&f.vpcd, "vpcd", vpcd.Address, "address at which vpcd listens")
	flags.StringVar(&f.side, "interface", emv.OnContact, "side of the card: contact or contactless")
	flags.DurationVar(&f.wait, "wait", connectLimit, "how long vpcd may take to be there")
	return cmd
}

// chip makes the side of the card that is plugged in.
func (f cardServeFlags) chip() (vpcd.Chip, error) {
	sides := []string{emv.OnContact, emv.OnContactless}
	if f.side != emv.OnContact && f.side != emv.OnContactless {
		return nil, errors.New("--interface: " + strict.UnknownMessage("interface", f.side, sides))
	}
	if f.wait < 0 || f.wait > maxConnectLimit {
		return nil, fmt.Errorf("--wait: at most %v", maxConnectLimit)
	}
	if _, _, err := net.SplitHostPort(f.vpcd); err != nil {
		return nil, fmt.Errorf("--vpcd: %w; an address is host:port, such as %s", err, vpcd.Address)
	}
	if f.card == "" {
		return nil, errors.New("--card is missing; 'assay card list' has them all")
	}
	c, err := cards.Find(f.card)
	if err != nil {
		return nil, fmt.Errorf("--card: %w", err)
	}
	chip, err := c.NewChip()
	switch {
	case err != nil:
		return nil, fmt.Errorf("--card: %w", err)
	case f.side == emv.OnContact:
		return chip, nil
	case c.Chip.Contactless == nil:
		return nil, fmt.Errorf("--interface: the card %s has no contactless side", c.ID)
	}
	return chip.Field(), nil
}

func (f cardServeFlags) run(ctx context.Context, out io.Writer) error {
	chip, err := f.chip()
	if err != nil {
		return usage(err)
	}
	conn, err := f.connect(ctx)
	if err != nil || conn == nil {
		return err
	}
	if err := json.NewEncoder(out).Encode(plugged{f.card, f.vpcd, f.side, os.Getpid()}); err != nil {
		return errors.Join(err, conn.Close())
	}
	if err := vpcd.Serve(ctx, conn, chip); err != nil {
		return &exit{exitInconclusive, fmt.Errorf("card %s in the reader at %s: %w", f.card, f.vpcd, err)}
	}
	return nil
}

// connect dials until vpcd is there. Without a connection and an error it was told to end.
func (f cardServeFlags) connect(ctx context.Context) (net.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, f.wait)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(limited, "tcp", f.vpcd)
		if err == nil {
			return conn, nil
		}
		select {
		case <-limited.Done():
			if ctx.Err() != nil {
				return nil, nil
			}
			return nil, &exit{exitInconclusive, fmt.Errorf("no vpcd at %s within %v: %w; it is there when pcscd runs with its reader (Debian: pcscd, vsmartcard-vpcd)", f.vpcd, f.wait, err)}
		case <-time.After(connectPause):
		}
	}
}
