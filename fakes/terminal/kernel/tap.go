package kernel

import (
	"bytes"
	"context"
	"slices"

	"github.com/assay-hil/assay/protocol/emv"
)

const contactlessDirectory = "2PAY.SYS.DDF01"

// The terminal transaction qualifiers (9F66; EMV Contactless Book C-3 §5.2), by byte.
const (
	ttqEMVMode   = 0x20 // byte 1
	ttqContact   = 0x10 // EMV contact chip supported
	ttqOnlinePIN = 0x04
	ttqSignature = 0x02
	ttqOnline    = 0x80 // byte 2: online cryptogram required
	ttqCVM       = 0x40 // CVM required
	ttqDevice    = 0x40 // byte 3: consumer device CVM supported
)

// The card transaction qualifiers (9F6C), by byte.
const (
	ctqOnlinePIN     = 0x80 // byte 1
	ctqSignature     = 0x40
	ctqOnlineIfODA   = 0x20 // go online if offline data authentication fails
	ctqInsertIfODA   = 0x10 // use another interface if it fails
	ctqOnlineExpired = 0x08 // go online if the application is expired
	ctqDevice        = 0x80 // byte 2: consumer device CVM performed
)

// MostContactless is the highest amount that any application of the terminal takes in the field; 0 when none does.
func (k *Kernel) MostContactless() int64 {
	most := int64(0)
	for _, app := range k.cfg.Applications {
		if app.Contactless != nil {
			most = max(most, app.Contactless.Transaction)
		}
	}
	return most
}

// Tap takes a card in the field through its one pass. With Online the host is to be asked, and the card has no further say: there is
// nothing to complete. The error is the context's, or one of the dialogue's own.
func (k *Kernel) Tap(ctx context.Context, card Card, talk Dialogue, tx Transaction) (Result, error) {
	s := k.begin(card, talk, tx)
	if err := s.settle(s.tap(ctx)); err != nil {
		return Result{}, err
	}
	return s.result, nil
}

// tap is the flow of EMV Contactless Books A, B and C-3: directory, application, processing options with the cryptogram, records.
func (s *Session) tap(ctx context.Context) error {
	if err := s.powerOn(ctx); err != nil {
		return torn(err)
	}
	left, err := s.near(ctx)
	if err != nil {
		return torn(err)
	}
	if err := s.enter(ctx, left); err != nil {
		return torn(err)
	}
	if len(s.said[emv.TagAFL]) > 0 {
		err := s.readRecords(ctx)
		if err = torn(err); err != nil && !(again(err) && s.bad(DefectTornCharged) && s.usable()) {
			return err
		}
	}
	if !s.usable() || !s.checkable() {
		return stopData
	}
	return s.decide(ctx)
}

var (
	stopAgain  = stop{Again, Removed}
	stopInsert = stop{OtherInterface, NoApplication}
)

func again(err error) bool {
	end, ok := err.(stop) //nolint:errorlint // stops are never wrapped
	return ok && end.outcome == Again
}

// torn makes of a card that left early, or that the field lost, one that is to be presented again.
func torn(err error) error {
	if err == stopRemoved {
		return stopAgain
	}
	if end, ok := err.(stop); ok && end.outcome == Fallback { //nolint:errorlint // stops are never wrapped
		if end.reason == NoApplication {
			return stopInsert
		}
		return stop{Again, end.reason}
	}
	return err
}

// near builds the candidate list from the directory in the field (Book B §3.3.2), in the order of priority, without the applications
// whose limit the amount is above.
func (s *Session) near(ctx context.Context) ([]candidate, error) {
	answer, status, err := s.command(ctx, 0x00, emv.INSSelect, 0x04, 0x00, []byte(contactlessDirectory), 0)
	if err != nil {
		return nil, err
	}
	if status != emv.SWOK {
		return nil, stopInsert
	}
	fci, err := emv.Read(answer)
	if err != nil {
		return nil, stopData
	}
	const discretionary = 0xBF0C // FCI issuer discretionary data
	listed, _ := fci.List.Find(discretionary)
	found, over := s.entries(nil, listed), false
	found = slices.DeleteFunc(found, func(c candidate) bool {
		limits := c.app.Contactless
		if limits == nil {
			return true
		}
		above := s.tx.Amount > limits.Transaction && !s.bad(DefectContactlessLimit)
		over = over || above
		return above
	})
	switch {
	case len(found) > 0:
	case over:
		return nil, stop{OtherInterface, OverLimit}
	default:
		return nil, stopInsert
	}
	s.order(found)
	return found, nil
}

// enter selects the first candidate that can be used and gets its answer to GET PROCESSING OPTIONS.
func (s *Session) enter(ctx context.Context, left []candidate) error {
	refused := error(stopInsert)
	for _, c := range left {
		answer, status, err := s.command(ctx, 0x00, emv.INSSelect, 0x04, 0x00, c.name, 0)
		if err != nil {
			return err
		}
		fci, ok := s.fci(answer)
		switch {
		case status == emv.SWBlocked && !s.bad(DefectBlockedUsed):
			refused = stop{Ended, AppBlocked}
			continue
		case status != emv.SWOK && status != emv.SWBlocked || !ok:
			continue
		}
		s.choose(c.app, fci)
		s.terminal[tagTTQ] = s.qualifiers()
		started, err := s.options(ctx)
		if err != nil || started {
			return err
		}
	}
	return refused
}

// qualifiers tells the card what the terminal can do and what this amount demands.
func (s *Session) qualifiers() []byte {
	q := []byte{ttqEMVMode, 0, ttqDevice, 0}
	if s.cfg.Capabilities[0]&0x20 != 0 {
		q[0] |= ttqContact
	}
	if s.supports(cvmOnlinePIN) {
		q[0] |= ttqOnlinePIN
	}
	if s.supports(cvmSignature) {
		q[0] |= ttqSignature
	}
	if s.tx.Amount > s.app.Contactless.Floor || s.tx.ForceOnline {
		q[1] |= ttqOnline
	}
	if s.needsCVM() {
		q[1] |= ttqCVM
	}
	return q
}

func (s *Session) needsCVM() bool {
	return s.tx.Amount > s.app.Contactless.CVM && !s.bad(DefectCVMLimit)
}

// options is GET PROCESSING OPTIONS in the field; what the card refuses says where to go from here.
func (s *Session) options(ctx context.Context) (bool, error) {
	wanted, err := s.dol(s.said[emv.TagPDOL])
	if err != nil {
		return false, err
	}
	s.asked[0] = wanted
	answer, status, err := s.command(ctx, 0x80, emv.INSGetProcessingOptions, 0, 0, emv.List{{Tag: emv.TagCommand, Value: wanted}}.Encode(), 0)
	switch {
	case err != nil:
		return false, err
	case status == swSeePhone:
		return false, stop{Phone, NoVerification}
	case status == swOtherInterface:
		return false, stop{OtherInterface, CardRefused}
	case status == emv.SWConditions:
		return false, nil
	}
	objects, ok := answerOf(answer, status, func([]byte) emv.List { return nil })
	if !ok {
		return false, stopData
	}
	s.hear(objects)
	if len(s.said[emv.TagAIP]) != 2 {
		return false, stopData
	}
	if _, ok := s.said[emv.TagCID]; !ok { // the type is in the issuer application data (VIS appendix), byte 5
		s.said[emv.TagCID] = []byte{typeInData(s.said[emv.TagIAD])}
	}
	s.kind = s.said[emv.TagCID][0] & 0xC0
	return true, nil
}

// typeInData reads the cryptogram's type from the card verification results in Visa's issuer application data: bits 6 and 5 of their
// first byte in format 0/1/3, as the CVN's formats have it.
func typeInData(data []byte) byte {
	if len(data) < 5 {
		return emv.TypeARQC
	}
	return data[4] << 2 & 0xC0
}

// decide looks at what the card wants, at its dates, and at who holds it.
func (s *Session) decide(ctx context.Context) error {
	qualifiers := s.said[tagCTQ]
	if len(qualifiers) != 2 {
		qualifiers = []byte{0, 0}
	}
	s.result.Outcome = Online
	if s.isDevice() && !s.cfg.Wallets {
		return stop{Declined, NotAccepted}
	}
	if pan, _, _, _ := s.account(); slices.Contains(s.cfg.Exceptions, pan) && !s.bad(DefectExceptions) {
		return stop{Declined, OnExceptionFile}
	}
	if s.expired() && qualifiers[0]&ctqOnlineExpired == 0 && !s.bad(DefectContactlessExpiry) {
		return stop{Declined, AppExpired}
	}
	switch s.kind {
	case emv.TypeARQC:
	case emv.TypeTC:
		if err := s.offline(qualifiers); err != nil {
			return err
		}
	default:
		return stopRefused
	}
	return s.verifyInField(ctx, qualifiers)
}

// isDevice says whether this is a phone or another device and no card: by its form factor (9F6E, bits 5 to 1 of byte 1) or by the bit
// of the AIP's second byte that announces a mobile device (VCPS).
func (s *Session) isDevice() bool {
	const mobile = 0x40
	factor, aip := s.said[tagFormFactor], s.said[emv.TagAIP]
	return len(factor) >= 4 && factor[0]&0x1F > 1 || len(aip) == 2 && aip[1]&mobile != 0
}

// offline is what a TC needs: a card that proves itself (fast DDA; Book C-3 §5.6).
func (s *Session) offline(qualifiers []byte) error {
	if s.tx.Amount > s.app.Contactless.Floor {
		return stopRefused // it was told that it must not
	}
	if s.fastSigned() || s.bad(DefectODAIgnored) {
		s.result.Outcome, s.result.Code = Approved, codeApproved
		return nil
	}
	switch {
	case qualifiers[0]&ctqOnlineIfODA != 0:
		return nil
	case qualifiers[0]&ctqInsertIfODA != 0:
		return stop{OtherInterface, ODAFailed}
	}
	return stop{Declined, ODAFailed}
}

// fastSigned checks the signature that came with the cryptogram: over unpredictable number, amount, currency and the card's own data.
func (s *Session) fastSigned() bool {
	key, ok := s.recoverCard()
	if !ok {
		return false
	}
	challenge := slices.Concat(s.terminal[emv.TagUnpredictable], s.terminal[emv.TagAmount], s.terminal[emv.TagCurrency], s.said[tagAuthRelated])
	_, err := key.VerifyDynamic(s.said[tagSDAD], challenge)
	return err == nil
}

// verifyInField is cardholder verification by the card's qualifiers (Book C-3 §5.7).
func (s *Session) verifyInField(ctx context.Context, qualifiers []byte) error {
	s.cvm = [3]byte{cvmNone, 0, cvmSucceeded}
	device := qualifiers[1]&ctqDevice != 0
	if !s.needsCVM() {
		s.result.DeviceCVM = device
		return nil
	}
	pan, _, _, _ := s.account()
	switch {
	case device:
		s.result.DeviceCVM = true
		return nil
	case qualifiers[0]&ctqOnlinePIN != 0 && s.supports(cvmOnlinePIN):
		if err := s.talk.OnlinePIN(ctx, pan); err != nil {
			if s.noPIN(err) != nil {
				return err
			}
			return stop{Declined, NoVerification}
		}
		s.cvm = [3]byte{cvmOnlinePIN, 0, cvmUnknownYet}
		s.result.OnlinePIN = true
		return nil
	case (qualifiers[0]&ctqSignature != 0 || bytes.Equal(qualifiers, []byte{0, 0})) && s.supports(cvmSignature):
		s.cvm = [3]byte{cvmSignature, 0, cvmUnknownYet}
		s.result.Signature = true
		return nil
	case s.isDevice():
		return stop{Phone, NoVerification}
	}
	return stop{OtherInterface, NoVerification}
}
