package kernel

import (
	"context"

	"github.com/assay-hil/assay/protocol/emv"
)

// Contact takes an inserted card from its reset to its first cryptogram. The session's result says what next: with
// Online the caller asks the host and calls Complete. The error is the context's, or one of the dialogue's own.
func (k *Kernel) Contact(ctx context.Context, card Card, talk Dialogue, tx Transaction) (*Session, error) {
	s := k.begin(card, talk, tx)
	if err := s.settle(s.contact(ctx)); err != nil {
		return nil, err
	}
	return s, nil
}

// contact is the flow of EMV Book 3 §8, figure 7.
func (s *Session) contact(ctx context.Context) error {
	if err := s.powerOn(ctx); err != nil {
		return err
	}
	candidates, err := s.candidates(ctx)
	if err != nil {
		return err
	}
	if err := s.start(ctx, candidates); err != nil {
		return err
	}
	if err := s.readRecords(ctx); err != nil {
		return err
	}
	if err := s.mandatory(); err != nil {
		return err
	}
	if err := s.authenticateData(ctx); err != nil {
		return err
	}
	s.restrict()
	if err := s.verifyCardholder(ctx); err != nil {
		return err
	}
	if err := s.manageRisk(ctx); err != nil {
		return err
	}
	return s.firstCryptogram(ctx)
}

// mandatory checks for the objects without which there is no transaction (Book 3 §7.2).
func (s *Session) mandatory() error {
	for _, tag := range []uint32{emv.TagPAN, emv.TagExpiry, emv.TagCDOL1, emv.TagCDOL2} {
		if len(s.said[tag]) == 0 {
			return stopData
		}
	}
	if !s.usable() {
		return stopData
	}
	return nil
}

// firstCryptogram is terminal action analysis and the first GENERATE AC.
func (s *Session) firstCryptogram(ctx context.Context) error {
	asked, why := s.analyse()
	if asked == emv.TypeAAC {
		s.terminal[emv.TagARC] = []byte(codeDeclined)
	} else if asked == emv.TypeTC {
		s.terminal[emv.TagARC] = []byte(codeApproved)
	}
	given, err := s.generate(ctx, asked, emv.TagCDOL1)
	if err != nil {
		return err
	}
	s.tsi.set(DidCardRisk)
	if s.unsigned() {
		return s.refuseUnsigned(ctx, given)
	}
	switch {
	case given == emv.TypeAAC && asked == emv.TypeAAC:
		s.result.Code = codeDeclined
		return stop{Declined, why}
	case given == emv.TypeAAC:
		s.result.Code = codeDeclined
		return stopRefused
	case given == emv.TypeTC && asked == emv.TypeTC:
		s.result.Outcome, s.result.Code, s.over = Approved, codeApproved, true
	case given == emv.TypeARQC && asked != emv.TypeAAC:
		s.result.Outcome = Online
		delete(s.terminal, emv.TagARC)
	default: // more than was asked for
		return stopError
	}
	if !s.checkable() {
		return stopData
	}
	return nil
}

// unsigned says that a cryptogram came with a signature that is wrong.
func (s *Session) unsigned() bool { return s.iccKey != nil && s.tvr.Has(CDAFailed) }

// refuseUnsigned ends a transaction whose first cryptogram can't be trusted: a TC is not accepted, an ARQC is answered with a
// second GENERATE AC that asks for AAC (Book 4 §6.3.2.1).
func (s *Session) refuseUnsigned(ctx context.Context, given byte) error {
	s.result.Code = codeDeclined
	s.terminal[emv.TagARC] = []byte(codeDeclined)
	if given == emv.TypeARQC {
		if _, err := s.generate(ctx, emv.TypeAAC, emv.TagCDOL2); err != nil && ctx.Err() != nil {
			return err // a card that fails now was refused all the same
		}
	}
	return stop{Declined, ODAFailed}
}

// The authorisation response codes that a terminal gives itself (Book 4 annex A6).
const (
	codeApproved        = "Y1" // offline approved
	codeDeclined        = "Z1" // offline declined
	codeApprovedUnasked = "Y3" // unable to go online, offline approved
	codeDeclinedUnasked = "Z3"
)

// generate asks for a cryptogram (Book 3 §6.5.5) and keeps what the card says with it.
func (s *Session) generate(ctx context.Context, kind byte, list uint32) (byte, error) {
	data, err := s.dol(s.said[list])
	if err != nil {
		return 0, err
	}
	which := 1
	if list == emv.TagCDOL2 {
		if which = 2; s.bad(DefectStaleCDOL) && len(s.asked[1]) <= len(data) {
			copy(data[len(data)-len(s.asked[1]):], s.asked[1])
		}
	}
	s.asked[which] = data
	control := kind
	combined := s.method == combinedData && s.iccKey != nil && kind != emv.TypeAAC
	if combined {
		control |= wantsCDA
	}
	answer, status, err := s.command(ctx, 0x80, emv.INSGenerateAC, control, 0, data, 0)
	if err != nil {
		return 0, err
	}
	objects, ok := answerOf(answer, status, func(plain []byte) emv.List {
		if len(plain) < 11 {
			return nil
		}
		return emv.List{
			{Tag: emv.TagCID, Value: plain[:1]}, {Tag: emv.TagATC, Value: plain[1:3]},
			{Tag: emv.TagCryptogram, Value: plain[3:11]}, {Tag: emv.TagIAD, Value: plain[11:]},
		}
	})
	info, _ := objects.Find(emv.TagCID)
	if !ok || len(info) != 1 {
		return 0, stopError
	}
	s.kind = info[0] & 0xC0
	s.hear(objects)
	if combined && s.kind != emv.TypeAAC {
		s.checkCombined(objects)
	}
	return s.kind, nil
}

// answerOf reads a successful answer in format 2 (template 77), or in format 1 (80), which plain takes apart; plain
// gives nil for what it can't read. What it returns are the objects inside.
func answerOf(answer []byte, status uint16, plain func([]byte) emv.List) (emv.List, bool) {
	objects, err := emv.Read(answer)
	if err != nil || status != emv.SWOK || len(objects.List) != 1 {
		return nil, false
	}
	switch o := objects.List[0]; o.Tag {
	case emv.TagResponse2:
		inside, err := emv.Read(o.Value)
		return inside.List, err == nil
	case emv.TagResponse1:
		list := plain(o.Value)
		return list, list != nil
	}
	return nil, false
}
