package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-hil/assay/rungs/injector"
)

func newNetworkServe() *cobra.Command {
	var (
		o         injector.Options
		tokenFile string
		verbose   bool
	)
	cmd := &cobra.Command{
		Use:   "serve --uplink NAME=LISTEN,UPSTREAM",
		Short: "Stand between terminals and hosts until Ctrl-C",
		Long: `Listens for terminals on LISTEN and passes what they and the host at UPSTREAM say, until a plan
says otherwise: --plan, or POST /plan of the control API. When everything listens, one line of JSON
on standard output says where; the log is on standard error. 'assay network faults' lists what can
be in a plan.

A plan is YAML: seed, and under faults, tls, dns and packet a list of faults for that level.

With --packet every uplink listens in a network namespace of its own, and the terminal has to run in
another, on the far side of a router that spoils packets. The line on standard output names it:

  ip netns exec NAMESPACE terminal-program`,
		Example: `  assay network serve --uplink primary=127.0.0.1:8583,192.168.1.9:8583 --dialect iso87-ascii
  assay network serve --uplink primary=:8583,bank.test:8583 --uplink backup=:8584,bank2.test:8583 \
      --dialect unionpay-bcd --control 127.0.0.1:9090 --token-file token --pcap run.pcapng --plan plan.yaml
  assay network serve --uplink primary=:8583,bank.test:8583 --dialect iso87-ascii --tls good --tls-host pos.test
  sudo assay network serve --uplink primary=:8583,127.0.0.1:9583 --dialect iso87-ascii --packet --plan loss.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			level := slog.LevelInfo
			if verbose {
				level = slog.LevelDebug
			}
			o.Log = slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: level}))
			return serveNetwork(cmd, o, tokenFile)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&o.Uplinks, "uplink", nil, "a way to a host, as NAME=LISTEN,UPSTREAM; may be repeated")
	dialectFlag(cmd, &o.Dialect, "what terminal and host speak")
	flags.StringVar(&o.Control, "control", "127.0.0.1:0", "where the control API listens")
	flags.StringVar(&tokenFile, "token-file", "", "file of the token that the control API asks for; made if it does not exist")
	flags.StringVar(&o.Capture, "pcap", "", "file for a capture of what passes, card data masked (pcapng)")
	flags.StringVar(&o.Plan, "plan", "", "file of a plan that is armed from the start")
	flags.Int64Var(&o.Seed, "seed", 0, "seed of the plan, instead of its own")
	flags.StringVar(&o.TLS, "tls", injector.NoTLS, "TLS towards terminals: "+strings.Join(injector.TLSWords(), ", "))
	flags.StringVar(&o.TLSDir, "tls-dir", "certs", "folder of the test authority that terminals trust; made if it does not exist")
	flags.StringSliceVar(&o.TLSHosts, "tls-host", nil, "names by which terminals dial, besides the addresses that are listened on")
	flags.BoolVar(&o.TLSClient, "tls-client", false, "ask terminals for a certificate of the same authority")
	flags.StringVar(&o.DNS, "dns", "", "where a name server for terminals listens, UDP and TCP")
	flags.StringArrayVar(&o.DNSNames, "dns-name", nil, "a name that it knows, as NAME=ADDRESS[,ADDRESS]; may be repeated")
	flags.BoolVar(&o.Packet, "packet", false, "put the uplinks behind a packet bench, for packet faults (Linux, root; see 'assay network probe')")
	flags.BoolVar(&verbose, "verbose", false, "log every message, too")
	return cmd
}

// readyNetwork is the line that says where everything is.
type readyNetwork struct {
	injector.Ready
	TokenFile string `json:"token_file,omitempty"`
}

func serveNetwork(cmd *cobra.Command, o injector.Options, tokenFile string) error {
	if o.Dialect == "" {
		return usage(errors.New("--dialect is needed; 'assay network serve --help' lists them"))
	}
	if tokenFile != "" {
		token, err := injector.Token(tokenFile)
		if err != nil {
			return usage(err)
		}
		o.Token = token
	}
	i, err := injector.Start(cmd.Context(), o)
	if err != nil {
		return usage(err)
	}
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- i.Run(ctx) }()
	if err := json.NewEncoder(cmd.OutOrStdout()).Encode(readyNetwork{i.Ready(), tokenFile}); err != nil {
		cancel()
		return &exit{exitInconclusive, errors.Join(err, <-ended)}
	}
	if err := <-ended; err != nil {
		return &exit{exitInconclusive, err}
	}
	return nil
}
