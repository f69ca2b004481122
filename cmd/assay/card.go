package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/assay-hil/assay/fixtures/cards"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/mask"
)

func newCard() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "card",
		Short: "Look at the test cards, and plug one into a PC/SC reader",
		Example: `  assay card list                        every card, a line each
  assay card show offline-decline        one of them, in words
  assay card serve --card visa           in a reader of vpcd, for any software that talks PC/SC`,
		Args: cobra.ArbitraryArgs,
		RunE: group,
	}
	cmd.AddCommand(newCardList(), newCardShow(), newCardServe())
	return cmd
}

// cardLine is a card for programs. The number is masked.
type cardLine struct {
	ID         string   `json:"id"`
	Title      string   `json:"title"`
	Scheme     string   `json:"scheme,omitempty"`
	Number     string   `json:"number"`
	Expiry     string   `json:"expiry"`
	Interfaces []string `json:"interfaces"`
}

func lineOf(c *cards.Card) cardLine {
	return cardLine{c.ID, c.Title, c.Scheme(), mask.PAN(c.PAN), c.Expiry, c.Interfaces()}
}

func newCardList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the test cards",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := cards.All()
			if err != nil {
				return usage(err)
			}
			return listCards(cmd.OutOrStdout(), all, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

func listCards(out io.Writer, all []*cards.Card, asJSON bool) error {
	encoder, table := json.NewEncoder(out), tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range all {
		line := lineOf(c)
		if asJSON {
			if err := encoder.Encode(line); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", line.ID, line.Scheme, strings.Join(line.Interfaces, ","), line.Title)
	}
	return table.Flush()
}

func newCardShow() *cobra.Command {
	return &cobra.Command{
		Use:     "show NAME",
		Short:   "Say what a test card is and does",
		Example: "  assay card show decline-after-approval",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := cards.Find(args[0])
			if err != nil {
				return usage(err)
			}
			return showCard(cmd.OutOrStdout(), c)
		},
	}
}

// showCard tells of a card what no key, PIN or whole number is.
func showCard(out io.Writer, c *cards.Card) error {
	line := lineOf(c)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	say := func(what, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", what, value)
		}
	}
	say("card", line.ID)
	say("title", line.Title)
	say("scheme", line.Scheme)
	say("number", line.Number)
	say("expiry", line.Expiry[2:]+"/"+line.Expiry[:2])
	say("interfaces", strings.Join(line.Interfaces, ", "))
	say("stripe", stripeInWords(c))
	if c.Chip != nil {
		showChip(say, c)
	}
	return w.Flush()
}

func stripeInWords(c *cards.Card) string {
	var words []string
	for _, part := range []struct{ what, is string }{{"another number", c.Stripe.PAN}, {"another expiry", c.Stripe.Expiry}, {"another service code", c.Stripe.Service},
		{"other discretionary data", c.Stripe.Discretionary}} {
		if part.is != "" {
			words = append(words, part.what)
		}
	}
	for i, damage := range []string{c.Damage.Track1, c.Damage.Track2} {
		if damage != "" {
			words = append(words, fmt.Sprintf("track %d: %s", i+1, damage))
		}
	}
	return strings.Join(words, "; ")
}

func showChip(say func(what, value string), c *cards.Card) {
	h := c.Chip
	if len(h.ATR) == 0 {
		say("chip", "mute: no answer to reset")
	}
	say("application", applicationInWords(hex.EncodeToString(h.AID), h.Label, h.Blocked))
	for _, a := range h.Also {
		say("application", applicationInWords(hex.EncodeToString([]byte(a.AID)), a.Label, a.Blocked || h.Blocked))
	}
	say("cryptograms", emv.Scheme{CVN: h.CVN}.String())
	say("authentication", authenticationInWords(h.Authenticate))
	if h.CardBlocked {
		say("blocked", "the card")
	}
	decisions := map[emv.Decision]string{emv.Decline: "declines", emv.GoOnline: "goes online"}
	say("first cryptogram", decisions[h.First])
	say("second cryptogram", decisions[h.Second])
	say("valid from", h.Effective)
	if t := h.Contactless; t != nil {
		words := map[emv.Decision]string{emv.AsAsked: "approves offline where the reader lets it", emv.Decline: "declines", emv.GoOnline: "goes online"}[t.Decide]
		if t.Elsewhere {
			words = "wants another interface"
		}
		if t.Phone {
			words += ", a phone"
		}
		say("tap", words)
	}
	for _, f := range h.Faults {
		say("fault", faultInWords(f))
	}
}

func applicationInWords(aid, label string, blocked bool) string {
	words := strings.ToUpper(aid) + " " + label
	if blocked {
		words += ", blocked"
	}
	return words
}

func authenticationInWords(a cards.Authenticate) string {
	var words []string
	for _, m := range []struct {
		bit  byte
		name string
	}{{emv.AIPStatic, "SDA"}, {emv.AIPDynamic, "DDA"}, {emv.AIPCombined, "CDA"}} {
		if a.Methods&m.bit != 0 {
			words = append(words, m.name)
		}
	}
	if a.Damage != "" {
		words = append(words, "broken: "+a.Damage)
	}
	return strings.Join(words, ", ")
}

func faultInWords(f emv.Fault) string {
	words := []string{"on " + f.On}
	if f.Interface != "" {
		words = append(words, f.Interface)
	}
	if f.Skip > 0 {
		words = append(words, fmt.Sprintf("after %d", f.Skip))
	}
	if f.Times > 0 {
		words = append(words, fmt.Sprintf("%d times", f.Times))
	}
	if f.Delay > 0 {
		words = append(words, "late by "+f.Delay.String())
	}
	if f.Mute {
		words = append(words, "no answer")
	}
	if f.Status != 0 {
		words = append(words, fmt.Sprintf("status %04X", f.Status))
	}
	if f.Damage != "" {
		words = append(words, "damaged: "+f.Damage)
	}
	return strings.Join(words, ", ")
}
