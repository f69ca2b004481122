package kernel

import (
	"bytes"
	"encoding/hex"

	"github.com/assay-hil/assay/protocol/emv"
)

// Bits of the application usage control (9F07; Book 3 annex C2), by byte.
const (
	usageDomesticCash       = 0x80 // byte 1
	usageInternationalCash  = 0x40
	usageDomesticGoods      = 0x20
	usageInternationalGoods = 0x10
	usageDomesticServices   = 0x08
	usageInternationalServ  = 0x04
	usageOthersThanATM      = 0x01
	usageDomesticBack       = 0x80 // byte 2
	usageInternationalBack  = 0x40
)

// The transaction types that usage control tells apart (9C).
const (
	typeCash     = 0x01
	typeCashback = 0x09
)

// restrict is processing restrictions (Book 3 §10.4). Nothing of it ends the transaction: the action codes decide.
func (s *Session) restrict() {
	if version, ok := s.said[tagCardVersion]; ok && !bytes.Equal(version, s.app.Version[:]) {
		s.tvr.set(VersionsDiffer)
	}
	if usage := s.said[emv.TagAUC]; len(usage) == 2 && !s.allowed(usage) {
		s.tvr.set(NotAllowed)
	}
	if from := s.said[tagEffective]; len(from) == 3 && day(from) > s.tx.At.Format(dayForm) {
		s.tvr.set(NotYetEffective)
	}
	if s.expired() && !s.bad(DefectExpired) {
		s.tvr.set(Expired)
	}
}

func (s *Session) expired() bool {
	until := s.said[emv.TagExpiry]
	return len(until) == 3 && day(until) < s.tx.At.Format(dayForm)
}

const dayForm = "20060102"

// day is a date YYMMDD with its century: years from 50 on are of the 20th (Book 4 §6.7.3).
func day(date []byte) string {
	century := "20"
	if date[0] >= 0x50 {
		century = "19"
	}
	return century + hex.EncodeToString(date)
}

// allowed holds usage control against the sale. This terminal is no ATM.
func (s *Session) allowed(usage []byte) bool {
	if usage[0]&usageOthersThanATM == 0 {
		return false
	}
	country, ok := s.said[emv.TagIssuerCountry]
	if !ok {
		return true
	}
	first, second := byte(usageInternationalGoods|usageInternationalServ), byte(usageInternationalBack)
	cash := byte(usageInternationalCash)
	if bytes.Equal(country, s.terminal[emv.TagTerminalCountry]) {
		first, second, cash = usageDomesticGoods|usageDomesticServices, usageDomesticBack, usageDomesticCash
	}
	switch s.tx.Type {
	case typeCash:
		return usage[0]&cash != 0
	case typeCashback:
		return usage[0]&first != 0 && usage[1]&second != 0
	}
	return usage[0]&first != 0
}
