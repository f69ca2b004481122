package terminal

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/iso8583"
	"github.com/assay-hil/assay/protocol/track"
)

const (
	// apduLimit bounds the reset of a chip and each of its answers.
	apduLimit = 10 * time.Second
	// maxRecords bounds how many records are read from one card.
	maxRecords = 32
	// maxDE55 is what DE55 can carry, in bytes.
	maxDE55 = 255
)

// chipSale is the application on a chip while a sale is under way: a view on what terminal
// and card have told each other.
type chipSale struct {
	terminal chipObjects
	card     emv.List // everything the card has said, in its order
	sequence string   // DE23; "" when the card has none
	de55     string   // hexadecimal
}

// lookup finds a data object; what the terminal knows the card can't redefine.
func (c *chipSale) lookup(tag uint32) ([]byte, bool) {
	if value, ok := c.terminal[tag]; ok {
		return value, true
	}
	return c.card.Find(tag)
}

// dol builds the data that the card asks for with one of its data object lists. A card without
// the list gets no data.
func (c *chipSale) dol(tag uint32) ([]byte, error) {
	list, _ := c.card.Find(tag)
	wanted, err := emv.ParseDOL(list)
	if err != nil {
		return nil, retryChip
	}
	return wanted.Build(c.lookup), nil
}

// readChip takes an inserted card through a sale up to its request cryptogram. Everything that
// is wrong with the chip gives card-chip-error and another try; a card that refuses, or that has
// no application of ours, ends the sale.
func (a *app) readChip(ctx context.Context, amount int64) (card, error) {
	if err := a.chipOn(ctx); err != nil {
		return card{}, err
	}
	fci, err := a.selectApplication(ctx)
	if err != nil {
		return card{}, err
	}
	chip := &chipSale{terminal: a.chipObjects(amount, now()), card: fci}
	if err := a.startApplication(ctx, chip); err != nil {
		return card{}, err
	}
	if err := a.readRecords(ctx, chip); err != nil {
		return card{}, err
	}
	if err := a.requestCryptogram(ctx, chip); err != nil {
		return card{}, err
	}
	return chip.finish()
}

func (a *app) chipOn(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, apduLimit)
	defer cancel()
	if _, err := a.hw.Chip.PowerOn(limited); err != nil {
		return chipFailure(ctx)
	}
	return nil
}

// chipFailure is what to do about a chip that doesn't answer.
func chipFailure(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return retryChip
}

// command sends one command with Le (without when le is negative) and splits the answer.
func (a *app) command(ctx context.Context, cla, ins, p1, p2 byte, data []byte, le int) ([]byte, uint16, error) {
	limited, cancel := context.WithTimeout(ctx, apduLimit)
	defer cancel()
	response, err := a.hw.Chip.Transmit(limited, emv.BuildCommand(cla, ins, p1, p2, data, le))
	if err != nil {
		return nil, 0, chipFailure(ctx)
	}
	answer, status, err := emv.SplitResponse(response)
	if err != nil {
		return nil, 0, retryChip
	}
	return answer, status, nil
}

// selectApplication tries the terminal's applications in its order (EMV Book 1 §12.3.3, list of AIDs).
func (a *app) selectApplication(ctx context.Context) (emv.List, error) {
	for _, aid := range a.profile.Applications {
		answer, status, err := a.command(ctx, 0x00, emv.INSSelect, 0x04, 0x00, aid, 0)
		if err != nil {
			return nil, err
		}
		if status != emv.SWOK {
			continue
		}
		fci, err := emv.Parse(answer)
		if err != nil {
			return nil, retryChip
		}
		return fci, nil
	}
	return nil, ending{promptCardUnsupported}
}

// startApplication is GET PROCESSING OPTIONS (EMV Book 3 §6.5.8).
func (a *app) startApplication(ctx context.Context, chip *chipSale) error {
	wanted, err := chip.dol(emv.TagPDOL)
	if err != nil {
		return err
	}
	data := emv.List{{Tag: emv.TagCommand, Value: wanted}}.Encode()
	answer, status, err := a.command(ctx, 0x80, emv.INSGetProcessingOptions, 0, 0, data, 0)
	if err != nil {
		return err
	}
	options, err := chipObjectsIn(answer, status, func(plain []byte) emv.List {
		if len(plain) < 2 {
			return nil
		}
		return emv.List{{Tag: emv.TagAIP, Value: plain[:2]}, {Tag: emv.TagAFL, Value: plain[2:]}}
	})
	if err != nil {
		return err
	}
	aip, _ := options.Find(emv.TagAIP)
	if len(aip) != 2 {
		return retryChip
	}
	chip.card = append(chip.card, options...)
	return nil
}

// chipObjectsIn reads a successful answer in format 2 (template 77), or in format 1 (80), which
// plain takes apart; plain gives nil for what it can't read.
func chipObjectsIn(answer []byte, status uint16, plain func([]byte) emv.List) (emv.List, error) {
	objects, err := emv.Parse(answer)
	if err != nil || status != emv.SWOK || len(objects) != 1 {
		return nil, retryChip
	}
	switch objects[0].Tag {
	case emv.TagResponse2:
		return objects, nil
	case emv.TagResponse1:
		if list := plain(objects[0].Value); list != nil {
			return list, nil
		}
	}
	return nil, retryChip
}

// readRecords reads what the application file locator lists (EMV Book 3 §10.2).
func (a *app) readRecords(ctx context.Context, chip *chipSale) error {
	locator, _ := chip.card.Find(emv.TagAFL)
	if len(locator) == 0 || len(locator)%4 != 0 {
		return retryChip
	}
	read := 0
	for ; len(locator) > 0; locator = locator[4:] {
		file, first, last := locator[0]&^7, int(locator[1]), int(locator[2])
		if read += last - first + 1; first < 1 || first > last || read > maxRecords {
			return retryChip
		}
		for number := first; number <= last; number++ {
			answer, status, err := a.command(ctx, 0x00, emv.INSReadRecord, byte(number), file|4, nil, 0)
			if err != nil {
				return err
			}
			record, err := emv.Parse(answer)
			if err != nil || status != emv.SWOK {
				return retryChip
			}
			chip.card = append(chip.card, record...)
		}
	}
	return nil
}

// generateAC asks for a cryptogram (EMV Book 3 §6.5.5) and returns it with what belongs to it.
func (a *app) generateAC(ctx context.Context, chip *chipSale, kind byte, list uint32) (byte, emv.List, error) {
	data, err := chip.dol(list)
	if err != nil {
		return 0, nil, err
	}
	answer, status, err := a.command(ctx, 0x80, emv.INSGenerateAC, kind, 0, data, 0)
	if err != nil {
		return 0, nil, err
	}
	objects, err := chipObjectsIn(answer, status, func(plain []byte) emv.List {
		if len(plain) < 11 {
			return nil
		}
		return emv.List{
			{Tag: emv.TagCID, Value: plain[:1]}, {Tag: emv.TagATC, Value: plain[1:3]},
			{Tag: emv.TagCryptogram, Value: plain[3:11]}, {Tag: emv.TagIAD, Value: plain[11:]},
		}
	})
	if err != nil {
		return 0, nil, err
	}
	info, _ := objects.Find(emv.TagCID)
	if len(info) != 1 {
		return 0, nil, retryChip
	}
	return info[0] & 0xC0, objects, nil
}

// requestCryptogram is the first GENERATE AC: this terminal always goes online.
func (a *app) requestCryptogram(ctx context.Context, chip *chipSale) error {
	kind, objects, err := a.generateAC(ctx, chip, emv.TypeARQC, emv.TagCDOL1)
	switch {
	case err != nil:
		return err
	case kind == emv.TypeAAC:
		return ending{promptCardDeclined}
	case kind != emv.TypeARQC:
		return retryChip
	}
	chip.card = append(chip.card, objects...)
	return nil
}

// finish takes from the chip what goes into the messages.
func (c *chipSale) finish() (card, error) {
	read := card{chip: c}
	if equivalent, ok := c.card.Find(emv.TagTrack2); ok {
		text := strings.TrimSuffix(strings.ToUpper(hex.EncodeToString(equivalent)), "F")
		t, err := track.Parse2(strings.Replace(text, "D", "=", 1))
		if err != nil {
			return card{}, retryChip
		}
		read.pan, read.expiry, read.track2 = t.PAN, t.Expiry, t.String()
	}
	if pan, ok := c.card.Find(emv.TagPAN); ok {
		read.pan = strings.TrimRight(strings.ToUpper(hex.EncodeToString(pan)), "F")
	}
	if expiry, ok := c.card.Find(emv.TagExpiry); ok && len(expiry) == 3 {
		read.expiry = hex.EncodeToString(expiry[:2])
	}
	if sequence, ok := c.card.Find(emv.TagSequence); ok {
		c.sequence = "0" + hex.EncodeToString(sequence)
	}
	c.de55 = strings.ToUpper(hex.EncodeToString(c.requestData()))
	if !read.usable() || c.de55 == "" || len(c.sequence) > 3 || !digits(c.sequence) {
		return card{}, retryChip
	}
	return read, nil
}

// requestData is DE55: the cryptogram and all that the issuer needs to check it. It is empty
// when the card left something out, or when it doesn't fit.
func (c *chipSale) requestData() []byte {
	var data emv.List
	for _, tag := range []uint32{
		emv.TagCryptogram, emv.TagCID, emv.TagIAD, emv.TagUnpredictable, emv.TagATC, emv.TagTVR,
		emv.TagDate, emv.TagType, emv.TagAmount, emv.TagCurrency, emv.TagAIP, emv.TagTerminalCountry,
		emv.TagAmountOther, emv.TagCapabilities, emv.TagCVMResults, emv.TagTerminalType,
	} {
		value, ok := c.lookup(tag)
		if !ok {
			return nil
		}
		data = append(data, emv.TLV{Tag: tag, Value: value})
	}
	encoded := data.Encode()
	if len(encoded) > maxDE55 {
		return nil
	}
	return encoded
}

// issuerAuthentication is the bit of the AIP that asks for EXTERNAL AUTHENTICATE (EMV Book 3 Annex C1).
const issuerAuthentication = 0x04

// askCardAgain lets the card have the last word on a sale that the host approved: the issuer
// proves itself, then the card gives its approval (TC) or refuses (AAC). Its errors are endings
// or the power cut.
func (a *app) askCardAgain(ctx context.Context, s *sale, reply iso8583.Message) error {
	if s.card.chip == nil {
		return nil
	}
	err := a.completeChip(ctx, s.card.chip, reply)
	if retry := (cardRetry{}); errors.As(err, &retry) {
		return ending{retry.prompt} // too late for another card
	}
	return err
}

func (a *app) completeChip(ctx context.Context, chip *chipSale, reply iso8583.Message) error {
	fromIssuer, err := hex.DecodeString(reply.Fields[55])
	if err != nil {
		return errBadReply
	}
	objects, err := emv.Parse(fromIssuer)
	if err != nil {
		return errBadReply
	}
	chip.terminal[emv.TagARC] = []byte(reply.Fields[39])
	if err := a.authenticateIssuer(ctx, chip, objects); err != nil {
		return err
	}
	kind, _, err := a.generateAC(ctx, chip, emv.TypeTC, emv.TagCDOL2)
	if err == nil && kind != emv.TypeTC {
		return ending{promptCardDeclined}
	}
	return err
}

// authenticateIssuer hands the issuer's proof to a card that wants it. A card that isn't
// convinced is noted in the TVR and decides with its second cryptogram.
func (a *app) authenticateIssuer(ctx context.Context, chip *chipSale, fromIssuer emv.List) error {
	proof, ok := fromIssuer.Find(emv.TagIssuerAuth)
	aip, _ := chip.card.Find(emv.TagAIP)
	if !ok || aip[0]&issuerAuthentication == 0 {
		return nil
	}
	if len(proof) < 8 || len(proof) > 16 {
		return errBadReply
	}
	chip.terminal[emv.TagIssuerAuth] = proof
	_, status, err := a.command(ctx, 0x00, emv.INSExternalAuthenticate, 0, 0, proof, -1)
	if err == nil && status != emv.SWOK {
		chip.terminal[emv.TagTVR][4] |= tvrIssuerAuthFailed
	}
	return err
}
