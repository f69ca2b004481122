package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/fixtures/hosts"
	"github.com/assay-hil/assay/fixtures/strict"
	"github.com/assay-hil/assay/protocol/iso8583"
)

func newIssuer() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "issuer",
		Short: "The fake bank by itself: serve it, check its rules, send it a message",
		Long: `The issuer is the bank behind the terminal: an ISO 8583 host that answers by the books, or as
rules say. Here it runs by itself, for a terminal or a test that is not one of assay's own.`,
		Args: cobra.ArbitraryArgs,
		RunE: group,
	}
	cmd.AddCommand(newIssuerServe(), newIssuerLint(), newIssuerSend())
	return cmd
}

// dialect is a host's dialect with its codec.
type dialect struct {
	host  *hosts.Host
	codec *iso8583.Codec
}

// openDialect takes the id of an embedded dialect or, with a slash or ending in .yaml, a file of one's own.
func openDialect(name string) (dialect, error) {
	load := hosts.Load
	if strings.ContainsAny(name, `/\`) || strings.HasSuffix(name, ".yaml") {
		load = hosts.LoadFile
	}
	host, err := load(name)
	if err != nil {
		return dialect{}, err
	}
	codec, err := iso8583.NewCodec(host.Dialect)
	if err != nil {
		return dialect{}, err
	}
	return dialect{host, codec}, nil
}

// namedDialect is openDialect for the value of --dialect.
func namedDialect(name string) (dialect, error) {
	if name == "" {
		return dialect{}, errors.New("--dialect is needed: " + strings.Join(hosts.Names(), ", ") + ", or a file")
	}
	d, err := openDialect(name)
	if err != nil {
		return dialect{}, fmt.Errorf("--dialect: %w", err)
	}
	return d, nil
}

// dialectFlag adds --dialect to a command.
func dialectFlag(cmd *cobra.Command, name *string, text string) {
	cmd.Flags().StringVar(name, "dialect", "", text+": "+strings.Join(hosts.Names(), ", ")+", or a file")
}

// allCards is the word of --cards for every test card.
const allCards = "all"

// chooseCards gives the named test cards, by default all.
func chooseCards(names []string) ([]cards.Card, error) {
	all, err := cards.All()
	if err != nil {
		return nil, err
	}
	byID := map[string]*cards.Card{}
	ids := []string{allCards}
	for _, c := range all {
		byID[c.ID] = c
		ids = append(ids, c.ID)
	}
	var chosen []cards.Card
	taken := map[string]bool{}
	take := func(c *cards.Card) {
		if !taken[c.ID] {
			taken[c.ID] = true
			chosen = append(chosen, *c)
		}
	}
	for _, name := range names {
		switch c, known := byID[name]; {
		case name == allCards:
			for _, c := range all {
				take(c)
			}
		case known:
			take(c)
		default:
			return nil, fmt.Errorf("--cards: %s", strict.UnknownMessage("card", name, ids))
		}
	}
	return chosen, nil
}

// oneOf checks a flag's value against its words.
func oneOf(flag, value string, words []string) error {
	for _, w := range words {
		if value == w {
			return nil
		}
	}
	return usage(fmt.Errorf("--%s: %s", flag, strict.UnknownMessage("word", value, words)))
}
