package kernel

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/assay-hil/assay/protocol/emv"
)

// manageRisk is terminal risk management (Book 3 §10.6), where the card wants it.
func (s *Session) manageRisk(ctx context.Context) error {
	if s.tx.ForceOnline {
		s.tvr.set(Forced)
	}
	if !s.profile(aipTerminalRisk) {
		return nil
	}
	if pan, _, _, _ := s.account(); slices.Contains(s.cfg.Exceptions, pan) && !s.bad(DefectExceptions) {
		s.tvr.set(OnException)
	}
	over := s.tx.Amount >= s.app.FloorLimit
	if s.bad(DefectFloorLimit) {
		over = s.tx.Amount > s.app.FloorLimit
	}
	switch {
	case over:
		s.tvr.set(OverFloor)
	case s.drawn():
		s.tvr.set(Drawn)
	}
	if err := s.velocity(ctx); err != nil {
		return err
	}
	s.tsi.set(DidTerminalRisk)
	return nil
}

// drawn is random transaction selection, biased above the threshold (Book 3 §10.6.2).
func (s *Session) drawn() bool {
	r := s.app.Random
	percent := int64(r.Target)
	if s.tx.Amount >= r.Threshold && s.app.FloorLimit > r.Threshold {
		percent += int64(r.Max-r.Target) * (s.tx.Amount - r.Threshold) / (s.app.FloorLimit - r.Threshold)
	}
	return int64(s.tx.Draw) <= percent
}

// velocity is velocity checking (Book 3 §10.6.3), for cards with both limits.
func (s *Session) velocity(ctx context.Context) error {
	lower, upper := s.said[tagLowerLimit], s.said[tagUpperLimit]
	if len(lower) != 1 || len(upper) != 1 || s.bad(DefectVelocity) {
		return nil
	}
	counter, err := s.getData(ctx, emv.TagATC)
	if err != nil {
		return err
	}
	last, err := s.getData(ctx, tagLastOnline)
	if err != nil {
		return err
	}
	if len(counter) != 2 || len(last) != 2 {
		s.tvr.set(OverLower)
		s.tvr.set(OverUpper)
		return nil
	}
	now, then := binary.BigEndian.Uint16(counter), binary.BigEndian.Uint16(last)
	if then == 0 {
		s.tvr.set(NewCard)
	}
	if now <= then || int(now-then) > int(lower[0]) {
		s.tvr.set(OverLower)
	}
	if now <= then || int(now-then) > int(upper[0]) {
		s.tvr.set(OverUpper)
	}
	return nil
}

// analyse is terminal action analysis (Book 3 §10.7): which cryptogram to ask for, and when that is AAC, why.
func (s *Session) analyse() (kind byte, why Reason) {
	denial := union(s.app.TACDenial, s.code(emv.TagIACDenial, 0x00))
	online := union(s.app.TACOnline, s.code(emv.TagIACOnline, 0xFF))
	switch {
	case s.tvr.meets(denial):
		return emv.TypeAAC, s.because(denial)
	case s.offlineOnly():
		if fallback := union(s.app.TACDefault, s.code(emv.TagIACDefault, 0xFF)); s.tvr.meets(fallback) {
			return emv.TypeAAC, s.because(fallback)
		}
	case s.tx.ForceOnline, s.tvr.meets(online): // whatever the codes make of the bit for it
		return emv.TypeARQC, None
	}
	return emv.TypeTC, None
}

// offlineOnly says whether the terminal's type has no way to a host (Book 4 annex A1).
func (s *Session) offlineOnly() bool { t := s.cfg.Type & 0x0F; return t == 3 || t == 6 }

// code is an issuer action code; absent bytes of all ones or zeros.
func (s *Session) code(tag uint32, absent byte) [5]byte {
	if value := s.said[tag]; len(value) == 5 {
		return [5]byte(value)
	}
	return [5]byte{absent, absent, absent, absent, absent}
}

func union(a, b [5]byte) [5]byte {
	for i := range a {
		a[i] |= b[i]
	}
	return a
}

// because names the first of the bits that decided which a cashier can be told about.
func (s *Session) because(mask [5]byte) Reason {
	for _, known := range []struct {
		bit    Bit
		reason Reason
	}{
		{OnException, OnExceptionFile}, {Expired, AppExpired}, {NotYetEffective, AppNotEffective}, {SDAFailed, ODAFailed},
		{DDAFailed, ODAFailed}, {CDAFailed, ODAFailed}, {PINTries, PINTriesOver},
	} {
		var one TVR
		if one.set(known.bit); one.meets(mask) && s.tvr.Has(known.bit) {
			return known.reason
		}
	}
	return TerminalRefused
}
