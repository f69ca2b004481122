package bank

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/assay-hil/assay/protocol/emv"
)

// Methods of cardholder verification, byte 1 of the CVM results without the bit that lets the next rule follow, and byte 3, what
// came of them (EMV Book 3 annex C3, Book 4 §6.3.4.5).
const (
	cvmMethod    = 0x3F
	cvmFail      = 0x00
	cvmOnlinePIN = 0x02
	cvmSignature = 0x1E
	cvmNone      = 0x1F

	cvmUnknown   = 0x00
	cvmFailed    = 0x01
	cvmSucceeded = 0x02
)

// Bits of the terminal verification results (EMV Book 3 annex C5), by byte.
const (
	tvrNoODA      = 0x80 // byte 1: offline data authentication was not performed
	tvrODAFailed  = 0x40 | 0x08 | 0x04
	tvrCVMFailed  = 0x80 // byte 3
	tvrPINEntered = 0x04
	tvrScripts    = 0x20 | 0x10 // byte 5: script processing failed before, after the final GENERATE AC
)

// captureLength is how long DE26 is where it is about a PIN.
const captureLength = 2

// readChip in DE22 of 1987 is the chip in its contacts: of a tap neither TVR nor CVM results are filled in by every kernel.
const readChip = "05"

// contradicts faults fields that this host wants otherwise, and data of card and PIN that can't be of the message that they are in,
// or of one transaction. A host that decides by them decides wrongly.
func (b *Bank) contradicts(q *inquiry) {
	for _, k := range q.Operation.Unlike(b.codec, q.Message) {
		q.fault("field %s should be %s in this message (%s)", k.Path, k.Pattern, q.Operation.Name)
	}
	if !slices.Contains([]string{opPurchase, opAuthorisation, opBalance, opAdvice}, q.Operation.Name) {
		return
	}
	_, pin := q.f[fieldPIN]
	if described := q.f[fieldCapture]; len(described) == captureLength && !pin {
		q.fault("field %d describes a PIN, and there is none", fieldCapture)
	}
	if info, ok := q.chip.Find(emv.TagCID); ok && len(info) == 1 {
		wanted := emv.TypeARQC
		if isAdvice(q.Message.MTI) {
			wanted = emv.TypeTC
		}
		if info[0]&0xC0 != wanted {
			q.fault("tag 9F27 is %02X: in this message (%s) it is %02X", info[0], q.Operation.Name, wanted)
		}
	}
	if currency, ok := q.chip.Find(emv.TagCurrency); ok && len(q.currency) == 3 && strings.Trim(q.currency, "0123456789") == "" &&
		strings.TrimPrefix(hex.EncodeToString(currency), "0") != strings.TrimPrefix(q.currency, "0") {
		q.fault("tag 5F2A in field 55 is not the currency in field 49")
	}
	if len(q.chip) > 0 && strings.HasPrefix(q.f[fieldEntryMode], readChip) {
		q.misverified()
	}
}

// misverified faults verification results that say of the cardholder or of the card's authentication what the message, or another of
// them, denies.
func (q *inquiry) misverified() {
	tvr, _ := q.chip.Find(emv.TagTVR)
	cvm, _ := q.chip.Find(emv.TagCVMResults)
	if len(tvr) != 5 || len(cvm) != 3 {
		return
	}
	_, pin := q.f[fieldPIN]
	method, result := cvm[0]&cvmMethod, cvm[2]
	online := method == cvmOnlinePIN && result != cvmFailed
	entered, failed := tvr[2]&tvrPINEntered != 0, tvr[2]&tvrCVMFailed != 0
	switch {
	case online != pin:
		q.fault("tag 9F34 is %X: a PIN for the host %t, field 52 %t", cvm, online, pin)
	case entered != pin:
		q.fault("tag 95 is %X: online PIN entered %t, field 52 %t", tvr, entered, pin)
	case failed != (result == cvmFailed):
		q.fault("tag 9F34 is %X, tag 95 %X: verification of the cardholder failed in one of them only", cvm, tvr)
	case result != cvmResult(method, result):
		q.fault("tag 9F34 is %X: the method has another result", cvm)
	}
	if tvr[0]&tvrNoODA != 0 && tvr[0]&tvrODAFailed != 0 {
		q.fault("tag 95 is %X: offline data authentication failed and was not performed", tvr)
	}
}

// cvmResult is what a method that did not fail must say of itself: the one given where it may say either.
func cvmResult(method, given byte) byte {
	switch {
	case given == cvmFailed:
		return given
	case method == cvmSignature, method == cvmOnlinePIN:
		return cvmUnknown
	case method == cvmNone:
		return cvmSucceeded
	case method == cvmFail:
		return cvmFailed
	}
	return given
}

// scriptsFailed faults a script's result that the TVR beside it denies. results are 5 bytes a script, in the upper half of the
// first of which 2 is success (EMV Book 4 annex A5).
func (q *inquiry) scriptsFailed(results []byte) {
	const each, ran = 5, 0x20
	tvr, _ := q.chip.Find(emv.TagTVR)
	if len(tvr) != 5 {
		return
	}
	failed := false
	for i := 0; i < len(results); i += each {
		failed = failed || results[i]&0xF0 != ran
	}
	if failed != (tvr[4]&tvrScripts != 0) {
		q.fault("tag 95 is %X, tag DF31 %X: a script failed in one of them only", tvr, results)
	}
}
