package terminal

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/assay-hil/assay/protocol/emv"
)

// chipObjects are the data objects that the terminal brings into a sale, by tag.
type chipObjects map[uint32][]byte

// Bits of the terminal verification results (EMV Book 3 Annex C5), by byte.
const (
	tvrNoDataAuthentication = 0x80 // byte 1
	tvrCVMFailed            = 0x80 // byte 3
	tvrOnlinePIN            = 0x04 // byte 3
	tvrIssuerAuthFailed     = 0x40 // byte 5
)

// chipObjects says what this terminal is (attended, online only; no offline data
// authentication; PIN checked online or not at all) and what the sale is. The cardholder is
// asked for the PIN after the first cryptogram, but that he will be is certain by now: without
// PIN nothing goes online.
func (a *app) chipObjects(amount int64, at time.Time) chipObjects {
	tvr := []byte{tvrNoDataAuthentication, 0, tvrCVMFailed, 0, 0}
	capabilities, verification := "E00000", "3F0001" // no CVM; failed
	if a.profile.Has("pin") {
		tvr[2] = tvrOnlinePIN
		capabilities, verification = "E04000", "020300" // enciphered PIN online; result not known yet
	}
	return chipObjects{
		emv.TagAmount:          bcd(fmt.Sprintf("%012d", amount)),
		emv.TagAmountOther:     bcd("000000000000"),
		emv.TagCurrency:        bcd("0" + a.profile.Identity.Currency),
		emv.TagTerminalCountry: bcd("0" + countryOf(a.profile.Identity.Currency)),
		emv.TagDate:            bcd(at.Format("060102")),
		emv.TagType:            bcd("00"),
		emv.TagTVR:             tvr,
		emv.TagCapabilities:    bcd(capabilities),
		emv.TagCVMResults:      bcd(verification),
		emv.TagTerminalType:    bcd("21"),
		emv.TagUnpredictable:   a.unpredictable(at),
	}
}

// unpredictable gives 9F37. It differs from sale to sale but is the same when the same hour is
// played again: a run in virtual time must be repeatable to the byte. A terminal for real money must
// draw it at random.
func (a *app) unpredictable(at time.Time) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", a.profile.Identity.Terminal, a.memory.stan, at.UnixNano()))
	return sum[:4]
}

// countryOf names the ISO 3166-1 country where a currency's test terminals stand; most have the
// same number.
func countryOf(currency string) string {
	if currency == "978" {
		return "276" // the euro is no country's own: Germany
	}
	return currency
}

// bcd packs decimal (or hexadecimal) digits, which here are always constants, numbers and dates.
func bcd(text string) []byte {
	packed, err := hex.DecodeString(text)
	if err != nil {
		panic(fmt.Sprintf("terminal: %q is no BCD", text))
	}
	return packed
}
