package terminal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/assay-hil/assay/fakes/terminal/kernel"
	"github.com/assay-hil/assay/fixtures/terminals"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/emv/parameters"
	"github.com/assay-hil/assay/protocol/iso8583"
)

// apduLimit bounds the reset of a chip and each of its answers.
const apduLimit = 10 * time.Second

// codeUnable tells a card that the host could not be asked (EMV Book 4 annex A6, Z3): this terminal sells nothing then.
const codeUnable = "Z3"

// newKernel makes the kernel of what is burnt into a terminal that reads chips and of what is loaded into it.
func newKernel(p *terminals.Profile, set parameters.Set, defects planted) (*kernel.Kernel, error) {
	e := p.EMV
	cfg := kernel.Config{
		Type: e.Type, Capabilities: e.Capabilities, Additional: e.Additional, Country: e.Country, Currency: p.Identity.Currency,
		Chooses: e.Choice, Wallets: e.Wallets, Exceptions: e.Exceptions, Defects: map[string]bool{},
	}
	if !p.Has("pin") {
		cfg.Capabilities[1] &^= 0xD0 // no PIN of any kind
	}
	for _, a := range set.Applications {
		loaded := kernel.Application{
			AID: a.AID, Partial: a.Partial, Version: a.Version, FloorLimit: a.FloorLimit,
			Random:     kernel.Random{Threshold: a.Threshold, Target: a.Target, Max: a.Max},
			TACDefault: a.TACDefault, TACDenial: a.TACDenial, TACOnline: a.TACOnline,
		}
		if a.Contactless != nil && p.Has("contactless") {
			loaded.Contactless = (*kernel.Limits)(a.Contactless)
		}
		cfg.Applications = append(cfg.Applications, loaded)
	}
	for _, k := range set.Keys {
		cfg.Keys = append(cfg.Keys, kernel.CAKey(k))
	}
	for _, name := range kernel.Defects() {
		if defects.has(name) {
			cfg.Defects[name] = true
		}
	}
	return kernel.New(cfg)
}

// chipCard is the contact reader as the kernel sees it.
type chipCard struct{ reader ChipReader }

func (c chipCard) PowerOn(ctx context.Context) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, apduLimit)
	defer cancel()
	atr, err := c.reader.PowerOn(limited)
	return atr, c.told(err)
}

func (c chipCard) Transmit(ctx context.Context, capdu []byte) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, apduLimit)
	defer cancel()
	answer, err := c.reader.Transmit(limited, capdu)
	return answer, c.told(err)
}

func (c chipCard) PowerOff() { c.reader.PowerOff() }

// told tells a card that is gone from one that says nothing.
func (c chipCard) told(err error) error {
	if err != nil && !c.reader.Present() {
		return kernel.ErrRemoved
	}
	return err
}

// readChip takes an inserted card through the kernel up to its request cryptogram.
func (a *app) readChip(ctx context.Context, r *search) (card, error) {
	if a.kernel == nil {
		return card{}, ending{promptParametersMissing}
	}
	talk := &cardTalk{app: a}
	session, err := a.kernel.Contact(ctx, chipCard{a.hw.Chip}, talk, a.cardSale(r))
	if err != nil {
		return card{}, err
	}
	result := session.Result()
	if err := chipEnd(result); err != nil {
		return card{}, err
	}
	return a.chipOf(session, result, talk)
}

// chipOf makes a card of what the kernel read.
func (a *app) chipOf(session *kernel.Session, result kernel.Result, talk *cardTalk) (card, error) {
	read := card{
		pan: result.PAN, expiry: result.Expiry, track2: result.Track2, pinBlock: talk.pinBlock,
		chip: &chipRead{session: session, result: result},
	}
	if !read.usable() {
		return card{}, ending{promptCardDataError}
	}
	return read, nil
}

// chipEnd says what comes of an inserted card that can't be asked to go online: nil when it can, an ending, or another try. A
// chip that could not be read, or has no application of ours, opens the way to its stripe; a blocked one doesn't.
func chipEnd(r kernel.Result) error {
	switch r.Outcome {
	case kernel.Online, kernel.Approved:
		return nil
	case kernel.Fallback:
		if r.Reason == kernel.NoApplication {
			return cardRetry{prompt: promptCardUnsupported, remove: true, fallback: true}
		}
		return cardRetry{prompt: promptCardChipError, remove: true, fallback: true}
	}
	return ending{promptForReason(r.Reason)}
}

// promptForReason tells the cashier why a card is no good.
func promptForReason(r kernel.Reason) string {
	switch r {
	case kernel.Removed:
		return promptCardRemoved
	case kernel.BadData:
		return promptCardDataError
	case kernel.CardBlocked:
		return promptCardBlocked
	case kernel.AppBlocked:
		return promptAppBlocked
	case kernel.AppExpired:
		return promptAppExpired
	case kernel.AppNotEffective:
		return promptAppNotEffective
	case kernel.OnExceptionFile:
		return promptCardListed
	case kernel.ODAFailed:
		return promptCardNotAuthentic
	case kernel.PINTriesOver:
		return promptPINBlocked
	case kernel.CardRefused:
		return promptCardDeclined
	case kernel.CardError, kernel.Mute:
		return promptCardChipError
	case kernel.NoApplication, kernel.NotAccepted:
		return promptCardUnsupported
	}
	return promptCardRefused
}

// cardSale is the sale as the kernel needs to know it. The unpredictable number differs from sale to sale but is the same when the
// same hour is played again: a run in virtual time must be repeatable to the byte. A terminal for real money must draw it at random.
func (a *app) cardSale(r *search) kernel.Transaction {
	at := now()
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", a.profile.Identity.Terminal, a.memory.STAN, at.UnixNano()))
	return kernel.Transaction{
		Amount: r.amount, ForceOnline: r.online, At: at, Sequence: a.memory.STAN + 1, Unpredictable: [4]byte(sum[:4]), Draw: 1 + int(sum[4])%99,
	}
}

// data is DE55 in hexadecimal; "" without a chip.
func (c card) data() string {
	if c.chip == nil {
		return ""
	}
	return strings.ToUpper(hex.EncodeToString(c.chip.result.Data.Encode()))
}

// scriptData is DE55 of the report about issuer scripts (0620), with their results; "" when none ran.
func (c card) scriptData() string {
	if c.chip == nil || len(c.chip.result.Scripts) == 0 {
		return ""
	}
	list := emv.List{{Tag: emv.TagScriptResults, Value: c.chip.result.Scripts}}
	return strings.ToUpper(hex.EncodeToString(append(c.chip.result.Data.Encode(), list.Encode()...)))
}

// approvedOffline says that card and terminal have agreed without the host.
func (c card) approvedOffline() bool {
	return c.chip != nil && c.chip.result.Outcome == kernel.Approved
}

// signed says that the cardholder must sign the receipt.
func (c card) signed() bool { return c.chip != nil && c.chip.result.Signature }

// askCardAgain lets the card have the last word on a sale that the host approved: the issuer
// proves itself, then the card gives its approval (TC) or refuses (AAC). Its errors are endings
// or the power cut.
func (a *app) askCardAgain(ctx context.Context, s *sale, reply iso8583.Message) error {
	if s.card.chip == nil || s.card.chip.session == nil {
		return nil
	}
	fromIssuer, err := issuerData(reply)
	if err != nil {
		return err
	}
	result, err := a.completeChip(ctx, s, kernel.Answer{Code: reply.Fields[39], Approved: true, Data: fromIssuer})
	switch {
	case err != nil:
		return err
	case result.Outcome == kernel.Approved:
		return nil
	case result.Reason == kernel.CardRefused && a.defects.has(defectAACKept):
		return nil
	}
	return ending{promptForReason(result.Reason)}
}

// tellCard lets the card know that the host declined, or with no reply that it could not be asked. What the card says to that changes
// nothing but the results of scripts; the error is the power cut.
func (a *app) tellCard(ctx context.Context, s *sale, reply iso8583.Message) error {
	if s.card.chip == nil || s.card.chip.session == nil {
		return nil
	}
	fromIssuer, err := issuerData(reply)
	if err != nil {
		fromIssuer = nil // the decline stands
	}
	code := reply.Fields[39]
	if code == "" {
		code = codeUnable
	}
	_, err = a.completeChip(ctx, s, kernel.Answer{Code: code, Data: fromIssuer})
	return err
}

func (a *app) completeChip(ctx context.Context, s *sale, answer kernel.Answer) (kernel.Result, error) {
	if len(answer.Code) > 2 { // three digits in 1993; the card has room for two characters
		answer.Code = map[bool]string{true: "00", false: "05"}[answer.Approved]
	}
	result, err := s.card.chip.session.Complete(ctx, answer)
	if errors.Is(err, kernel.ErrNothingToComplete) {
		err = nil
	}
	s.card.chip.result = result
	return result, err
}

// issuerData reads DE55 of a reply.
func issuerData(reply iso8583.Message) (emv.List, error) {
	raw, err := hex.DecodeString(reply.Fields[55])
	if err != nil {
		return nil, errBadReply
	}
	objects, err := emv.Read(raw)
	if err != nil {
		return nil, errBadReply
	}
	return objects.List, nil
}
