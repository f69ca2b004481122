package issuer

import (
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/assay-hil/assay/fakes/issuer/client"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/iso8583"
	"github.com/assay-hil/assay/protocol/pin"
)

// MaxTries is how many wrong PINs in a row block a card.
const MaxTries = 3

// processingPurchase is DE3 of a sale.
const processingPurchase = "000000"

// purchase handles an 0200: each sale is authorised once, and a repeat is answered as the first
// time.
func (b *bank) purchase(m iso8583.Message) outcome {
	if !b.complete(m, purchaseFields(m)) || !b.consistent(m) {
		return outcome{code: codeFormat}
	}
	k := keyOf(m)
	if first := b.books.sales[k]; first != nil {
		return b.repeat(m, first)
	}
	if b.books.full() && !b.books.tombstones[k] {
		b.fault(m, errFull.Error())
		return outcome{code: codeSystem}
	}
	s := &sale{request: m}
	s.out = b.authorise(m, s)
	s.out.reference = b.reference()
	if s.charge != nil {
		s.charge.record.RRN = s.out.reference
	}
	if b.books.tombstones[k] {
		b.net(m, s)
	}
	b.books.sales[k] = s
	return s.out
}

// purchaseFields are those that a purchase must have: the entry mode (DE22) says whether there
// was a chip (05x) and a PIN (xx1).
func purchaseFields(m iso8583.Message) []int {
	fields := []int{fieldPAN, fieldProcessing, fieldAmount, fieldTransmission, fieldSTAN, fieldTime, fieldDate, fieldExpiry,
		fieldEntryMode, fieldCondition, fieldTrack2, fieldTerminal, fieldMerchant, fieldCurrency}
	mode := m.Fields[fieldEntryMode]
	if strings.HasPrefix(mode, "05") {
		fields = append(fields, fieldSequence, fieldChip)
	}
	if strings.HasSuffix(mode, "1") {
		fields = append(fields, fieldPIN)
	}
	return fields
}

// consistent says whether fields that carry the same thing agree; a violation otherwise.
func (b *bank) consistent(m iso8583.Message) bool {
	f := m.Fields
	if !strings.HasPrefix(strings.Replace(f[fieldTrack2], "D", "=", 1), f[fieldPAN]+"="+f[fieldExpiry]) {
		b.fault(m, "field 35 is not of the card in fields 2 and 14")
		return false
	}
	if f[fieldChip] == "" {
		return true
	}
	data, err := chipData(m)
	if err != nil {
		b.fault(m, "field 55 is not TLV data")
		return false
	}
	if amount, ok := data.Find(emv.TagAmount); ok && hex.EncodeToString(amount) != f[fieldAmount] {
		b.fault(m, "tag 9F02 in field 55 is not the amount in field 4")
		return false
	}
	return true
}

// repeat answers a sale that was answered before. The same identity with another card or amount is no
// repeat but a terminal's mistake.
func (b *bank) repeat(m iso8583.Message, first *sale) outcome {
	for _, n := range []int{fieldPAN, fieldAmount, fieldCurrency} {
		if m.Fields[n] != first.request.Fields[n] {
			b.fault(m, fmt.Sprintf("field %d differs from the sale with the same terminal, STAN and time", n))
			return outcome{code: codeInvalid}
		}
	}
	return outcome{code: first.out.code, reference: first.out.reference, effect: client.EffectRepeat}
}

// authorise decides on a new sale, check after check, and posts it.
func (b *bank) authorise(m iso8583.Message, s *sale) outcome {
	amount, err := strconv.ParseInt(m.Fields[fieldAmount], 10, 64)
	if err != nil || amount == 0 || m.Fields[fieldProcessing] != processingPurchase {
		return outcome{code: codeInvalid}
	}
	a := b.books.accounts[m.Fields[fieldPAN]]
	if a == nil {
		return outcome{code: codeUnknownCard}
	}
	if m.Fields[fieldExpiry] != a.card.Expiry || expired(a.card.Expiry, time.Now()) {
		return outcome{code: codeExpired}
	}
	if code := b.checkPIN(m, a); code != "" {
		return outcome{code: code}
	}
	if _, _, err := cryptogram(m, a); err != nil {
		return outcome{code: codeRefused, effect: client.EffectCryptogram}
	}
	if amount > a.balance {
		return outcome{code: codeFunds}
	}
	s.charge, err = b.books.charge(a, client.Charge{
		Terminal: m.Fields[fieldTerminal], STAN: m.Fields[fieldSTAN], Amount: amount,
		Currency: m.Fields[fieldCurrency],
		// Masked changes it only when somebody has typed the card's number for an ID.
		CustomerID: b.codec.Masked(m)[strconv.Itoa(fieldCustomerID)],
	})
	if err != nil {
		b.fault(m, err.Error())
		return outcome{code: codeSystem}
	}
	return outcome{code: codeApproved, effect: client.EffectCharged}
}

// net undoes a sale whose reversal came first. The terminal has given it up, so it is declined.
func (b *bank) net(m iso8583.Message, s *sale) {
	delete(b.books.tombstones, keyOf(m))
	if s.charge == nil {
		return
	}
	s.out.code, s.out.effect = codeInvalid, client.EffectReversed
	if _, err := b.books.reverse(s.charge); err != nil {
		b.fault(m, err.Error())
		s.out.code, s.out.effect = codeSystem, client.EffectCharged
	}
}

// expired says whether a card's last month (YYMM of this century) is over. The day is that of the
// issuer's clock.
func expired(expiry string, now time.Time) bool {
	last, err := time.ParseInLocation("200601", "20"+expiry, now.Location())
	return err != nil || !now.Before(last.AddDate(0, 1, 0))
}

// checkPIN gives the code to decline with, or "" where the PIN is right or none was entered.
func (b *bank) checkPIN(m iso8583.Message, a *account) string {
	block, entered := m.Fields[fieldPIN]
	if !entered {
		return ""
	}
	if a.tries >= MaxTries {
		return codeTriesExceeded
	}
	given, err := b.openPIN(block, a.card.PAN)
	if err != nil {
		b.fault(m, "field 52 is not a PIN block under the terminal's key")
	}
	if err == nil && subtle.ConstantTimeCompare([]byte(given), []byte(a.card.PIN)) == 1 {
		a.tries = 0
		return ""
	}
	if a.tries++; a.tries >= MaxTries {
		return codeTriesExceeded
	}
	return codeWrongPIN
}

// openPIN deciphers a PIN block (ISO 9564-1 format 0).
func (b *bank) openPIN(block, pan string) (string, error) {
	raw, err := hex.DecodeString(block)
	if err != nil || len(raw) != 8 {
		return "", pin.ErrBlock
	}
	clear, err := pin.Decrypt(b.pinKey, [8]byte(raw))
	if err != nil {
		return "", err
	}
	return pin.DecodeISO0(clear, pan)
}

// chipData parses DE55.
func chipData(m iso8583.Message) (emv.List, error) {
	raw, err := hex.DecodeString(m.Fields[fieldChip])
	if err != nil {
		return nil, err
	}
	return emv.Parse(raw)
}

// errNoChip: chip data for a card that has no chip.
var errNoChip = errors.New("the card has no chip")

// cryptogram verifies the card's request cryptogram; without chip data there is none to verify. It gives
// what the answer's cryptogram is made of.
func cryptogram(m iso8583.Message, a *account) (sk []byte, ac [8]byte, err error) {
	if m.Fields[fieldChip] == "" {
		return nil, ac, nil
	}
	if a.card.Chip == nil {
		return nil, ac, errNoChip
	}
	data, err := chipData(m)
	if err != nil {
		return nil, ac, err
	}
	psn := strings.TrimPrefix(m.Fields[fieldSequence], "0") // n3 on the wire, 2 digits on the card
	return emv.VerifyARQC(a.card.Chip.MasterKey, m.Fields[fieldPAN], psn, data)
}

// proof is DE55 of the answer: the issuer's cryptogram over the response code (tag 91), in
// hexadecimal; "" where the request had no right cryptogram to answer.
func (b *bank) proof(m iso8583.Message, code string) string {
	a := b.books.accounts[m.Fields[fieldPAN]]
	if a == nil || m.Fields[fieldChip] == "" || len(code) != 2 {
		return ""
	}
	sk, ac, err := cryptogram(m, a)
	if err != nil {
		return ""
	}
	arc := [2]byte([]byte(code))
	arpc, err := emv.ResponseCryptogram(sk, ac, arc)
	if err != nil {
		return ""
	}
	reply := emv.List{{Tag: emv.TagIssuerAuth, Value: append(arpc[:], arc[:]...)}}
	return strings.ToUpper(hex.EncodeToString(reply.Encode()))
}
