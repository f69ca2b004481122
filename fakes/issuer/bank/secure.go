package bank

import (
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/assay-hil/assay/protocol/cvv"
	"github.com/assay-hil/assay/protocol/dukpt"
	"github.com/assay-hil/assay/protocol/emv"
	"github.com/assay-hil/assay/protocol/pin"
)

// MaxTries is how many wrong PINs in a row block a card.
const MaxTries = 3

// proof is what keys and secrets say of a request. It is found out before anything is decided, and without
// the lock: most of a request's time goes here.
type proof struct {
	mac        bool // right, or there is none
	pin        pinState
	stripe     bool // CVV or iCVV right, or not checked
	printed    bool // CVV2
	cryptogram bool // right, or there is none
	proven     bool // there is one, and it is right
	answer     emv.Proof
}

type pinState int

const (
	pinNone pinState = iota
	pinRight
	pinWrong
	pinBroken // no PIN block of the host's format under the terminal's key
)

// authentic verifies the MAC of a message that must have one.
func (b *Bank) authentic(q *inquiry) bool {
	if b.host.Dialect.MAC == nil || q.Operation.Plain {
		return true
	}
	data, given, err := b.codec.MACData(q.Payload)
	if err == nil {
		err = b.keys(q.Terminal()).mac.Verify(data, given)
	}
	if err != nil {
		q.fault("wrong MAC")
	}
	return err == nil
}

// prove finds out what the secrets in a request say.
func (b *Bank) prove(q *inquiry) {
	q.proof = proof{mac: true, stripe: true, printed: true, cryptogram: true}
	if q.proof.mac = b.authentic(q); !q.proof.mac || q.card == nil || !financial(q.Operation.Name) {
		return
	}
	q.proof.pin = b.pinOf(q)
	q.proof.stripe = b.stripeRight(q)
	q.proof.printed = b.printedRight(q)
	q.proof.cryptogram = b.cryptogramRight(q)
}

// pinOf opens the PIN block.
func (b *Bank) pinOf(q *inquiry) pinState {
	value, entered := q.f[fieldPIN]
	if !entered {
		return pinNone
	}
	block, err := hex.DecodeString(value)
	var opener *pin.Opener
	if err == nil {
		opener, err = b.opener(q)
	}
	var given string
	if err == nil {
		given, err = opener.Open(block, q.card.PAN)
	}
	switch {
	case err != nil:
		q.fault("field 52 is not a PIN block under the terminal's key")
		return pinBroken
	case subtle.ConstantTimeCompare([]byte(given), []byte(q.card.PIN)) == 1:
		return pinRight
	}
	return pinWrong
}

// errKSN: a request whose PIN is under a derived key does not say which.
var errKSN = errors.New("no key serial number")

// opener opens a request's PIN block: under the terminal's key, or with DUKPT under the transaction's.
func (b *Bank) opener(q *inquiry) (*pin.Opener, error) {
	if b.host.Keys.BDK == nil {
		return b.keys(q.Terminal()).opener, nil
	}
	key, err := b.derivedKey(q)
	if err != nil {
		return nil, err
	}
	return pin.NewOpener(b.host.PINFormat, key)
}

// derivedKey is the transaction's key for PIN blocks.
func (b *Bank) derivedKey(q *inquiry) ([]byte, error) {
	value, ok := b.codec.Get(q.Message, b.paths.ksn)
	if !ok {
		return nil, errKSN
	}
	ksn, err := hex.DecodeString(value)
	if err != nil {
		return nil, errKSN
	}
	if b.host.Keys.Scheme == "aes" {
		return b.pinKeyAES(ksn)
	}
	initial, err := dukpt.IPEK(b.host.Keys.BDK, ksn)
	if err != nil {
		return nil, err
	}
	return dukpt.Key(initial, ksn, dukpt.PIN)
}

// pinKeyAES: format 4 is enciphered with AES, the other formats with TDES.
func (b *Bank) pinKeyAES(ksn []byte) ([]byte, error) {
	initial, err := dukpt.InitialKey(b.host.Keys.BDK, ksn)
	if err != nil {
		return nil, err
	}
	kind := dukpt.TDES2
	if b.host.PINFormat == pin.Format4 {
		kind = dukpt.AES128
	}
	return dukpt.WorkingKey(initial, ksn, dukpt.PIN, kind)
}

// Places of the CVV behind the separator of track 2.
const (
	cvvStart = expiryLength + serviceLength + cvv.Start
	cvvEnd   = cvvStart + cvv.Length
)

// verificationKey is the key pair of a request's card for its CVV, iCVV and CVV2: the policy's, or the card's
// own; nil: none.
func (b *Bank) verificationKey(q *inquiry) []byte {
	if key := b.policy.CVK[q.Card]; key != nil {
		return key
	}
	return q.card.CVK
}

// stripeRight verifies the CVV of a stripe, the iCVV of a chip's track 2 data. A card without a
// verification key is not checked.
func (b *Bank) stripeRight(q *inquiry) bool {
	key := b.verificationKey(q)
	_, rest, found := cutTrack(q.f[fieldTrack2])
	if key == nil || !found {
		return true
	}
	if len(rest) < cvvEnd {
		return false
	}
	service := rest[expiryLength : expiryLength+serviceLength]
	if len(q.chip) > 0 {
		service = cvv.ServiceICVV
	}
	return cvv.Verify(key, q.pan, rest[:expiryLength], service, rest[cvvStart:cvvEnd]) == nil
}

// printedRight verifies the CVV2, where a request has one.
func (b *Bank) printedRight(q *inquiry) bool {
	key := b.verificationKey(q)
	if key == nil || b.paths.cvv2.IsZero() {
		return true
	}
	value, ok := b.codec.Get(q.Message, b.paths.cvv2)
	if !ok {
		return true
	}
	expiry := q.card.Expiry // whatever the request has is held against it elsewhere
	return len(expiry) == expiryLength &&
		cvv.Verify(key, q.pan, expiry[2:]+expiry[:2], cvv.ServiceCVV2, strings.TrimSpace(value)) == nil
}

// cryptogramRight verifies the card's request cryptogram and keeps what the answer's is made of. A card
// that has no chip cannot have made one. An advice has the cryptogram of the end of a transaction, which
// decides nothing any more.
func (b *Bank) cryptogramRight(q *inquiry) bool {
	if len(q.chip) == 0 || isAdvice(q.Message.MTI) {
		return true
	}
	verifier := b.chips[q.Card]
	if verifier == nil {
		return false
	}
	if given := q.f[fieldSequence]; given != "" && sequence(given) != q.card.Chip.Sequence {
		return false // another card's keys
	}
	var err error
	q.proof.answer, err = verifier.Verify(q.chip)
	q.proof.proven = err == nil
	return err == nil
}

// sequence is a card's sequence number: three digits on the wire, two on the card.
func sequence(field string) string {
	const onCard = 2
	if len(field) > onCard {
		return field[len(field)-onCard:]
	}
	return field
}

// isAdvice says whether a message tells of what has taken place already (ISO 8583: function 2).
func isAdvice(mti string) bool { return len(mti) == 4 && mti[2] == '2' }

// expired says whether a card's last month (YYMM of this century) is over; so is one that is no month. The day
// is that of the bank's clock.
func expired(expiry string, now time.Time) bool {
	last, err := strconv.Atoi(expiry)
	if err != nil || len(expiry) != 4 || last < 0 {
		return true
	}
	year, month := 2000+last/100, last%100
	return month < 1 || month > 12 || now.Year() > year || now.Year() == year && int(now.Month()) > month
}
