package kernel

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"

	"github.com/assay-hil/assay/protocol/emv"
)

// The methods of cardholder verification (Book 3 annex C3), without the bit that lets the next rule follow.
const (
	cvmFail             = 0x00
	cvmPlaintextPIN     = 0x01
	cvmOnlinePIN        = 0x02
	cvmPlaintextPINSign = 0x03
	cvmOfflinePIN       = 0x04 // enciphered
	cvmOfflinePINSign   = 0x05
	cvmSignature        = 0x1E
	cvmNone             = 0x1F
	cvmNotPerformed     = 0x3F

	cvmNextIfFails = 0x40
)

// The third byte of the CVM results (9F34).
const (
	cvmUnknownYet = 0x00
	cvmFailed     = 0x01
	cvmSucceeded  = 0x02
)

// verifyCardholder is cardholder verification (Book 3 §10.5; the results are those of Book 4 §6.3.4.5, table 2).
func (s *Session) verifyCardholder(ctx context.Context) error {
	s.cvm = [3]byte{cvmNotPerformed}
	if !s.profile(aipCVM) {
		return nil
	}
	list := s.said[emv.TagCVMList]
	if len(list) < 10 || len(list)%2 != 0 {
		s.tvr.set(DataMissing)
		return nil
	}
	s.tsi.set(DidCVM)
	s.cvm[2] = cvmFailed
	x, y := binary.BigEndian.Uint32(list), binary.BigEndian.Uint32(list[4:])
	for rules := list[8:]; len(rules) > 0; rules = rules[2:] {
		code, condition := rules[0], rules[1]
		if !s.condition(condition, code&^cvmNextIfFails, int64(x), int64(y)) {
			continue
		}
		done, err := s.perform(ctx, code, condition)
		if err != nil || done {
			return err
		}
		if code&cvmNextIfFails == 0 {
			break
		}
	}
	s.tvr.set(CVMFailed)
	return nil
}

// condition says whether a rule applies (Book 3 annex C3, table 40). Nobody draws cash or types card numbers here.
func (s *Session) condition(condition, code byte, x, y int64) bool {
	amounts := bytes.Equal(s.said[tagAppCurrency], s.terminal[emv.TagCurrency])
	cash, cashback := s.tx.Type == typeCash, s.tx.Type == typeCashback
	switch condition {
	case 0x00:
		return true
	case 0x01:
		return cash && s.unattended()
	case 0x02:
		return !cash && !cashback
	case 0x03:
		return s.supports(code)
	case 0x04:
		return cash && !s.unattended()
	case 0x05:
		return cashback
	case 0x06:
		return amounts && s.tx.Amount < x
	case 0x07:
		return amounts && s.tx.Amount > x
	case 0x08:
		return amounts && s.tx.Amount < y
	case 0x09:
		return amounts && s.tx.Amount > y
	}
	return false
}

func (s *Session) unattended() bool { return s.cfg.Type&0x0F >= 4 }

// supports says whether the terminal can do a method.
func (s *Session) supports(code byte) bool {
	can := s.cfg.Capabilities[1]
	switch code {
	case cvmFail:
		return true
	case cvmPlaintextPIN:
		return can&canPlaintextPIN != 0
	case cvmPlaintextPINSign:
		return can&canPlaintextPIN != 0 && can&canSignature != 0
	case cvmOnlinePIN:
		return can&canOnlinePIN != 0
	case cvmSignature:
		return can&canSignature != 0
	case cvmNone:
		return can&canNoCVM != 0
	}
	return false // enciphered PIN offline
}

// perform does one rule. It reports true when verification is over, well or not yet known; after false the next rule may follow.
func (s *Session) perform(ctx context.Context, code, condition byte) (bool, error) {
	method := code &^ cvmNextIfFails
	if !s.supports(method) {
		s.unsupported(method)
		return false, nil
	}
	s.cvm = [3]byte{code, condition, cvmFailed}
	switch method {
	case cvmNone:
		s.cvm[2] = cvmSucceeded
		return true, nil
	case cvmSignature:
		s.cvm[2], s.result.Signature = cvmUnknownYet, true
		return true, nil
	case cvmOnlinePIN:
		pan, _, _, _ := s.account()
		err := s.talk.OnlinePIN(ctx, pan)
		if err != nil {
			return false, s.noPIN(err)
		}
		s.tvr.set(OnlinePINGiven)
		s.cvm[2], s.result.OnlinePIN = cvmUnknownYet, true
		return true, nil
	case cvmPlaintextPIN, cvmPlaintextPINSign:
		ok, err := s.offlinePIN(ctx)
		if ok {
			s.cvm[2], s.result.Signature = cvmSucceeded, method == cvmPlaintextPINSign
			if s.result.Signature {
				s.cvm[2] = cvmUnknownYet
			}
		}
		return ok, err
	}
	return false, nil // fail CVM processing
}

// unsupported notes a method that the terminal can't do.
func (s *Session) unsupported(method byte) {
	switch method {
	case cvmPlaintextPIN, cvmOnlinePIN, cvmPlaintextPINSign, cvmOfflinePIN, cvmOfflinePINSign:
		if s.cfg.Capabilities[1]&(canPlaintextPIN|canOnlinePIN|canOfflinePIN) == 0 {
			s.tvr.set(PINPadFailed)
		}
	case cvmSignature, cvmNone:
	default:
		s.tvr.set(CVMUnknown)
	}
}

// noPIN notes a PIN entry that gave no PIN; other errors are the dialogue's.
func (s *Session) noPIN(err error) error {
	switch {
	case errors.Is(err, ErrPINBypassed) && s.bad(DefectBypassBit):
		s.tvr.set(PINPadFailed)
	case errors.Is(err, ErrPINBypassed):
		s.tvr.set(PINNotEntered)
	case errors.Is(err, ErrPINPad):
		s.tvr.set(PINPadFailed)
	default:
		return err
	}
	return nil
}

// maxPINTries bounds how often a card is asked to check a PIN, whatever it says of its counter.
const maxPINTries = 15

// offlinePIN lets the card check the PIN (Book 3 §10.5.1).
func (s *Session) offlinePIN(ctx context.Context) (bool, error) {
	left, err := s.pinTries(ctx)
	if err != nil {
		return false, err
	}
	entry := PINEntry{Last: left == 1}
	for range maxPINTries {
		if left == 0 {
			s.tvr.set(PINTries)
			return false, nil
		}
		typed, err := s.talk.OfflinePIN(ctx, entry)
		if err != nil {
			return false, s.noPIN(err)
		}
		_, status, err := s.command(ctx, 0x00, insVerify, 0x00, 0x80, pinBlock(typed), -1)
		switch {
		case err != nil:
			return false, err
		case status == emv.SWOK:
			return true, nil
		case status&0xFFF0 == swTriesLeft:
			left = int(status & 0x0F)
			entry = PINEntry{Wrong: true, Last: left == 1}
			if s.bad(DefectPINTries) {
				left = max(left, 1)
			}
		case status == swPINBlocked || status == swPINUnusable:
			left = 0
		default:
			return false, stopError
		}
	}
	return false, nil
}

// pinTries asks how many tries the card has left; -1 when it doesn't say.
func (s *Session) pinTries(ctx context.Context) (int, error) {
	counter, err := s.getData(ctx, tagPINCounter)
	if err != nil || len(counter) != 1 {
		return -1, err
	}
	if counter[0] == 0 && s.bad(DefectPINTries) {
		return -1, nil
	}
	return int(counter[0]), nil
}

// pinBlock is the plaintext PIN block for VERIFY (Book 3 §6.5.12, table 24).
func pinBlock(typed string) []byte {
	if len(typed) < 4 || len(typed) > 12 || !decimal(typed) {
		typed = "0000" // a dialogue that lets such pass has not asked a person
	}
	block := []byte{0x20 | byte(len(typed)), 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}
	for i := range len(typed) {
		shift := 4 * (1 - i%2)
		block[1+i/2] &= ^(0x0F << shift)
		block[1+i/2] |= (typed[i] - '0') << shift
	}
	return block
}
